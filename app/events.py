"""What happened, told to whoever listens: typed events and the hub that delivers them on one event loop.

The hub owns no state but its listeners. Rooms publish; the window, the command line and tests subscribe.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # whoever listens has read these already; a window that is locked needs none of them
    from app.errors import Explanation
    from app.glasses.types import GlassesView
    from app.sharing.grants import Grant, GrantEnded
    from app.sharing.live_types import LiveView
    from app.sharing.types import Receipt
    from app.vault.types import ItemId, LockState, Notice


@dataclass(frozen=True, slots=True)
class VaultChanged:
    state: LockState


@dataclass(frozen=True, slots=True)
class VaultNotice:
    """The vault differs from when this computer last saw it; serious notices stay until accepted (`VaultDesk.accept_notices`)."""

    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class ItemsAdded:
    """Captures that are sealed, indexed and can be shown."""

    ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class ItemsChanged:
    ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class ItemsRemoved:
    ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class PreviewsMade:
    """How far the thumbnails are that are made in the background; at the end `done` is `total`."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CaptureSealed:
    """A capture arrived and is safe in the vault; sent while locked too, so it says no more than that."""

    address: str


@dataclass(frozen=True, slots=True)
class GlassesChanged:
    view: GlassesView


@dataclass(frozen=True, slots=True)
class GlassesForgotten:
    address: str


@dataclass(frozen=True, slots=True)
class CaptureArriving:
    """`received` of `total` bytes of a capture are here; `total` is None where the glasses do not say.

    `rate` is in bytes a second, a moving average; it and `seconds_left` are None as long as they can't be told.
    """

    address: str
    received: int
    total: int | None
    rate: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class CaptureLost:
    """A capture arrived damaged."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiptAdded:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class GrantsChanged:
    """`grants` stand now; `ended` no longer do, since the last of these events."""

    grants: tuple[Grant, ...]
    ended: tuple[GrantEnded, ...]


@dataclass(frozen=True, slots=True)
class LiveChanged:
    """How a live look goes: after each frame, piece of an answer, and at its end."""

    view: LiveView


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person should know that no call is waiting for."""

    explanation: Explanation


E = TypeVar("E")


class EventHub:
    """Delivers events on the loop that made it, in the order published, whichever thread publishes.

    Listeners that are bound methods are held weakly, so a closed page needs no unsubscribing.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listeners: dict[type, list[Callable[[], Callable[[Any], None] | None]]] = {}

    def subscribe(self, kind: type[E], listener: Callable[[E], None]) -> Callable[[], None]:
        """Call `listener` with each event of exactly this type; returns what ends the subscription."""
        ref: Callable[[], Callable[[E], None] | None]
        ref = weakref.WeakMethod(listener) if inspect.ismethod(listener) else (lambda: listener)
        self._listeners.setdefault(kind, []).append(ref)

        def end() -> None:
            refs = self._listeners.get(kind, [])
            if ref in refs:
                refs.remove(ref)

        return end

    def publish(self, event: object) -> None:
        """Deliver `event` soon; safe from any thread. After the loop has closed it is a no-op."""
        with contextlib.suppress(RuntimeError):  # asked before, the loop could still close in between
            self._loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: object) -> None:
        refs = self._listeners.get(type(event), [])
        for ref in tuple(refs):
            listener = ref()
            if listener is None:
                refs.remove(ref)
            else:
                listener(event)
