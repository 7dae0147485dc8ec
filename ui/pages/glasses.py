"""The glasses I paired: how each is right now, and what it can be asked to do. Capabilities decide what is offered, never the family."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from app.events import CaptureArriving, CaptureLost, CaptureSealed, GlassesChanged, GlassesForgotten
from app.glasses.types import GlassesView
from ble.types import Capability, LinkState
from ui import words
from ui.context import Context
from ui.dialogs import ask
from ui.i18n import tr
from ui.pages.pairing import PairingPanel
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import Badge, link_badge
from ui.widgets.banner import Banners
from ui.widgets.basics import button, clear_layout, column, icon_label, label, noted, row
from ui.widgets.empty import Empty
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow
from ui.widgets.switch import Switch

AGE_MS = 30_000
"""How often ages ("4 min ago") are said anew."""


class GlassesCard(QFrame):
    """One known pair, with its live state."""

    def __init__(self, context: Context, view: GlassesView, page: GlassesPage) -> None:
        super().__init__()
        self._context = context
        self._page = page
        self.address = view.known.address
        set_role(self, "card")
        self.progress = ProgressRow(context.theme)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID + 4)
        self.setLayout(column(self._rows, self.progress, gap=GRID, margins=(20, 2 * GRID, 20, 2 * GRID)))
        self.show_view(view)

    def show_view(self, view: GlassesView) -> None:
        self._view = view
        focused = self.focusWidget().accessibleName() if self.isAncestorOf(self.focusWidget() or self) and self.focusWidget() else ""
        clear_layout(self._rows)
        theme, name = self._context.theme, view.known.name
        head = row(icon_label(theme, "glasses", "accent", 28), gap=GRID + 4)
        sub = " · ".join(part for part in (view.info.model if view.info else "", view.known.address) if part)
        head.addLayout(column(label(name, "lead"), label(sub, "small"), gap=0), 1)
        if view.known.simulated:
            head.addWidget(Badge(theme, "simulated", tr("Simulated")))
        head.addWidget(link_badge(theme, view.state))
        self._rows.addLayout(head)
        self._rows.addLayout(self._state_line(view))
        if view.trouble is not None:
            self._rows.addWidget(self._trouble(view))
        self._rows.addLayout(self._acts(view))
        for caution in view.capabilities.cautions if view.capabilities else ():
            self._rows.addLayout(noted(theme, "warning", "warn", caution, "small"))
        self.setAccessibleName(
            tr("{name}, {state}, battery {battery}", name=name, state=words.link(view.state), battery=self._battery(view))
        )
        for widget in self.findChildren(QWidget):
            if focused and widget.accessibleName() == focused:
                widget.setFocus()

    def _battery(self, view: GlassesView) -> str:
        return words.battery(view.status.battery, view.status.battery_at)

    def _state_line(self, view: GlassesView) -> QVBoxLayout:
        theme, status = self._context.theme, view.status
        facts = row(gap=6)
        if view.capabilities is None or view.capabilities.can(Capability.BATTERY):
            facts.addWidget(icon_label(theme, "battery", "muted", 16))
            facts.addWidget(label(tr("Battery {battery}", battery=self._battery(view))))
            facts.addSpacing(2 * GRID)
        facts.addWidget(icon_label(theme, "captures", "muted", 16))
        facts.addWidget(label(tr("{count} received since connecting", count=status.received)))
        if status.damaged:
            facts.addSpacing(2 * GRID)
            facts.addWidget(icon_label(theme, "broken", "warn", 16))
            facts.addWidget(label(tr("{count} arrived damaged", count=status.damaged), tone="warn"))
        facts.addStretch(1)
        return column(facts)

    def _trouble(self, view: GlassesView) -> QWidget:
        assert view.trouble is not None
        said = column(label(view.trouble.what, "strong", wrap=True), gap=2)
        if detail := " ".join(part for part in (view.trouble.why, view.trouble.action) if part):
            said.addWidget(label(detail, wrap=True))
        if view.retry_at is not None:
            said.addWidget(label(tr("Trying again at {time}.", time=words.clock(view.retry_at)), "small"))
        box = QFrame()
        set_role(box, "banner", "warn")
        line = row(icon_label(self._context.theme, "warning", "warn"), gap=GRID + 4, margins=(GRID + 4, GRID, GRID, GRID))
        line.addLayout(said, 1)
        line.addWidget(button(self._context.theme, tr("Try now"), partial(self._page.connect_to, self.address)))
        box.setLayout(line)
        return box

    def _acts(self, view: GlassesView) -> QVBoxLayout:
        theme, can, name = self._context.theme, view.capabilities, view.known.name
        ready = view.state is LinkState.READY
        line = row(gap=GRID)
        if can is None or can.can(Capability.TAKE_PHOTO):
            photo = button(
                theme,
                tr("Take photo"),
                partial(self._page.take_photo, self.address),
                icon="camera",
                name=tr("Take photo with {name}", name=name),
            )
            photo.setEnabled(ready)
            line.addWidget(photo)
        if can is not None and can.can(Capability.CONTINUOUS_CAPTURE):
            every = tr("Capture every {n} s", n=can.interval_seconds) if can.interval_seconds else tr("Capture at intervals")
            switch = Switch(theme, every)
            switch.setAccessibleName(tr("{what}, {name}", what=every, name=name))
            switch.setChecked(view.known.continuous)
            switch.setEnabled(ready)
            switch.clicked.connect(partial(self._page.set_continuous, self.address))
            line.addWidget(switch)
        line.addStretch(1)
        if ready:
            line.addWidget(
                button(
                    theme,
                    tr("Disconnect"),
                    partial(self._page.disconnect_from, self.address),
                    role="quiet",
                    name=tr("Disconnect {name}", name=name),
                )
            )
        elif view.trouble is None:
            connect = button(theme, tr("Connect"), partial(self._page.connect_to, self.address), name=tr("Connect {name}", name=name))
            connect.setEnabled(view.state in (LinkState.IDLE, LinkState.WAITING, LinkState.LOST, LinkState.BLOCKED))
            line.addWidget(connect)
        line.addWidget(
            button(theme, tr("Forget…"), partial(self._page.forget_glasses, view), role="quiet", name=tr("Forget {name}", name=name))
        )
        return column(line)


class GlassesPage(Page):
    """Known glasses, or the pairing panel in their place."""

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Glasses"), scrolls=True)
        self._context = context
        self._banners = banners
        self._cards: dict[str, GlassesCard] = {}
        theme = context.theme
        self._pair = button(theme, tr("Pair glasses"), self.open_pairing, icon="plus", role="primary")
        self.acts.addWidget(self._pair)
        self._list = column(gap=2 * GRID)
        self._list.addStretch(1)
        hint = tr("Pair your glasses, or try everything with simulated ones.")
        start = button(theme, tr("Pair glasses"), self.open_pairing, icon="plus", role="primary")
        self._empty = Empty(theme, "glasses", tr("No glasses yet"), hint, start)
        self.pairing = PairingPanel(context, banners)
        self.pairing.closed.connect(self._show_known)
        self._stack = QStackedWidget()
        self._known = scrolled(self._list)
        for page in (self._known, self._empty, self.pairing):
            self._stack.addWidget(page)
        self.body.addWidget(self._stack, 1)
        self._age = QTimer(self, interval=AGE_MS)
        self._age.timeout.connect(self._refresh)
        for kind, listener in self._listeners():
            context.services.events.subscribe(kind, listener)

    def _listeners(self) -> tuple[tuple[type, Callable[..., None]], ...]:
        return (
            (GlassesChanged, self._changed),
            (GlassesForgotten, self._forgotten),
            (CaptureArriving, self._arriving),
            (CaptureSealed, self._sealed),
            (CaptureLost, self._lost),
        )

    def entered(self) -> None:
        self._refresh()
        self._age.start()
        if self._stack.currentWidget() is not self.pairing:
            self._show_known()

    def forget(self) -> None:
        self._age.stop()
        self.pairing.stop()
        for address in tuple(self._cards):
            self._drop(address)
        self._stack.setCurrentWidget(self._empty)

    def left(self) -> None:
        """Another page came to the front: stop listening on the air."""
        self._age.stop()
        self.pairing.stop()
        self._stack.setCurrentWidget(self._known if self._cards else self._empty)

    def open_pairing(self) -> None:
        self._pair.hide()
        self._stack.setCurrentWidget(self.pairing)
        self.pairing.start()
        self.pairing.first.setFocus()

    def _show_known(self) -> None:
        self.pairing.stop()
        self._refresh()
        self._pair.setVisible(bool(self._cards))
        self._stack.setCurrentWidget(self._known if self._cards else self._empty)

    def _refresh(self) -> None:
        views = {view.known.address: view for view in self._context.services.glasses.known()}
        for address in set(self._cards) - set(views):
            self._drop(address)
        for view in views.values():
            self._put(view)

    def _put(self, view: GlassesView) -> None:
        shown = self._cards.get(view.known.address)
        if shown is not None:
            shown.show_view(view)
            return
        made = self._cards[view.known.address] = GlassesCard(self._context, view, self)
        self._list.insertWidget(self._list.count() - 1, made)

    def _drop(self, address: str) -> None:
        self._cards.pop(address).deleteLater()

    # -- events ----------------------------------------------------------------------------------------------------------------

    def _changed(self, event: GlassesChanged) -> None:
        if not self.isHidden() or self._cards:
            self._put(event.view)
            if self._stack.currentWidget() is self._empty:
                self._show_known()

    def _forgotten(self, event: GlassesForgotten) -> None:
        if event.address in self._cards:
            self._drop(event.address)
        if self._stack.currentWidget() is self._known:
            self._show_known()

    def _arriving(self, event: CaptureArriving) -> None:
        if shown := self._cards.get(event.address):
            text = tr("A capture is arriving, {received}", received=words.size(event.received))
            if event.total:
                text = tr(
                    "A capture is arriving, {received} of {total}", received=words.size(event.received), total=words.size(event.total)
                )
            shown.progress.at(text, event.received, event.total)
            shown.progress.show()

    def _sealed(self, event: CaptureSealed) -> None:
        if shown := self._cards.get(event.address):
            shown.progress.end()

    def _lost(self, event: CaptureLost) -> None:
        if shown := self._cards.get(event.address):
            shown.progress.end()

    # -- acts ------------------------------------------------------------------------------------------------------------------

    def take_photo(self, address: str) -> None:
        self._context.tasks.start(self._photo(address), key=f"photo {address}", again=partial(self.take_photo, address))

    async def _photo(self, address: str) -> None:
        shown = self._cards.get(address)
        if shown is not None:
            shown.progress.at(tr("Asking the glasses for a photo…"), 0, None)
            shown.progress.show()
        try:
            await self._context.services.glasses.take_photo(address)
        finally:
            if (shown := self._cards.get(address)) is not None:
                shown.progress.end()

    def set_continuous(self, address: str, on: bool) -> None:
        self._context.tasks.start(self._continuous(address, on), key=f"continuous {address}")

    async def _continuous(self, address: str, on: bool) -> None:
        try:
            await self._context.services.glasses.set_continuous(address, on)
        finally:
            self._refresh()

    def connect_to(self, address: str) -> None:
        self._context.tasks.start(
            self._context.services.glasses.connect(address), key=f"link {address}", again=partial(self.connect_to, address)
        )

    def disconnect_from(self, address: str) -> None:
        self._context.tasks.start(self._context.services.glasses.disconnect(address), key=f"link {address}")

    def forget_glasses(self, view: GlassesView) -> None:
        self._context.tasks.start(self._forgetting(view), key="forget")

    async def _forgetting(self, view: GlassesView) -> None:
        title = tr("Forget {name}?", name=view.known.name)
        detail = tr("Eyelid stops connecting to these glasses. Captures already here stay in the vault.")
        if await ask(self, title, detail, yes=tr("Forget"), no=tr("Keep")):
            await self._context.services.glasses.forget(view.known.address)
