"""The glasses I paired, each in a card, or the pairing panel in their place. What a card asks is carried out here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.events import CaptureArriving, CaptureLost, CaptureSealed, GlassesChanged, GlassesForgotten
from app.glasses.types import GlassesView
from ui import words
from ui.context import Context
from ui.dialogs import ask, ask_name
from ui.i18n import plural, tr
from ui.pages.glasses_card import GlassesCard
from ui.pages.pairing import PairingPanel
from ui.pages.pairing_link import LONGEST_NAME
from ui.pages.pairing_look import LookScreen
from ui.pages.wifi_import import WifiImport
from ui.tokens import GRID
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, column
from ui.widgets.empty import Empty
from ui.widgets.page import Page, scrolled
from ui.widgets.unpaired import OtherGlasses

VOICE_SECONDS = 30
AGE_MS = 30_000
"""How often ages ("4 min ago") are said anew."""


class GlassesPage(Page):
    """Known glasses, or the pairing panel in their place. `import_asked`: for those that do not pair."""

    import_asked = Signal()
    live_asked = Signal(str)

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Glasses"), scrolls=True)
        self._context = context
        self._banners = banners
        self._cards: dict[str, GlassesCard] = {}
        self._imports: dict[str, WifiImport] = {}
        theme = context.theme
        self._pair = button(theme, tr("Pair glasses"), self._open, icon="plus", role="primary")
        self.acts.addWidget(self._pair)
        self._list = column(OtherGlasses(theme, self.import_asked.emit), None, gap=2 * GRID)
        self._stack = QStackedWidget()
        self._known = scrolled(self._list)
        self._stack.addWidget(self._known)
        self.body.addWidget(self._stack, 1)
        self._age = QTimer(self, interval=AGE_MS)
        self._age.timeout.connect(self._refresh)

    def rest(self) -> Iterator[None]:
        theme = self._context.theme
        hint = tr("Pair your glasses, or try everything with simulated ones.")
        start = button(theme, tr("Pair glasses"), self._open, icon="plus", role="primary")
        none = Empty(theme, "glasses", tr("No glasses yet"), hint, start)
        self._empty = scrolled(column(none, OtherGlasses(theme, self.import_asked.emit), gap=2 * GRID))
        self._stack.addWidget(self._empty)
        yield
        look = LookScreen(theme)
        yield
        self.pairing = PairingPanel(self._context, self._banners, look)
        self.pairing.closed.connect(self._show_known)
        self.pairing.photo_asked.connect(self.take_photo)
        yield
        self._stack.addWidget(self.pairing)
        for kind, listener in self._listeners():
            self._context.services.events.subscribe(kind, listener)

    def _listeners(self) -> tuple[tuple[type, Callable[..., None]], ...]:
        return (
            (GlassesChanged, self._changed),
            (GlassesForgotten, self._forgotten),
            (CaptureArriving, self._arriving),
            (CaptureSealed, self._sealed),
            (CaptureLost, self._lost),
        )

    def entered(self) -> None:
        self._age.start()
        if self._stack.currentWidget() is self.pairing:
            self._refresh()
        else:
            self._show_known()

    def forget(self) -> None:
        self._age.stop()
        self.pairing.stop()
        for address in tuple(self._cards):
            self.stop_recording(address)  # nobody is there to see that a microphone is on
            self._drop(address)
        self._turn_to(self._empty)

    def leave(self) -> None:
        """Stop listening on the air."""
        self._age.stop()
        self.pairing.stop()
        self._turn_to(self._known if self._cards else self._empty)

    def _turn_to(self, part: QWidget) -> None:
        self._stack.setCurrentWidget(part)
        self.title.setText(tr("Pair glasses") if part is self.pairing else tr("Glasses"))

    def open_pairing(self, wanted: str | None = None) -> None:
        """Look for glasses to pair; with `wanted`, for those of that address, and say why they are not seen."""
        self._pair.hide()
        self._turn_to(self.pairing)
        self.pairing.start(wanted)
        self.pairing.look.done.setFocus()

    def _open(self) -> None:
        self.open_pairing()

    def _show_known(self) -> None:
        self.pairing.stop()
        self._refresh()
        self._pair.setVisible(bool(self._cards))
        self._turn_to(self._known if self._cards else self._empty)

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
        made = self._cards[view.known.address] = GlassesCard(self._context, view, self, self._import(view))
        self._list.insertWidget(self._list.count() - 2, made)

    def _import(self, view: GlassesView) -> WifiImport:
        """The import of these glasses; one that is under way outlives its card, since it goes on while the vault is locked."""
        address = view.known.address
        if address not in self._imports:
            made = self._imports[address] = WifiImport(self._context, self._banners, address, view.known.name)
            made.ended.connect(self._refresh)
        return self._imports[address]

    def _drop(self, address: str) -> None:
        card = self._cards.pop(address)
        kept = self._imports.get(address)
        if kept is not None and kept.running:
            kept.setParent(self._stack)
        else:
            self._imports.pop(address, None)
        card.hide()
        card.deleteLater()

    # -- events ----------------------------------------------------------------------------------------------------------------

    def _changed(self, event: GlassesChanged) -> None:
        if not self.isHidden() or self._cards:
            self._put(event.view)
            if self._stack.currentWidget() is self._empty:
                self._show_known()

    def _forgotten(self, event: GlassesForgotten) -> None:
        if (running := self._imports.get(event.address)) is not None:
            running.stop()
        self.stop_recording(event.address)
        if event.address in self._cards:
            self._drop(event.address)
        if self._stack.currentWidget() is self._known:
            self._show_known()

    def _arriving(self, event: CaptureArriving) -> None:
        shown = self._cards.get(event.address)
        over_wifi = self._imports.get(event.address)
        if over_wifi is not None and over_wifi.running:
            over_wifi.arriving(event.received, event.rate)
        elif shown is not None:
            shown.progress.at(self._arrival(event), event.received, event.total)
            shown.progress.show()

    def _arrival(self, event: CaptureArriving) -> str:
        """What is here of how much, how fast, and how long it still takes, as far as each is known."""
        received = words.size(event.received)
        if not event.total:
            return tr("A capture is arriving, {received}", received=received)
        total = words.size(event.total)
        if event.rate and event.seconds_left is not None and event.seconds_left >= 1:
            rate, rest = words.size(int(event.rate)), words.duration(int(event.seconds_left * 1000))
            return tr(
                "A capture is arriving, {received} of {total}, {rate} a second, {left} left",
                received=received,
                total=total,
                rate=rate,
                left=rest,
            )
        return tr("A capture is arriving, {received} of {total}", received=received, total=total)

    def _sealed(self, event: CaptureSealed) -> None:
        if shown := self._cards.get(event.address):
            shown.progress.end()

    def _lost(self, event: CaptureLost) -> None:
        if shown := self._cards.get(event.address):
            shown.progress.end()

    # -- acts ------------------------------------------------------------------------------------------------------------------

    def look_live(self, address: str) -> None:
        """Put a live look together for these glasses."""
        self.live_asked.emit(address)

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

    def record_sound(self, address: str) -> None:
        """No effect while one is recorded already: starting over would cut that one off."""
        if not self._context.tasks.running(f"sound {address}"):
            self._context.tasks.start(self._recording(address), key=f"sound {address}")

    async def _recording(self, address: str) -> None:
        """The microphone is on for this long and no longer; the person sees it, and can stop it."""
        if (shown := self._cards.get(address)) is not None:
            shown.recording.begin(plural(VOICE_SECONDS, "Recording for {count} second…", "Recording for {count} seconds…"))
            announce(shown, shown.recording.text)
        try:
            await self._context.services.glasses.record_sound(address, VOICE_SECONDS)
        finally:
            if (shown := self._cards.get(address)) is not None:
                shown.recording.end()

    def stop_recording(self, address: str) -> None:
        self._context.tasks.cancel(f"sound {address}")

    def set_turn(self, address: str, turn: int | None) -> None:
        self._context.tasks.start(self._turning(address, turn), key=f"turn {address}")

    async def _turning(self, address: str, turn: int | None) -> None:
        try:
            await self._context.services.glasses.set_turn(address, turn)
        finally:
            self._refresh()

    def set_continuous(self, address: str, on: bool) -> None:
        self._context.tasks.start(self._continuous(address, on), key=f"continuous {address}")

    async def _continuous(self, address: str, on: bool) -> None:
        try:
            await self._context.services.glasses.set_continuous(address, on)
        finally:
            self._refresh()

    def set_release(self, address: str, on: bool) -> None:
        self._context.tasks.start(self._releasing(address, on), key="release")

    async def _releasing(self, address: str, on: bool) -> None:
        """Switching it on is asked about once; what it does cannot be undone on the glasses."""
        try:
            title = tr("Remove captures from the glasses once they are safe?")
            detail = tr(
                "Each capture is removed from the glasses only after its sealed copy in the vault was read back and found whole. From then "
                "on the vault is the only place it is kept."
            )
            if not on or await ask(self, title, detail, yes=tr("Remove them once safe"), no=tr("Keep them on the glasses")):
                await self._context.services.glasses.set_release(address, on)
        finally:
            self._refresh()

    def import_from(self, address: str) -> None:
        if (shown := self._cards.get(address)) is not None:
            self._imports[address].ask(simulated=shown.view.known.simulated)
            self._refresh()
            QTimer.singleShot(0, shown, partial(self._known.ensureWidgetVisible, self._imports[address]))

    def rename(self, view: GlassesView) -> None:
        self._context.tasks.start(self._renaming(view), key="rename")

    async def _renaming(self, view: GlassesView) -> None:
        title = tr("Rename {name}", name=view.known.name)
        if name := await ask_name(self, title, tr("New name"), yes=tr("Rename"), longest=LONGEST_NAME):
            await self._context.services.glasses.rename(view.known.address, name)

    def why_unseen(self, address: str) -> None:
        """Look for these glasses only, and say why they are not heard."""
        self.open_pairing(address)

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
