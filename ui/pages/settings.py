"""Settings, small: how the window looks, AI off, where questions may go, and how the vault is locked."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QWidget

from app import settings as declared
from app.errors import Explanation
from ui.context import Context
from ui.i18n import plural, tr
from ui.lockwatch import LockWatch
from ui.pages.destinations import DestinationsCard
from ui.pages.keys import KeysCard
from ui.theme import TEXT_SCALES
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import Part, button, card, column, label, row
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow
from ui.widgets.switch import Switch


class SettingsPage(Page):
    """`ai_switched` tells that the AI switch was moved here."""

    ai_switched = Signal(bool)

    def __init__(self, context: Context, banners: Banners, watch: LockWatch) -> None:
        super().__init__(tr("Settings"), scrolls=True)
        self._context = context
        self._banners = banners
        self._watch = watch
        self.destinations = DestinationsCard(context, banners)
        self.keys = KeysCard(context, banners)
        parts = (self._look(), self._locking(), self.keys, self._vault(), self._sharing(), self.destinations, self._glasses(), None)
        self.body.addWidget(scrolled(column(*parts, gap=2 * GRID)), 1)

    def entered(self) -> None:
        self.show_ai(self._context.services.settings.get(declared.AI_OFF))
        self._continuous.setChecked(self._context.services.settings.get(declared.CONTINUOUS))
        self.destinations.refresh()
        self.keys.refresh()
        self._show_locking()

    def forget(self) -> None:
        self._context.tasks.cancel("verify")
        self.progress.end()
        self.keys.forget()
        self.destinations.forget()

    # -- look ------------------------------------------------------------------------------------------------------------------

    def _look(self) -> QFrame:
        self._theme_choice = QComboBox()
        self._theme_choice.setAccessibleName(tr("Theme"))
        for name, words in (
            ("system", tr("Like the desktop")),
            ("light", tr("Light")),
            ("dark", tr("Dark")),
            ("contrast", tr("High contrast")),
        ):
            self._theme_choice.addItem(words, name)
        self._theme_choice.setCurrentIndex(self._theme_choice.findData(self._context.services.settings.get(declared.THEME)))
        self._theme_choice.currentIndexChanged.connect(lambda _index: self._choose_theme())
        self._text = QComboBox()
        self._text.setAccessibleName(tr("Text size"))
        for percent in TEXT_SCALES:
            self._text.addItem(tr("{percent} %", percent=percent), percent)
        self._text.setCurrentIndex(max(0, self._text.findData(self._context.memory.text_percent)))
        self._text.currentIndexChanged.connect(lambda _index: self._choose_text())
        return card(
            label(tr("Appearance"), "lead"),
            _line(tr("Theme"), self._theme_choice),
            _line(tr("Text size"), self._text),
        )

    def _choose_theme(self) -> None:
        choice = str(self._theme_choice.currentData())
        self._context.theme.choose(choice)
        self._keep(declared.THEME, choice)

    def _choose_text(self) -> None:
        percent = int(self._text.currentData())
        self._context.theme.scale_text(percent)
        self._context.memory.text_percent = percent

    def _keep(self, setting: declared.Setting[declared.T], value: declared.T) -> None:
        self._context.tasks.start(self._keeping(setting, value))

    async def _keeping(self, setting: declared.Setting[declared.T], value: declared.T) -> None:
        self._context.services.settings.set(setting, value)

    # -- sharing and glasses ---------------------------------------------------------------------------------------------------

    def _sharing(self) -> QFrame:
        self._ai_off = Switch(self._context.theme, declared.AI_OFF.title)
        self._ai_off.setAccessibleDescription(declared.AI_OFF.help)
        self._ai_off.clicked.connect(self.ai_switched)
        return card(
            label(tr("AI and sharing"), "lead"),
            row(self._ai_off, None, margins=(-6, 0, 0, 0)),
            label(tr(declared.AI_OFF.help), tone="muted", wrap=True),
        )

    def show_ai(self, off: bool) -> None:
        self._ai_off.setChecked(off)

    def _glasses(self) -> QFrame:
        self._continuous = Switch(self._context.theme, declared.CONTINUOUS.title)
        self._continuous.setAccessibleDescription(declared.CONTINUOUS.help)
        self._continuous.clicked.connect(lambda on: self._keep(declared.CONTINUOUS, bool(on)))
        hint = label(tr(declared.CONTINUOUS.help), tone="muted", wrap=True)
        return card(label(tr("Glasses"), "lead"), row(self._continuous, None, margins=(-6, 0, 0, 0)), hint)

    # -- locking ---------------------------------------------------------------------------------------------------------------

    def _locking(self) -> QFrame:
        self._idle = QComboBox()
        self._idle.setAccessibleName(tr("Lock by itself"))
        for minutes in declared.IDLE_LOCK.choices:
            said = tr("never") if minutes == declared.NEVER else plural(int(minutes), "after {count} minute", "after {count} minutes")
            self._idle.addItem(said, minutes)
        self._idle.activated.connect(lambda _index: self._choose_idle())
        self._never = label(
            tr("Whoever comes to this computer while you are away can see everything, until you lock it yourself (Ctrl+L)."),
            tone="warn",
            wrap=True,
        )
        self._away = Switch(self._context.theme, declared.LOCK_AWAY.title)
        self._away.setAccessibleDescription(declared.LOCK_AWAY.help)
        self._away.clicked.connect(lambda on: self._keep(declared.LOCK_AWAY, bool(on)))
        self._noticed = label("", tone="muted", wrap=True)
        away = row(self._away, None, margins=(-6, 0, 0, 0))
        hint = label(tr(declared.LOCK_AWAY.help), tone="muted", wrap=True)
        return card(label(tr("Locking"), "lead"), _line(tr("Lock by itself"), self._idle), self._never, away, hint, self._noticed)

    def _show_locking(self) -> None:
        minutes = self._context.services.settings.get(declared.IDLE_LOCK)
        self._idle.setCurrentIndex(self._idle.findData(minutes))
        self._never.setVisible(minutes == declared.NEVER)
        self._away.setChecked(self._context.services.settings.get(declared.LOCK_AWAY))
        self._noticed.setText(self._watch.words())

    def _choose_idle(self) -> None:
        minutes = str(self._idle.currentData())
        self._never.setVisible(minutes == declared.NEVER)
        self._keep(declared.IDLE_LOCK, minutes)

    # -- vault -----------------------------------------------------------------------------------------------------------------

    def _vault(self) -> QFrame:
        self.progress = ProgressRow(self._context.theme, lambda: self._context.tasks.cancel("verify"))
        check = button(self._context.theme, tr("Check every capture"), self.verify, icon="check")
        check.setAccessibleDescription(tr("Reads everything in the vault and reports what is damaged"))
        hint = label(tr("Reads everything in the vault and reports what is damaged."), tone="muted", wrap=True)
        return card(label(tr("Health of the vault"), "lead"), hint, row(check, None), self.progress)

    def verify(self) -> None:
        self._context.tasks.start(self._verifying(), key="verify")

    async def _verifying(self) -> None:
        self.progress.begin(tr("Checking…"))
        try:
            report = await self._context.services.vault.verify(self._progress)
        finally:
            self.progress.end()
        if report.sound:
            self._banners.good(plural(report.checked, "{count} capture checked: whole.", "{count} captures checked: all whole."))
        else:
            damaged = plural(len(report.faults), "{count} capture is damaged.", "{count} captures are damaged.")
            what = damaged if report.faults else tr("Some files of the vault are damaged.")
            why = " ".join([fault.what for fault in report.faults[:3]] + [f"{fault.file}: {fault.what}" for fault in report.files[:3]])
            self._banners.trouble(Explanation(what, why, tr("Restore them from a backup of the vault folder.")))

    def _progress(self, done: int, total: int) -> None:
        self.progress.at(tr("Checked {done} of {total}", done=done, total=total), done, total)


def _line(name: str, field: QWidget) -> Part:
    title = label(name)
    title.setBuddy(field)
    title.setMinimumWidth(20 * GRID)
    return row(title, field, None)
