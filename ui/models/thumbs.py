"""Thumbnails for a view: what is visible first, decoded off the GUI thread, delivered in small batches.

Keeps a bounded number of pixmaps, by item id and never by row. `forget` drops all of them at once (the vault locks). Decoding uses
QImageReader.read, which releases the GIL where QImage.fromData would not.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from PySide6.QtCore import QBuffer, QObject, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter, QPen, QPixmap

from app.vault.types import ItemId

AT_ONCE = 4
KEPT_BYTES = 96 * 1024 * 1024
DEBOUNCE_MS = 30
DRAIN_MS = 8
DRAIN_BUDGET = 0.004
MOST_PIXELS = 4096 * 4096

ROUND = 10.0
"""Radius of a picture's corners."""

Fetch = Callable[[ItemId, int], Awaitable[bytes | None]]
"""Gets an item, and the edge in device pixels that its thumbnail should have at least."""


def decode_cover(data: bytes, edge: int) -> QImage:
    """Decode a thumbnail, scaled and cut to fill a square of `edge` pixels; a null image when it cannot be read."""
    buffer = QBuffer()
    buffer.setData(data)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(False)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MOST_PIXELS:
        return QImage()
    short = max(1, min(size.width(), size.height()))
    scaled = QSize(max(edge, round(size.width() * edge / short)), max(edge, round(size.height() * edge / short)))
    reader.setScaledSize(scaled)
    reader.setScaledClipRect(QRect((scaled.width() - edge) // 2, (scaled.height() - edge) // 2, edge, edge))
    return reader.read()


def rounded(image: QImage, radius: float) -> QImage:
    """The picture with round corners and a hairline around it, ready to be painted as it is. Safe on any thread."""
    made = QImage(image.size(), QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawRoundedRect(made.rect(), radius, radius)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.drawImage(0, 0, image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceAtop)
    painter.setPen(QPen(QColor(127, 127, 127, 60), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(made.rect(), radius, radius)
    painter.end()
    return made


def face(data: bytes, edge: int, ratio: float) -> QImage:
    """The whole way from a thumbnail's bytes to what is painted; null when it cannot be read."""
    image = decode_cover(data, edge)
    return image if image.isNull() else rounded(image, ROUND * ratio)


class Thumbs(QObject):
    """Ask with `want`, look with `get`, repaint on `arrived`, which carries the items."""

    arrived = Signal(object)

    def __init__(self, loop: asyncio.AbstractEventLoop, fetch: Fetch, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loop = loop
        self._fetch = fetch
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="thumbs")
        self._edge = 176
        self._ratio = 1.0
        self._kept: OrderedDict[ItemId, QPixmap] = OrderedDict()
        self._failed: set[ItemId] = set()
        self._stale: set[ItemId] = set()
        self._wanted: list[ItemId] = []
        self._busy: dict[ItemId, asyncio.Task[None]] = {}
        self._ready: deque[tuple[ItemId, QImage]] = deque()
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._debounce.timeout.connect(self._pump)
        self._drain = QTimer(self, singleShot=True, interval=DRAIN_MS)
        self._drain.timeout.connect(self._deliver)

    def get(self, item: ItemId) -> QPixmap | None:
        pixmap = self._kept.get(item)
        if pixmap is not None:
            self._kept.move_to_end(item)
        return pixmap

    def want(self, items: Sequence[ItemId], edge: int, *, ratio: float = 1.0, soon: bool = False) -> None:
        """Replace what is wanted, most wanted first, at `edge` device pixels, `ratio` of which are one of ours.

        `soon` skips the debounce (a small scroll).
        """
        self._ratio = ratio
        if edge != self._edge:
            self._edge = edge
            for item in tuple(self._busy):
                self._busy.pop(item).cancel()
            self._wanted = list(items)
        else:
            self._wanted = [item for item in items if not self._fits(item)]
        if soon:
            self._pump()
        else:
            self._debounce.start()

    def changed(self, items: Sequence[ItemId]) -> None:
        """These may look different now: fetch them anew when wanted again, and show the old picture until then.

        Those under way begin again at once: what is coming may be of before the change.
        """
        coming = {item for item, _ in self._ready} | self._busy.keys()
        again = [item for item in items if item in coming]
        for item in again:
            if (task := self._busy.pop(item, None)) is not None:
                task.cancel()
        self._ready = deque((item, image) for item, image in self._ready if item not in again)
        self._stale.update(item for item in items if item in self._kept)
        self._failed.difference_update(items)
        if again:
            self._wanted[:0] = again
            self._pump()

    def forget(self) -> None:
        """Drop every picture and stop all fetching, at once."""
        self._debounce.stop()
        self._drain.stop()
        for task in self._busy.values():
            task.cancel()
        self._busy.clear()
        self._wanted.clear()
        self._ready.clear()
        self._kept.clear()
        self._failed.clear()
        self._stale.clear()

    def close(self) -> None:
        self.forget()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fits(self, item: ItemId) -> bool:
        pixmap = self._kept.get(item)
        fresh = pixmap is not None and pixmap.width() == self._edge and item not in self._stale
        return item in self._busy or item in self._failed or fresh

    def _pump(self) -> None:
        while self._wanted and len(self._busy) < AT_ONCE:
            item = self._wanted.pop(0)
            if not self._fits(item):
                self._stale.discard(item)
                self._busy[item] = self._loop.create_task(self._load(item, self._edge))

    async def _load(self, item: ItemId, edge: int) -> None:
        try:
            data = await self._fetch(item, edge)
            image = await self._loop.run_in_executor(self._pool, face, data, edge, self._ratio) if data else QImage()
        except asyncio.CancelledError:
            raise
        except Exception:  # a missing thumbnail is a plain tile; opening the item tells what is wrong with it
            image = QImage()
        if self._busy.get(item) is not asyncio.current_task():
            return
        del self._busy[item]
        self._ready.append((item, image))
        if not self._drain.isActive():
            self._drain.start()
        self._pump()

    def _deliver(self) -> None:
        until, came = perf_counter() + DRAIN_BUDGET, []
        while self._ready and perf_counter() < until:
            item, image = self._ready.popleft()
            came.append(item)
            if image.isNull():
                self._failed.add(item)
            else:
                image.setDevicePixelRatio(self._ratio)
                self._kept[item] = QPixmap.fromImage(image)
        self._trim()
        if self._ready:
            self._drain.start()
        self.arrived.emit(came)

    def _trim(self) -> None:
        each = max(1, self._edge * self._edge * 4)
        while len(self._kept) * each > KEPT_BYTES:
            self._kept.popitem(last=False)
