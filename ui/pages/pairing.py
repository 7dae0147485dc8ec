"""Pairing in the window: one screen for each stage of `app.glasses.pairing_flow`, which decides; nothing is decided here."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut, Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.events import GlassesChanged
from app.glasses.pairing import PairingState, Stage
from app.glasses.pairing_flow import PairingFlow
from app.glasses.types import GlassesView
from ui.context import Context
from ui.i18n import tr
from ui.pages.pairing_link import BeforeScreen, FailedScreen, LinkScreen, ReadyScreen
from ui.pages.pairing_look import LookScreen
from ui.pages.trail import Trail
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import column
from ui.widgets.page import GUTTER, MARGIN

SCAN_SECONDS = 30.0
AGAIN_MS = 5000
"""So long after a search that heard nothing, another begins by itself: whoever switches Bluetooth on need not come back and press."""

_STEPS = {Stage.LOOKING: 0, Stage.CAUTIONS: 1, Stage.CONNECTING: 2, Stage.SECURING: 2, Stage.FAILED: 2, Stage.READY: 3}


class PairingPanel(QWidget):
    """Searches while it is in front. `closed` when the person is done with it; `photo_asked` carries the address of new glasses."""

    closed = Signal()
    photo_asked = Signal(str)

    def __init__(self, context: Context, banners: Banners, look: LookScreen) -> None:
        super().__init__()
        self._context = context
        self._banners = banners
        self._flow: PairingFlow | None = None
        self._stage: Stage | None = None
        theme = context.theme
        self.trail = Trail(theme, (tr("Find"), tr("Before you pair"), tr("Connect"), tr("Ready")))
        self.look = look
        self.before = BeforeScreen(theme, self._agree, self._back)
        self.link = LinkScreen(theme, self._back)
        self.failed = FailedScreen(theme, self._again, self._back)
        self.ready = ReadyScreen(theme, self._photo, self.closed.emit)
        self._stack = QStackedWidget()
        for screen in (self.look, self.before, self.link, self.failed, self.ready):
            self._stack.addWidget(screen)
        self.setLayout(column(column(self.trail, margins=(0, 0, MARGIN - GUTTER, 0)), self._stack, gap=12))
        self._retry = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._retry.timeout.connect(self._search_on)
        self.look.left.connect(self.closed)
        self.look.chosen.connect(self.choose)
        self.look.again.connect(self._again)
        self.look.simulate.connect(self._simulate)
        self.link.answered.connect(self._answer)
        self.ready.renamed.connect(self._rename)
        context.services.events.subscribe(GlassesChanged, self._glasses_changed)
        back = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        back.activated.connect(self._escape)

    @property
    def state(self) -> PairingState:
        return self._flow.state if self._flow is not None else PairingState()

    # -- begin and end ---------------------------------------------------------------------------------------------------------

    def start(self, wanted: str | None = None) -> None:
        """Begin afresh; with `wanted`, only the glasses of that address are looked for."""
        self.stop()
        if not self.look.offered:
            self._context.tasks.start(self._offering(), key="families")
        self._flow = self._context.services.glasses.pairing(wanted, seconds=SCAN_SECONDS, on_change=self._changed)
        self._flow.start()
        self._changed(self._flow.state)

    def stop(self) -> None:
        """Leave: what is under way is broken off, and nothing is enrolled that was not."""
        self._retry.stop()
        flow, self._flow = self._flow, None
        if flow is not None:
            self._context.tasks.start(flow.close())
        self._stage = None
        self.look.forget()
        self.link.end()
        self._stack.setCurrentWidget(self.look)
        self.trail.show_step(0)

    async def _offering(self) -> None:
        """What can be simulated; asking for it loads a whole Bluetooth stack, so that happens beside the screen."""
        families = await asyncio.get_running_loop().run_in_executor(None, self._context.services.glasses.simulated_families)
        self.look.offer(families)

    # -- what the flow says ----------------------------------------------------------------------------------------------------

    def _changed(self, state: PairingState) -> None:
        if self._flow is None or state.stage is Stage.CLOSED:
            return
        fresh = state.stage is not self._stage or bool(state.code) != (self.link.first is self.link.differs)
        self._stage = state.stage
        self.trail.show_step(_STEPS[state.stage])
        self._show(state)
        if fresh and self.isVisible():
            self._arrive()

    def _show(self, state: PairingState) -> None:
        if state.stage is Stage.LOOKING:
            self.look.show_state(state)
            self._stack.setCurrentWidget(self.look)
            idle = not state.searching and not state.found
            (self._retry.start if idle else self._retry.stop)()
        elif state.stage is Stage.CAUTIONS:
            self.before.show_state(state)
            self._stack.setCurrentWidget(self.before)
        elif state.stage in (Stage.CONNECTING, Stage.SECURING):
            self.link.show_state(state)
            self._stack.setCurrentWidget(self.link)
        elif state.stage is Stage.FAILED:
            self.failed.show_state(state)
            self._stack.setCurrentWidget(self.failed)
        elif (view := self._paired()) is not None:
            self.ready.show_ready(view)
            self._stack.setCurrentWidget(self.ready)

    def _arrive(self) -> None:
        """Take the focus along to the new screen, and say where one is."""
        screen = self._stack.currentWidget()
        if isinstance(screen, LookScreen):
            screen.first_choice().setFocus()
            announce(self, self.trail.words)
        elif isinstance(screen, BeforeScreen | LinkScreen | FailedScreen | ReadyScreen):
            screen.first.setFocus()
            announce(self, screen.accessibleName())

    def _paired(self) -> GlassesView | None:
        known = self.state.paired
        views = self._context.services.glasses.known()
        return next((view for view in views if known is not None and view.known.address == known.address), None)

    def _glasses_changed(self, event: GlassesChanged) -> None:
        if self._stage is Stage.READY and (view := self._paired()) is not None:
            self.ready.show_ready(view)

    # -- what the person does --------------------------------------------------------------------------------------------------

    def choose(self, address: str) -> None:
        """Pair the glasses with this address, which were heard."""
        if self._flow is not None:
            self._flow.choose(address)

    def _agree(self) -> None:
        if self._flow is not None:
            self._flow.agree()

    def _answer(self, same: bool) -> None:
        if self._flow is not None:
            self._flow.answer(same)

    def _again(self) -> None:
        if self._flow is not None:
            self._flow.again()

    def _back(self) -> None:
        if self._flow is not None:
            self._flow.back()

    def _escape(self) -> None:
        if self._stage in (None, Stage.LOOKING, Stage.READY):
            self.closed.emit()
        else:
            self._back()

    def _search_on(self) -> None:
        if self.isVisible() and self.state.stage is Stage.LOOKING and not self.state.found:
            self._again()

    def _photo(self) -> None:
        known = self.state.paired
        self.closed.emit()
        if known is not None:
            self.photo_asked.emit(known.address)

    def _rename(self, name: str) -> None:
        known = self.state.paired
        if known is not None:
            self._context.tasks.start(self._context.services.glasses.rename(known.address, name), key="rename")

    def _simulate(self, family: str) -> None:
        self._context.tasks.start(self._simulating(family), key="simulate")

    async def _simulating(self, family: str) -> None:
        await self._context.services.glasses.start_simulated(family)
        self.start()
