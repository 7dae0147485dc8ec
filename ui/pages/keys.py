"""The ways into the vault: listed, added, changed and removed. No capture is touched by any of it."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QDialog, QFrame, QPushButton, QVBoxLayout, QWidget

from app.vault.types import KeyringReport, SlotInfo, SlotKind
from ui import words
from ui.context import Context
from ui.dialogs import ask, opened
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import CARD, button, clear_layout, column, hide_if, icon_label, label, row
from ui.widgets.flow import FlowLayout
from ui.widgets.passphrase import PassphraseField
from ui.widgets.recovery import RecoverySheet

WIDE = 60 * GRID


def way(kind: SlotKind) -> str:
    """A key slot as people call it."""
    return {
        SlotKind.PASSPHRASE: tr("Passphrase"),
        SlotKind.KEYRING: tr("Keyring of this computer"),
        SlotKind.RECOVERY: tr("Recovery code on paper"),
    }[kind]


class PassphraseDialog(QDialog):
    """A new passphrase, twice; with `change`, the one it replaces too."""

    def __init__(self, parent: QWidget, context: Context, title: str, *, change: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setModal(True)
        self.setMinimumWidth(WIDE)
        theme = context.theme
        self.old = PassphraseField(theme, tr("The passphrase until now"))
        hide_if(self.old, not change)
        self._change = change
        self.new = PassphraseField(theme, tr("New passphrase"), judge=True)
        self.again = PassphraseField(theme, tr("The new passphrase again"))
        self._differ = label("", tone="bad", wrap=True)
        self.save, cancel = QPushButton(tr("Save")), QPushButton(tr("Cancel"))
        for made in (cancel, self.save):
            set_role(made, "choice")
        self.save.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        lines = column(label(title, "lead", wrap=True), self.old, self.new, self.again, self._differ, gap=2 * GRID)
        lines.addLayout(row(None, cancel, self.save))
        lines.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        self.setLayout(lines)
        for field in (self.old, self.new, self.again):
            field.changed.connect(self._check)
        self._check()
        (self.old if change else self.new).setFocus()

    def _check(self) -> None:
        differ = bool(self.again.text) and self.new.text != self.again.text
        self._differ.setText(tr("The two passphrases differ.") if differ else "")
        ready = self.new.long_enough and self.new.text == self.again.text and (bool(self.old.text) or not self._change)
        self.save.setEnabled(ready)

    def accept(self) -> None:
        if self.save.isEnabled():
            super().accept()


class RecoveryDialog(QDialog):
    """Shows a new code until it was typed back in part; closing it any other way means that nobody has the code."""

    def __init__(self, parent: QWidget, context: Context, code: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Recovery code"))
        self.setModal(True)
        self.setMinimumWidth(72 * GRID)
        self.sheet = RecoverySheet(context)
        self.sheet.confirmed.connect(self.accept)
        self.sheet.skipped.connect(self.reject)
        self.setLayout(column(self.sheet, margins=(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)))
        self.sheet.show_code(code)


class KeysCard(QFrame):
    """Works while unlocked; the vault itself refuses to lose its last way in."""

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__()
        set_role(self, "card")
        self._context = context
        self._banners = banners
        theme = context.theme
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID)
        self._one = label(tr("There is only one. Add another, so that losing it does not lose the captures."), tone="warn", wrap=True)
        self.passphrase = button(theme, tr("Add a passphrase…"), self.add_passphrase, icon="plus")
        self.recovery = button(theme, tr("Make a recovery code…"), self.add_recovery, icon="plus")
        self.keyring = button(theme, tr("Add the keyring of this computer"), self.add_keyring, icon="plus")
        self._keyring_text = label("", "small", wrap=True)
        adds = FlowLayout(self.recovery, self.passphrase, self.keyring)
        parts = (label(tr("Ways to open the vault"), "lead", wrap=True), self._rows, self._one, adds, self._keyring_text)
        self.setLayout(column(*parts, gap=GRID + 4, margins=CARD))

    def refresh(self) -> None:
        """List the ways there are now, and look at the keyring."""
        clear_layout(self._rows)
        slots = self._context.services.vault.slots()
        for number, slot in enumerate(slots, 1):
            self._rows.addLayout(self._line(number, slot))
        self._one.setVisible(len(slots) == 1)
        self.keyring.setVisible(all(slot.kind is not SlotKind.KEYRING for slot in slots))
        self._context.tasks.start(self._look(), key="keyring", on_error=lambda said: self._keyring_text.setText(words.explained(said)))

    async def _look(self) -> None:
        report: KeyringReport = await self._context.services.vault.keyring_report()
        self.keyring.setEnabled(report.trusted)
        self._keyring_text.setText(tr_core(report.text))

    def _line(self, number: int, slot: SlotInfo) -> QVBoxLayout:
        theme, name = self._context.theme, way(slot.kind)
        made = tr("made on {date}", date=words.short_day(slot.created_at))
        line = row(icon_label(theme, "key", "muted"), gap=GRID + 4)
        line.addLayout(column(label(name, "strong"), label(made, "small", wrap=True), gap=0), 1)
        if slot.kind is SlotKind.PASSPHRASE:
            change = tr("Change passphrase {n}", n=number)
            line.addWidget(button(theme, tr("Change…"), self.change_passphrase, role="quiet", name=change))
        remove = tr("Remove way {n}, {name}", n=number, name=name)
        line.addWidget(button(theme, tr("Remove…"), partial(self.remove, slot), role="quiet", name=remove))
        return column(line)

    def forget(self) -> None:
        clear_layout(self._rows)
        self._context.tasks.cancel("keyring")

    # -- what can be done ------------------------------------------------------------------------------------------------------

    def add_passphrase(self) -> None:
        self._context.tasks.start(self._adding_passphrase(), key="keys", then=self._again)

    def change_passphrase(self) -> None:
        self._context.tasks.start(self._changing(), key="keys", then=self._again)

    def add_keyring(self) -> None:
        self._context.tasks.start(self._adding_keyring(), key="keys", then=self._again)

    def add_recovery(self) -> None:
        self._context.tasks.start(self._adding_recovery(), key="keys", then=self._again)

    def remove(self, slot: SlotInfo) -> None:
        self._context.tasks.start(self._removing(slot), key="keys", then=self._again)

    def _again(self) -> None:
        if self.isVisible():
            self.refresh()

    async def _adding_passphrase(self) -> None:
        dialog = await opened(PassphraseDialog(self, self._context, tr("Add a passphrase"), change=False))
        if dialog.result() == QDialog.DialogCode.Accepted:
            await self._context.services.vault.add_passphrase(dialog.new.text)
            self._banners.good(tr("The passphrase was added."))

    async def _changing(self) -> None:
        dialog = await opened(PassphraseDialog(self, self._context, tr("Change the passphrase"), change=True))
        if dialog.result() == QDialog.DialogCode.Accepted:
            await self._context.services.vault.change_passphrase(dialog.old.text, dialog.new.text)
            self._banners.good(tr("The passphrase was changed. A copy of the vault made before still opens with the old one."))

    async def _adding_keyring(self) -> None:
        await self._context.services.vault.add_keyring()
        self._banners.good(tr("The keyring of this computer opens the vault now."))

    async def _adding_recovery(self) -> None:
        vault = self._context.services.vault
        slot, code = await vault.add_recovery()
        dialog = await opened(RecoveryDialog(self, self._context, code))
        dialog.sheet.forget()
        if dialog.result() == QDialog.DialogCode.Accepted:
            self._banners.good(tr("The recovery code opens the vault now. Keep the paper away from this computer."))
        else:
            await vault.remove_slot(slot.id)
            self._banners.good(tr("No recovery code was added."))

    async def _removing(self, slot: SlotInfo) -> None:
        title = tr("Remove this way to open the vault?")
        detail = tr("{name}, made on {date}.", name=way(slot.kind), date=words.short_day(slot.created_at))
        more = tr("No capture is touched. A copy of the vault made before still opens with it.")
        if await ask(self, title, f"{detail}\n\n{more}", yes=tr("Remove"), no=tr("Keep")):
            await self._context.services.vault.remove_slot(slot.id)
            self._banners.good(tr("It does not open the vault any more."))
