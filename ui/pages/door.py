"""What stands before the vault: a card in an empty window, and the page that unlocks. Neither shows anything of what is inside."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QSpacerItem, QVBoxLayout, QWidget

from app.errors import Explanation
from app.vault.types import LockState, SlotKind
from ui.context import Context
from ui.i18n import tr
from ui.tasks import Work
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, card, column, label, row
from ui.widgets.passphrase import PassphraseField

WIDTH = 66 * GRID
WIDEST = 100 * GRID
ROOMY = 90 * GRID
"""Height from which on there is room to spare."""


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
        self._above: QSpacerItem | None = None
        self._upright = column(None, across, None, margins=(GRID, 3 * GRID, GRID, 3 * GRID))
        inner.setLayout(self._upright)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        self.setLayout(column(area))
        self._resize()
        context.theme.changed.connect(self._resize)

    def stand_at_top(self) -> None:
        """For what changes its height: the head stays where it is, a little below the top where there is room."""
        self._upright.setStretch(0, 0)
        self._above = QSpacerItem(0, 7 * GRID)
        self._upright.insertSpacerItem(0, self._above)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._above is not None:
            self._above.changeSize(0, 7 * GRID if self.height() >= ROOMY else 0)
            self._upright.invalidate()

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


def head(context: Context, title: str, text: str) -> QWidget:
    """Mark, title and one sentence, in the middle."""
    mark = QLabel()
    mark.setPixmap(context.theme.app_pixmap(64, mark.devicePixelRatioF()))
    heading, words = label(title, "display", wrap=True), label(text, tone="muted", wrap=True)
    for line in (mark, heading, words):
        line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    box = QWidget()
    box.setLayout(column(mark, heading, words, gap=GRID))
    return box


class LockPage(Door):
    """The only thing on the screen while the vault is locked."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        theme = context.theme
        self._field = PassphraseField(theme, tr("Passphrase"))
        self._unlock = button(theme, tr("Unlock"), self._with_passphrase, icon="unlock", role="primary")
        self._by_keyring = button(theme, tr("Unlock with the keyring of this computer"), self._with_keyring, icon="key")
        self.sheet.addWidget(head(context, tr("Eyelid is locked"), tr("Captures that arrive now are sealed all the same.")))
        self._recover = button(theme, tr("Use the recovery code"), self._ask_code, role="link")
        self._usual = card(self._field, self._unlock, self._by_keyring, row(None, self._recover, None), gap=GRID + 4)
        self.sheet.addWidget(self._usual)
        self.sheet.addWidget(self._code_card())
        self._field.entered.connect(self._with_passphrase)
        self._field.changed.connect(lambda: self.busy(False))
        self.busy(False)

    def _code_card(self) -> QFrame:
        theme = self._context.theme
        self.code = QLineEdit()
        self.code.setAccessibleName(tr("Recovery code"))
        self.code.setPlaceholderText(tr("13 groups of five letters and digits"))
        self.code.setMaxLength(200)
        self.code.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self.code.returnPressed.connect(self._with_code)
        self.code.textChanged.connect(lambda _text: self.busy(False))
        title = label(tr("Recovery code"), "strong")
        title.setBuddy(self.code)
        hint = tr("Capital or small letters, with or without hyphens. If something is mistyped, Eyelid says in which group.")
        self._open = button(theme, tr("Unlock with the recovery code"), self._with_code, icon="unlock", role="primary")
        back = button(theme, tr("Other ways to unlock"), self.entered, role="link")
        self._coded = card(title, self.code, label(hint, "small", wrap=True), self._open, row(None, back, None), gap=GRID + 4)
        self._coded.hide()
        return self._coded

    def entered(self) -> None:
        kinds = {slot.kind for slot in self._context.services.vault.slots()}
        self.code.clear()
        self._coded.hide()
        self._usual.show()
        self._recover.setVisible(SlotKind.RECOVERY in kinds)
        self._by_keyring.setVisible(SlotKind.KEYRING in kinds)
        by_words = SlotKind.PASSPHRASE in kinds
        self._field.setVisible(by_words)
        self._unlock.setVisible(by_words)
        (self._field if by_words else self._by_keyring if SlotKind.KEYRING in kinds else self._recover).setFocus()

    def _ask_code(self) -> None:
        self.banners.clear()
        self._usual.hide()
        self._coded.show()
        self.code.setFocus()

    def _with_code(self) -> None:
        if self.code.text().strip():
            self._try(self._context.services.vault.unlock_with_recovery(self.code.text()))

    def _with_passphrase(self) -> None:
        if self._field.text:
            self._try(self._context.services.vault.unlock(self._field.text))

    def _with_keyring(self) -> None:
        self._try(self._context.services.vault.unlock(None))

    def _try(self, unlocking: Work) -> None:
        if self._context.tasks.running("unlock"):
            unlocking.close()
            return
        self.busy(True)
        self._context.tasks.start(self._unlocking(unlocking), key="unlock", on_error=self.refused)

    async def _unlocking(self, unlocking: Work) -> None:
        await unlocking
        self.forget()

    def refused(self, said: Explanation) -> None:
        """A passphrase is typed anew; a code is mended where it is wrong."""
        super().refused(said)
        self._field.clear()
        (self.code if self._usual.isHidden() else self._field).setFocus()

    def busy(self, on: bool) -> None:
        unlocking = on or self._context.services.vault.state is LockState.UNLOCKING
        self._unlock.setText(tr("Unlocking…") if unlocking else tr("Unlock"))
        self._unlock.setEnabled(not unlocking and bool(self._field.text))
        self._by_keyring.setEnabled(not unlocking)
        self._open.setText(self._unlock.text() if unlocking else tr("Unlock with the recovery code"))
        self._open.setEnabled(not unlocking and bool(self.code.text().strip()))

    def forget(self) -> None:
        self._field.clear()
        self.code.clear()
        self.banners.clear()
        self.busy(False)
