"""The two pages outside the vault: first run (make a vault) and unlock. Neither shows anything of what is inside."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.errors import Explanation
from app.vault.types import LockState, SlotKind
from ui.context import Context
from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, card, column, label, noted
from ui.widgets.passphrase import PassphraseField

WIDTH = 58 * GRID
WIDEST = 100 * GRID


class Door(QWidget):
    """A card in the middle of an empty window, with room for one message."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        set_role(self, "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.banners = Banners(context.theme)
        self.sheet = QVBoxLayout()
        self.sheet.setSpacing(2 * GRID)
        middle = QWidget()
        set_role(middle, "plain")
        self._middle = middle
        middle.setLayout(column(self.banners, self.sheet, gap=2 * GRID))
        inner = QWidget()
        set_role(inner, "plain")
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle)
        across.addStretch(1)
        inner.setLayout(column(None, across, None, margins=(GRID, 3 * GRID, GRID, 3 * GRID)))
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        self.setLayout(column(area))
        self._resize()
        context.theme.changed.connect(self._resize)

    def _resize(self) -> None:
        """Wider with larger text, within what the smallest window has."""
        self._middle.setFixedWidth(min(self._context.theme.scaled(WIDTH), WIDEST))

    def refused(self, said: Explanation) -> None:
        """Show why it did not work, and let the person try again."""
        self.banners.clear()
        self.banners.trouble(said)
        self.busy(False)

    def busy(self, on: bool) -> None:
        raise NotImplementedError


def _head(context: Context, title: str, text: str) -> QWidget:
    mark = QLabel()
    mark.setPixmap(context.theme.app_pixmap(64, mark.devicePixelRatioF()))
    heading, words = label(title, "display", wrap=True), label(text, tone="muted", wrap=True)
    for line in (mark, heading, words):
        line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    box = QWidget()
    box.setLayout(column(mark, heading, words, gap=GRID))
    return box


