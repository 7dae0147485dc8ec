"""Settings: the declared list, grouped and searchable, and the cards that are more than a choice (ways in, health, destinations)."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QWidget

from app import settings as declared
from app.errors import Explanation
from app.settings import AnySetting, Group
from ui import words
from ui.context import Context
from ui.dialogs import choose_folder
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.lockwatch import LockWatch
from ui.pages.destinations import DestinationsCard
from ui.pages.keys import KeysCard
from ui.pages.settings_rows import SettingRow
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import Part, button, card, column, hide_if, label, row, rule
from ui.widgets.flow import FlowLayout
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow

Found = tuple[QWidget, str]
"""A card and the words by which it is found."""


class SettingsPage(Page):
    """`ai_switched` tells that the AI switch was moved here; the others want the page or the list of that name."""

    ai_switched = Signal(bool)
    help_asked = Signal()
    diagnostics_asked = Signal()
    shortcuts_asked = Signal()

    def __init__(self, context: Context, banners: Banners, watch: LockWatch) -> None:
        super().__init__(tr("Settings"), scrolls=True)
        self._context = context
        self._banners = banners
        self._watch = watch
        self.rows: dict[str, SettingRow] = {}
        self._groups: list[tuple[QFrame, QLabel, list[QWidget]]] = []
        self._cards: list[Found] = []
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Search settings"))
        self._search.setAccessibleName(tr("Search settings"))
        self._search.setClearButtonEnabled(True)
        self._search.setMinimumWidth(34 * GRID)
        self._search.textChanged.connect(lambda _text: self._filter())
        self.acts.addWidget(self._search)
        self._nothing = label(tr("No setting fits these words."), tone="muted", wrap=True)
        hide_if(self._nothing, True)
        self._column = column(self._nothing, None, gap=2 * GRID)
        self.body.addWidget(scrolled(self._column), 1)
        context.services.settings.on_change(self._changed)

    # -- layout ----------------------------------------------------------------------------------------------------------------

    def rest(self) -> Iterator[None]:
        """In the order of the groups; what is more than a choice stands below the group it belongs to."""
        self.destinations = DestinationsCard(self._context, self._banners)
        self.keys = KeysCard(self._context, self._banners)
        more: dict[Group, tuple[Found, ...]] = {
            Group.LOCK: (
                (self.keys, tr("Ways to open the vault passphrase keyring recovery code")),
                (self._vault(), tr("Health of the vault check verify")),
            ),
            Group.SHARING: ((self.destinations, tr("Where questions may go destinations servers keys models")),),
        }
        for group in Group:
            self._place(self._group(group))
            for found in more.get(group, ()):
                self._cards.append(found)
                self._place(found[0])
            yield
        help = self._help()
        self._cards.append((help, tr("Help diagnostics report problems keyboard shortcuts about version")))
        self._place(help)

    def _place(self, section: QWidget) -> None:
        self._column.insertWidget(self._column.count() - 2, section)

    def _group(self, group: Group) -> QFrame:
        title = label(tr_core(group.value), "lead", wrap=True)
        parts: list[Part] = [title]
        inside: list[QWidget] = []
        for setting in (each for each in declared.ALL if each.group is group):
            if inside:
                parts.append(rule())
            made = self._row(setting)
            parts.append(made)
            inside.append(made)
        whole = card(*parts, gap=GRID + 4)
        self._groups.append((whole, title, inside))
        return whole

    def _row(self, setting: AnySetting) -> SettingRow:
        folder = setting is declared.WATCH_FOLDER
        made = SettingRow(self._context.theme, setting, self._destinations if setting is declared.DESTINATION else None, folder=folder)
        self.rows[setting.key] = made
        made.changed.connect(lambda value, setting=setting: self._choose(setting, value))
        made.reset.connect(lambda setting=setting: self._choose(setting, setting.default, back=True))
        made.browse.connect(lambda setting=setting: self._browse(setting))
        if setting is not declared.DESTINATION:
            self._show(made)
        return made

    def _vault(self) -> QFrame:
        self.progress = ProgressRow(self._context.theme, lambda: self._context.tasks.cancel("verify"))
        check = button(self._context.theme, tr("Check every capture"), self.verify, icon="check")
        check.setAccessibleDescription(tr("Reads everything in the vault and reports what is damaged"))
        hint = label(tr("Reads everything in the vault and reports what is damaged."), tone="muted", wrap=True)
        return card(label(tr("Health of the vault"), "lead", wrap=True), hint, row(check, None), self.progress)

    def _help(self) -> QFrame:
        theme = self._context.theme
        read = button(theme, tr("Help…"), self.help_asked.emit, icon="question")
        problems = button(theme, tr("Diagnostics…"), self.diagnostics_asked.emit, icon="info")
        keys = button(theme, tr("Keyboard shortcuts…"), self.shortcuts_asked.emit, icon="keyboard")
        hint = tr("Diagnostics looks at this computer and makes a report that you read before anybody else does.")
        return card(label(tr("Help"), "lead", wrap=True), label(hint, tone="muted", wrap=True), FlowLayout(read, problems, keys))

    # -- coming and going ------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        for made in self.rows.values():
            self._show(made)
        self.destinations.refresh()
        self.keys.refresh()

    def forget(self) -> None:
        self._context.tasks.cancel("verify")
        self.progress.end()
        self._search.clear()
        self.keys.forget()
        self.destinations.forget()

    def show_ai(self, off: bool) -> None:
        self._show(self.rows[declared.AI_OFF.key])

    def _filter(self) -> None:
        """Show what fits all of the words typed; a group whose title fits shows all of its settings."""
        asked = self._search.text().casefold().split()
        any_shown = False
        for whole, title, inside in self._groups:
            of_group = all(word in title.text().casefold() for word in asked)
            fits = [of_group or (isinstance(one, SettingRow) and one.fits(asked)) for one in inside]
            for one, fit in zip(inside, fits, strict=True):
                one.setVisible(fit)
            for line in whole.findChildren(QFrame):
                if line.property("role") == "rule":
                    line.setVisible(all(fits))
            whole.setVisible(any(fits))
            any_shown = any_shown or any(fits)
        for found, said in self._cards:
            found.setVisible(all(word in said.casefold() for word in asked))
            any_shown = any_shown or not found.isHidden()
        self._nothing.setVisible(not any_shown)

    # -- values ----------------------------------------------------------------------------------------------------------------

    def _destinations(self) -> list[tuple[str, str]]:
        return [(one.id, tr_core(one.label)) for one in self._context.services.sharing.destinations()]

    def _show(self, made: SettingRow) -> None:
        settings, setting = self._context.services.settings, made.setting
        made.show_value(settings.value(setting), default=settings.is_default(setting))
        if setting is declared.IDLE_LOCK:
            never = settings.get(declared.IDLE_LOCK) == declared.NEVER
            warning = tr(
                "Whoever comes to this computer while you are away can see everything, until you lock it yourself ({keys}).",
                keys=words.keys("Ctrl+L"),
            )
            made.say(warning if never else "", "warn")
        elif setting is declared.LOCK_AWAY:
            made.say(self._watch.words())

    def _choose(self, setting: AnySetting, value: object, *, back: bool = False) -> None:
        if setting is declared.REGION:
            self._context.memory.region_asked = True
        if setting is declared.AI_OFF:
            self.ai_switched.emit(bool(value))
        elif isinstance(value, bool | str):
            self._context.tasks.start(self._keeping(setting, value, back))

    async def _keeping(self, setting: AnySetting, value: bool | str, back: bool) -> None:
        settings = self._context.services.settings
        try:
            if back:
                settings.reset(setting)
            elif value != settings.value(setting):
                settings.put(setting, value)
        finally:
            self._show(self.rows[setting.key])

    def _changed(self, key: str) -> None:
        """A setting changed here, or elsewhere in the window."""
        theme, settings = self._context.theme, self._context.services.settings
        if key == declared.REGION.key and self.isVisible():
            self.destinations.refresh()  # other terms count there
        if key == declared.THEME.key:
            theme.choose(settings.get(declared.THEME))
        elif key == declared.TEXT_SIZE.key:
            theme.scale_text(int(settings.get(declared.TEXT_SIZE)))
        if self.isVisible():
            self._show(self.rows[key])

    def _browse(self, setting: AnySetting) -> None:
        self._context.tasks.start(self._browsing(setting), key="folder")

    async def _browsing(self, setting: AnySetting) -> None:
        folder = await choose_folder(self, tr_core(setting.title))
        if folder is not None:
            await self._keeping(setting, str(folder), False)

    # -- vault -----------------------------------------------------------------------------------------------------------------

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
            files = (tr("{name}: {value}", name=fault.file, value=tr_core(fault.what)) for fault in report.files[:3])
            why = " ".join((*(tr_core(fault.what) for fault in report.faults[:3]), *files))
            self._banners.trouble(Explanation(what, why, tr("Restore them from a backup of the vault folder.")))

    def _progress(self, done: int, total: int) -> None:
        self.progress.at(tr("Checked {done} of {total}", done=done, total=total), done, total)
