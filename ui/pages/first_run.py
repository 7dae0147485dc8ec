"""First run, in five short steps: what Eyelid protects, the vault, its key, Bluetooth, glasses. All but the vault can be skipped.

What was not done yet is offered again after the next unlock, until it was done or skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.errors import Explanation
from app.vault.types import KeyringReport, LockState, SlotKind
from ui import words
from ui.context import Context
from ui.dialogs import choose_folder
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.pages.door import Door, head
from ui.pages.trail import Trail
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import Part, button, card, column, hide_if, label, noted, row
from ui.widgets.flow import FlowLayout
from ui.widgets.passphrase import PassphraseField
from ui.widgets.progress import ProgressRow
from ui.widgets.recovery import RecoverySheet
from ui.widgets.told import Told

PROTECTS, VAULT, KEY, BLUETOOTH, GLASSES = range(5)


def step_names() -> tuple[str, ...]:
    """In their order; short, so that all stand in one line."""
    return (tr("Protection"), tr("Vault"), tr("Key"), tr("Bluetooth"), tr("Glasses"))


class WelcomePage(Door):
    """`finished` when the person may go in, `pair_asked` when that is to be by the pairing page.

    Until then `engaged` is true, though the vault may be unlocked already.
    """

    finished = Signal()
    pair_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._theme = context.theme
        self.engaged = False
        self.trail = Trail(self._theme, step_names())
        promise = tr("Your captures are kept sealed on this computer. Nothing goes to an AI assistant until you have seen it and said yes.")
        self._head = head(context, tr("Welcome to Eyelid"), promise)
        self.recovery = RecoverySheet(context)
        self.recovery.confirmed.connect(self._has_code)
        self.recovery.skipped.connect(self._without)
        self._code_card = card(self.recovery)
        self._steps = [self._protects(), self._vault_step(), self._key_step(), self._bluetooth_step(), self._glasses_step()]
        self.sheet.addWidget(self._head)
        self.sheet.addLayout(row(None, self.trail, None))
        for step in (*self._steps, self._code_card):
            self.sheet.addWidget(step)
        self.stand_at_top()
        self._go(PROTECTS)

    # -- the steps -------------------------------------------------------------------------------------------------------------

    def _card(self, title: str, text: str, *parts: Part) -> QFrame:
        return card(label(title, "lead", wrap=True), label(text, tone="muted", wrap=True), *parts, gap=GRID + 4)

    def _foot(self, forward: QWidget, back: int | None, *, skip: bool = True) -> QHBoxLayout:
        """What goes on stands first, so that it is first for the keyboard too."""
        steps = FlowLayout(forward)
        if back is not None:
            steps.addWidget(button(self._theme, tr("Back"), lambda: self._go(back), role="quiet"))
        line = row(gap=GRID, margins=(0, GRID, 0, 0))
        line.addLayout(steps, 1)
        if skip:
            line.addWidget(button(self._theme, tr("Skip the rest"), self._done, role="link"))
        return line

    def _protects(self) -> QFrame:
        lines = column(gap=GRID)
        for icon, tone, text in (
            ("good", "good", tr("A stolen laptop, a copied disk or a cloud backup show nothing of your captures.")),
            ("good", "good", tr("Before anything goes to an AI you see exactly what, to whom, and whether it may train on it.")),
            ("warning", "warn", tr("Someone using this computer while the vault is unlocked can see what you see.")),
            ("warning", "warn", tr("What you send to an assistant is out of your hands. Eyelid tells you first, every time.")),
        ):
            lines.addLayout(noted(self._theme, icon, tone, text))
        self._onward = button(self._theme, tr("Continue"), lambda: self._go(VAULT), role="primary")
        text = tr("There is no account, and nothing is reported to anybody.")
        return self._card(tr("What Eyelid does and does not protect"), text, lines, self._foot(self._onward, None, skip=False))

    def _vault_step(self) -> QFrame:
        theme = self._theme
        self._first = PassphraseField(theme, tr("Passphrase"), judge=True)
        self._second = PassphraseField(theme, tr("The same passphrase again"))
        self._mismatch = label(tr("The two passphrases differ."), tone="bad", wrap=True)
        hide_if(self._mismatch, True)
        self._create = button(theme, tr("Create my vault"), self._make, role="primary")
        self._create.setEnabled(False)
        self._keyring_only = button(theme, tr("Use only the keyring of this computer"), self._make_with_keyring, role="link")
        hide_if(self._keyring_only, True)
        self._restore = button(theme, tr("I have a backup…"), self._restore_backup, role="link")
        self.progress = ProgressRow(theme, lambda: self._context.tasks.cancel("restore"))
        self._first.changed.connect(self._check)
        self._second.changed.connect(self._check)
        self._first.entered.connect(self._second.setFocus)
        self._second.entered.connect(self._make)
        text = tr("Nobody can reset the passphrase: without it, or another way in, the captures are lost. Several words make a good one.")
        fields: tuple[Part, ...] = (self._first, self._second, self._mismatch)
        others = row(self._restore, self._keyring_only, None)
        foot = self._foot(self._create, PROTECTS, skip=False)
        return self._card(tr("Create your vault"), text, *fields, foot, others, self.progress)

    def _key_step(self) -> QFrame:
        self._keyring_text = label(tr("Looking at the keyring of this computer…"), wrap=True)
        self._where = label("", tone="muted", wrap=True, select=True)
        self._keyring_told = Told(self._theme)
        self._add_keyring = button(self._theme, tr("Also unlock with the keyring"), self._adding_keyring, icon="key")
        self._key_on = button(self._theme, tr("Continue"), lambda: self._go(BLUETOOTH), role="primary")
        text = tr(
            "The key that opens your captures lies in the vault's folder, itself sealed: once with your passphrase, once with the recovery "
            "code. The keyring of this computer can be another way in, so that you need not type the passphrase here."
        )
        foot = self._foot(self._key_on, None)
        keyring = row(self._add_keyring, None)
        return self._card(tr("Where the key lies"), text, self._where, self._keyring_text, keyring, self._keyring_told, foot)

    def _bluetooth_step(self) -> QFrame:
        self.bluetooth = Told(self._theme)
        self._radio = button(self._theme, tr("Allow and check Bluetooth"), self._check_radio, icon="signal-3")
        self._radio_on = button(self._theme, tr("Continue"), lambda: self._go(GLASSES), role="primary")
        text = tr(
            "Your glasses talk to this computer over Bluetooth. Eyelid uses it to find your pairs and to fetch their captures; it "
            "connects to nothing else, and never uses it to find out where you are. The system may ask you to allow it."
        )
        return self._card(
            tr("Why Eyelid asks for Bluetooth"), text, row(self._radio, None), self.bluetooth, self._foot(self._radio_on, KEY)
        )

    def _glasses_step(self) -> QFrame:
        self._pair = button(self._theme, tr("Pair or try glasses"), self._pairing, icon="glasses", role="primary")
        later = button(self._theme, tr("Later"), self._done)
        text = tr(
            "Pair your glasses, or switch on simulated ones: they behave like real ones over a virtual radio, so that you can try "
            "everything, and their photos are marked."
        )
        foot = self._foot(self._pair, BLUETOOTH, skip=False)
        foot.addWidget(later)
        return self._card(tr("Your glasses"), text, foot)

    # -- going from one to the next --------------------------------------------------------------------------------------------

    def _go(self, step: int) -> None:
        """Show one step, and remember from which on there is something left to do."""
        self.banners.clear()
        self._code_card.hide()
        for number, shown in enumerate(self._steps):
            shown.setVisible(number == step)
        self.trail.show_step(step)
        self.at = step
        if step >= KEY:
            self.engaged = True
            self._context.memory.first_run = step
        if step in (VAULT, KEY):
            self._context.tasks.start(self._look_at_keyring(), key="keyring", on_error=self._no_keyring)
        if self.isVisible():
            self._arrive()

    def _arrive(self) -> None:
        first: dict[int, QWidget] = {
            PROTECTS: self._onward,
            VAULT: self._first,
            KEY: self._key_on,
            BLUETOOTH: self._radio,
            GLASSES: self._pair,
        }
        first[self.at].setFocus()
        announce(self, self.trail.words)

    def entered(self) -> None:
        self._go(PROTECTS)
        self._arrive()

    def resume(self) -> None:
        """Go on where the person was when the vault locked, or the window was closed."""
        self.engaged = True
        self._go(min(GLASSES, self._context.memory.first_run))

    def _done(self) -> None:
        self._context.memory.first_run = 0
        self.forget()
        self.finished.emit()

    def _pairing(self) -> None:
        self._done()
        self.pair_asked.emit()

    # -- the vault -------------------------------------------------------------------------------------------------------------

    async def _look_at_keyring(self) -> None:
        self._say_keyring(await self._context.services.vault.keyring_report())

    def _say_keyring(self, report: KeyringReport) -> None:
        vault = self._context.services.vault
        made = vault.state is not LockState.ABSENT
        has = made and any(slot.kind is SlotKind.KEYRING for slot in vault.slots())
        self._keyring_text.setText(tr_core(report.text))
        self._keyring_only.setVisible(report.trusted)
        self._add_keyring.setVisible(report.trusted and made and not has)
        self._where.setText(tr("The vault is the folder {folder}.", folder=str(self._context.services.profile.vault)))
        if has:
            self._keyring_told.say(tr("The keyring of this computer opens the vault."), "good")

    def _no_keyring(self, said: Explanation) -> None:
        self._keyring_text.setText(words.explained(said))
        self._keyring_only.hide()
        self._add_keyring.hide()

    def _adding_keyring(self) -> None:
        self._context.tasks.start(self._keyring_added(), key="add keyring", on_error=self._keyring_told.trouble)

    async def _keyring_added(self) -> None:
        await self._context.services.vault.add_keyring()
        await self._look_at_keyring()

    def _check(self) -> None:
        self._mismatch.setVisible(bool(self._second.text) and self._first.text != self._second.text)
        self._create.setEnabled(self._ready())

    def _ready(self) -> bool:
        return self._first.long_enough and self._first.text == self._second.text

    def _make(self) -> None:
        if self._ready():
            self._begin(lambda: (self._first.text, False))

    def _make_with_keyring(self) -> None:
        self._begin(lambda: (None, True))

    def _begin(self, ways: Callable[[], tuple[str | None, bool]]) -> None:
        if not self._context.tasks.running("create"):
            self.busy(True)
            self._context.tasks.start(self._creating(*ways()), key="create", on_error=self._not_made)

    async def _creating(self, passphrase: str | None, keyring: bool) -> None:
        self.engaged = True
        try:
            code = await self._context.services.vault.create(passphrase, keyring, recovery=True)
        except BaseException:
            self.engaged = False
            raise
        self._first.clear()
        self._second.clear()
        self._context.memory.first_run = KEY
        if code is None:
            self._has_code()
        else:
            self._show(code)

    def _not_made(self, said: Explanation) -> None:
        if self._context.services.vault.state is LockState.ABSENT:
            self.refused(said)
        else:
            self._context.tasks.failed.emit(said, None)
            self._done()

    def _show(self, code: str) -> None:
        for step in self._steps:
            step.hide()
        self._code_card.show()
        self.recovery.show_code(code)
        self.busy(False)

    def _has_code(self) -> None:
        self.recovery.forget()
        self._go(KEY)

    def _without(self) -> None:
        self._context.tasks.start(self._removing_code(), key="recovery", then=self._has_code)

    async def _removing_code(self) -> None:
        """A code that nobody has is no way in, and must not be listed as one."""
        vault = self._context.services.vault
        for slot in vault.slots():
            if slot.kind is SlotKind.RECOVERY:
                await vault.remove_slot(slot.id)

    def _restore_backup(self) -> None:
        self._context.tasks.start(self._restoring(), key="restore", on_error=self.refused, then=self.progress.end)

    async def _restoring(self) -> None:
        folder: Path | None = await choose_folder(self, tr("Choose the folder of the backup"))
        if folder is not None:
            self.progress.begin(tr("Copying the backup…"))
            await self._context.services.vault.restore(folder, self._copied)

    def _copied(self, done: int, total: int) -> None:
        self.progress.at(tr("Copied {done} of {total}", done=done, total=total), done, total)

    # -- Bluetooth -------------------------------------------------------------------------------------------------------------

    def _check_radio(self) -> None:
        self.bluetooth.say(tr("Listening for a moment…"))
        self._radio.setEnabled(False)
        self._context.tasks.start(self._checking_radio(), key="radio", on_error=self._no_radio, then=self._radio_checked)

    async def _checking_radio(self) -> None:
        await self._context.services.glasses.check_radio()
        self.bluetooth.say(tr("Bluetooth works."), "good")
        self._radio_on.setFocus()

    def _no_radio(self, said: Explanation) -> None:
        self.bluetooth.trouble(said)

    def _radio_checked(self) -> None:
        self._radio.setEnabled(True)

    # -- as every door ---------------------------------------------------------------------------------------------------------

    def busy(self, on: bool) -> None:
        self._create.setText(tr("Creating…") if on else tr("Create my vault"))
        self._create.setEnabled(not on and self._ready())

    def forget(self) -> None:
        self.engaged = False
        self._first.clear()
        self._second.clear()
        self.recovery.forget()
        self._code_card.hide()
        self.bluetooth.say("")
        self.busy(False)