class WelcomePage(Door):
    """First run: what Eyelid does and does not protect, and how the vault is to be opened."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        theme = context.theme
        promise = tr("Your captures are kept sealed on this computer. Nothing goes to an AI assistant until you have seen it and said yes.")
        self._first = PassphraseField(theme, tr("Passphrase"), judge=True)
        self._second = PassphraseField(theme, tr("The same passphrase again"))
        self._keyring = QCheckBox(tr("Also unlock with the keyring of this computer"))
        self._keyring.setAccessibleName(self._keyring.text())
        self._keyring.setEnabled(False)
        self._keyring_text = label(tr("Looking at the keyring of this computer…"), "small", wrap=True)
        self._mismatch = label("", tone="bad", wrap=True)
        self._mismatch.hide()
        self._create = button(theme, tr("Create my vault"), self._make, role="primary")
        self._create.setEnabled(False)
        self.sheet.addWidget(_head(context, tr("Welcome to Eyelid"), promise))
        lost = tr("Nobody can reset it: without it, or the keyring, the captures are lost. Write it down and keep it somewhere safe.")
        self.sheet.addWidget(
            card(
                label(tr("Create your vault"), "lead"),
                self._first,
                self._second,
                self._mismatch,
                label(lost, "small", wrap=True),
                4,
                self._keyring,
                self._keyring_text,
                GRID,
                self._create,
                gap=GRID + 2,
            )
        )
        self.sheet.addWidget(card(self._limits(context), gap=GRID))
        self._first.changed.connect(self._check)
        self._second.changed.connect(self._check)
        self._keyring.toggled.connect(self._check)
        self._first.entered.connect(self._second.setFocus)
        self._second.entered.connect(self._make)

    def _limits(self, context: Context) -> QWidget:
        lines = column(gap=GRID)
        for icon, tone, text in (
            ("good", "good", tr("A stolen laptop, a copied disk or a cloud backup show nothing of your captures.")),
            ("warning", "warn", tr("Someone using this computer while the vault is unlocked can see what you see.")),
            ("warning", "warn", tr("What you send to an assistant is out of your hands. Eyelid tells you first, every time.")),
        ):
            lines.addLayout(noted(context.theme, icon, tone, text))
        box = QWidget()
        box.setLayout(lines)
        return box

    def entered(self) -> None:
        self._first.setFocus()
        self._context.tasks.start(self._look_at_keyring(), key="keyring", on_error=self._no_keyring)

    async def _look_at_keyring(self) -> None:
        report = await self._context.services.vault.keyring_report()
        self._keyring.setEnabled(report.trusted)
        self._keyring_text.setText(report.text)

    def _no_keyring(self, said: Explanation) -> None:
        self._keyring_text.setText(str(said))

    def _check(self) -> None:
        differ = bool(self._second.text) and self._first.text != self._second.text
        self._mismatch.setText(tr("The two passphrases differ."))
        self._mismatch.setVisible(differ)
        self._create.setEnabled(self._ready())

    def _ready(self) -> bool:
        if not self._first.text and not self._second.text:
            return self._keyring.isChecked()
        return self._first.long_enough and self._first.text == self._second.text

    def _make(self) -> None:
        if self._ready() and not self._context.tasks.running("create"):
            self.busy(True)
            self._context.tasks.start(self._creating(), key="create", on_error=self.refused)

    async def _creating(self) -> None:
        await self._context.services.vault.create(self._first.text or None, self._keyring.isChecked())
        self.forget()

    def busy(self, on: bool) -> None:
        self._create.setText(tr("Creating…") if on else tr("Create my vault"))
        self._create.setEnabled(not on and self._ready())

    def forget(self) -> None:
        self._first.clear()
        self._second.clear()
        self.busy(False)


class LockPage(Door):
    """The only thing on the screen while the vault is locked."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        theme = context.theme
        self._field = PassphraseField(theme, tr("Passphrase"))
        self._unlock = button(theme, tr("Unlock"), self._with_passphrase, icon="unlock", role="primary")
        self._by_keyring = button(theme, tr("Unlock with the keyring of this computer"), self._with_keyring, icon="key")
        self.sheet.addWidget(_head(context, tr("Eyelid is locked"), tr("Captures that arrive now are sealed all the same.")))
        self.sheet.addWidget(card(self._field, self._unlock, self._by_keyring, gap=GRID + 4))
        self._field.entered.connect(self._with_passphrase)
        self._field.changed.connect(lambda: self.busy(False))
        self.busy(False)

    def entered(self) -> None:
        kinds = {slot.kind for slot in self._context.services.vault.slots()}
        self._by_keyring.setVisible(SlotKind.KEYRING in kinds)
        by_words = SlotKind.PASSPHRASE in kinds or SlotKind.RECOVERY in kinds
        self._field.setVisible(by_words)
        self._unlock.setVisible(by_words)
        (self._field if by_words else self._by_keyring).setFocus()

    def _with_passphrase(self) -> None:
        if self._field.text:
            self._try(self._field.text)

    def _with_keyring(self) -> None:
        self._try(None)

    def _try(self, passphrase: str | None) -> None:
        if not self._context.tasks.running("unlock"):
            self.busy(True)
            self._context.tasks.start(self._unlocking(passphrase), key="unlock", on_error=self.refused)

    async def _unlocking(self, passphrase: str | None) -> None:
        await self._context.services.vault.unlock(passphrase)
        self.forget()

    def refused(self, said: Explanation) -> None:
        super().refused(said)
        self._field.clear()
        self._field.setFocus()

    def busy(self, on: bool) -> None:
        unlocking = on or self._context.services.vault.state is LockState.UNLOCKING
        self._unlock.setText(tr("Unlocking…") if unlocking else tr("Unlock"))
        self._unlock.setEnabled(not unlocking and bool(self._field.text))
        self._by_keyring.setEnabled(not unlocking)

    def forget(self) -> None:
        self._field.clear()
        self.banners.clear()
        self.busy(False)
