"""Import over the glasses' Wi-Fi, in their card: which network, waiting until this computer is on it, progress, and a way to stop."""

from __future__ import annotations

import asyncio
import contextlib

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QStackedWidget, QWidget

from app.glasses.over_wifi import BrokenOff, Done, Invitation, Looking, Progress, WifiStep
from app.vault.types import LockState
from ui import words
from ui.context import Context
from ui.i18n import plural, tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, column, label, row
from ui.widgets.flow import FlowLayout
from ui.widgets.progress import ProgressRow


class WifiImport(QFrame):
    """Hidden until `ask`; hides itself at the end. `ended` when it is over, however it went."""

    ended = Signal()

    def __init__(self, context: Context, banners: Banners, address: str, name: str) -> None:
        super().__init__()
        self._context = context
        self._banners = banners
        self._address = address
        self._name = name
        self._simulated = False
        self._joined: asyncio.Future[None] | None = None
        self._rate: float | None = None
        self._bytes = 0
        self._last = 0
        self._done: Progress | None = None
        set_role(self, "well")
        self.setAccessibleName(tr("Import over Wi-Fi from {name}", name=name))
        self.progress = ProgressRow(context.theme, self.stop)
        self._stack = QStackedWidget()
        for page in (self._choice(), self._invitation(), self._under_way()):
            self._stack.addWidget(page)
        self.setLayout(column(self._stack, margins=(2 * GRID, GRID + 4, 2 * GRID, GRID + 4)))
        self.hide()

    @property
    def _key(self) -> str:
        return f"wifi {self._address}"

    @property
    def running(self) -> bool:
        return self._context.tasks.running(self._key)

    # -- screens ---------------------------------------------------------------------------------------------------------------

    def _choice(self) -> QWidget:
        theme = self._context.theme
        self.own = button(theme, tr("Over their own Wi-Fi"), lambda: self.begin(own_network=True), role="primary")
        self.shared = button(theme, tr("Over the Wi-Fi that both are on"), lambda: self.begin(own_network=False))
        cancel = button(theme, tr("Cancel"), self.stop, role="quiet", name=tr("Cancel the import from {name}", name=self._name))
        why = tr(
            "Captures come over Wi-Fi, many times as fast as Bluetooth. The glasses open a network of their own, which this computer joins "
            "for as long as it takes; or both are on the same network already. Eyelid talks to the glasses only."
        )
        box = QWidget()
        buttons = FlowLayout(self.own, self.shared, cancel)
        box.setLayout(column(label(tr("How can the glasses be reached?"), "strong"), label(why, tone="muted", wrap=True), buttons))
        return box

    def _invitation(self) -> QWidget:
        theme = self._context.theme
        self.network, self.password = label("", "strong", select=True), label("", "strong", select=True)
        facts = QGridLayout()
        facts.setHorizontalSpacing(2 * GRID)
        for at, (name, value) in enumerate(((tr("Network"), self.network), (tr("Password"), self.password))):
            facts.addWidget(label(name, tone="muted"), at, 0)
            facts.addWidget(value, at, 1, Qt.AlignmentFlag.AlignLeft)
        facts.setColumnStretch(1, 1)
        self.joined = button(theme, tr("This computer is on it"), self._is_joined, icon="check", role="primary")
        cancel = button(theme, tr("Cancel"), self.stop, role="quiet", name=tr("Stop the import from {name}", name=self._name))
        ask = label(tr("Choose this network in the system's Wi-Fi menu, then come back here."), tone="muted", wrap=True)
        box = QWidget()
        head = label(tr("Join the glasses' network"), "strong")
        box.setLayout(column(head, ask, facts, row(self.joined, cancel, None)))
        return box

    def _under_way(self) -> QWidget:
        box = QWidget()
        box.setLayout(column(self.progress))
        return box

    # -- what happens ----------------------------------------------------------------------------------------------------------

    def ask(self, *, simulated: bool) -> None:
        """Let the person choose how; simulated glasses can be reached without."""
        if self.running:
            return
        self._simulated = simulated
        self.show()
        if simulated:
            self.begin(own_network=True)
        else:
            self._stack.setCurrentIndex(0)
            self.own.setFocus()

    def begin(self, *, own_network: bool) -> None:
        self._rate, self._bytes, self._last, self._done = None, 0, 0, None
        self._under_way_with(tr("Asking the glasses to switch their Wi-Fi on…"))
        self._context.tasks.start(self._importing(own_network), key=self._key, then=self._over)

    def stop(self) -> None:
        """Break it off; what arrived is safe."""
        self._context.tasks.cancel(self._key)
        if not self.running:
            self._over()

    async def _importing(self, own_network: bool) -> None:
        steps = self._context.services.glasses.import_over_wifi(self._address, own_network=own_network)
        async with contextlib.aclosing(steps):
            async for step in steps:
                await self._step(step)

    async def _step(self, step: WifiStep) -> None:
        match step:
            case Invitation():
                if not step.simulated:
                    await self._invited(step)
            case Looking():
                self._under_way_with(tr("Looking for the glasses on the network…"))
            case Progress():
                self._done = step
                self._say()
            case Done() | BrokenOff() if self._context.services.vault.state is not LockState.UNLOCKED:
                pass  # nobody is there to read it, and locked means that nothing is told
            case Done():
                self._tell(step)
            case BrokenOff():
                self._banners.trouble(step.explanation, self._retry)

    async def _invited(self, invitation: Invitation) -> None:
        self.network.setText(invitation.name)
        self.network.setAccessibleName(tr("Network {name}", name=invitation.name))
        self.password.setText(invitation.password or tr("no password"))
        self.password.setAccessibleName(tr("Password {letters}", letters=" ".join(invitation.password) or tr("no password")))
        self._stack.setCurrentIndex(1)
        self.joined.setFocus()
        announce(self, tr("Join the network {name}, then press “This computer is on it”.", name=invitation.name))
        self._joined = asyncio.get_running_loop().create_future()
        try:
            await self._joined
        finally:
            self._joined = None
            self.password.clear()
            self.password.setAccessibleName("")

    def _is_joined(self) -> None:
        if self._joined is not None and not self._joined.done():
            self._joined.set_result(None)

    def arriving(self, received: int, rate: float | None) -> None:
        """`received` bytes of the capture that is on its way are here, at `rate` bytes a second."""
        self._bytes += received - self._last if received >= self._last else received
        self._last = received
        self._rate = rate or self._rate
        self._say()

    def _say(self) -> None:
        if self._done is None or self.isHidden():
            return
        done, total = self._done.done, self._done.total
        text = tr("{done} of {total} captures are here", done=done, total=total)
        if rate := self._rate:
            text = tr("{what}, {rate} a second", what=text, rate=words.size(int(rate)))
            if done and (left := self._bytes * (total - done) / done / rate) >= 1:
                text = tr("{what}, {time} left", what=text, time=words.duration(int(left * 1000)))
        self._stack.setCurrentIndex(2)
        self.progress.at(text, done, total or None)

    def _under_way_with(self, text: str) -> None:
        self._stack.setCurrentIndex(2)
        self.progress.begin(text)

    def _tell(self, done: Done) -> None:
        said = plural(
            done.brought, "{count} new capture came in from {name}.", "{count} new captures came in from {name}.", name=self._name
        )
        if not done.brought and not done.failed:
            said = tr("Everything on {name} is in the vault already.", name=self._name)
        if done.failed:
            rest = plural(done.failed, "{count} could not be fetched; import again.", "{count} could not be fetched; import again.")
            said = tr("{first} {second}", first=said, second=rest)
        self._banners.good(said)

    def _retry(self) -> None:
        self.ask(simulated=self._simulated)

    def _over(self) -> None:
        if not self.running:
            self.progress.end()
            self.hide()
            self.ended.emit()
