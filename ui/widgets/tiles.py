"""How one capture and one day's heading are painted. Draws only: no layout, no state but small pictures that are used again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import ceil

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from app.library.types import Tile
from app.vault.types import ItemKind
from ui import words
from ui.i18n import plural
from ui.models.thumbs import ROUND, Thumbs
from ui.models.timeline import Day
from ui.theme import Theme
from ui.tokens import GRID, TYPE

RING = 4
"""Room for the focus ring before and above a picture."""

GAP = 2 * GRID
DISC = 24
"""Size of what can be pressed on a picture, and of the marks on it."""

KEPT = 300
"""So many small pictures at most: twice as many as stand on a large screen, each of some kilobytes."""

_SHADE = QColor(0, 0, 0, 150)
"""Behind what is written in white on a picture."""
_ALIGN = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class State:
    """What a tile is at this moment besides its content."""

    selected: bool = False
    hover: bool = False
    focus: bool = False


class TilePainter:
    """`ratio` tells the device pixels to one of ours. `renew` is to be called when the look or the size of the tiles changes."""

    def __init__(self, theme: Theme, thumbs: Thumbs, ratio: Callable[[], float]) -> None:
        self._theme = theme
        self._thumbs = thumbs
        self._ratio_of = ratio
        self._kept: dict[tuple[object, ...], QPixmap] = {}
        self.renew(20 * GRID, mirrored=False)

    def renew(self, edge: int, *, mirrored: bool) -> None:
        """Pictures are squares of `edge` from now on."""
        self.edge = edge
        self._mirrored = mirrored
        self._ratio = self._ratio_of()
        self._kept.clear()
        theme = self._theme
        self._small, self._small_bold = theme.font(TYPE.small), theme.font(TYPE.small, bold=True)
        self._lead = theme.font(TYPE.lead, bold=True)
        self._line = QFontMetrics(self._small).height()
        self._icon = theme.scaled(16)
        self._colours = {name: theme.colour(name) for name in ("text", "muted", "sent", "window", "line", "pressed", "control", "focus")}

    @property
    def ground(self) -> QColor:
        """What everything stands on."""
        return self._colours["window"]

    @property
    def caption(self) -> int:
        """Height of the words below a picture."""
        return 7 + self._line + 3 + max(self._icon, self._line)

    @property
    def cell(self) -> int:
        """Height of a tile with caption and gap."""
        return self.edge + self.caption + GAP + RING

    @property
    def head(self) -> int:
        """Height of a day's heading."""
        return QFontMetrics(self._lead).height() + 2 * GRID + 4

    def picture_in(self, cell: QRect) -> QRect:
        """Where the picture stands in the cell of a tile."""
        left = cell.right() + 1 - RING - self.edge if self._mirrored else cell.left() + RING
        return QRect(left, cell.top() + RING, self.edge, self.edge)

    def disc_in(self, picture: QRect) -> QRect:
        """Where a tile can be ticked."""
        left = picture.left() + GRID if self._mirrored else picture.right() + 1 - GRID - DISC
        return QRect(left, picture.top() + GRID, DISC, DISC)

    # -- a tile ----------------------------------------------------------------------------------------------------------------

    def tile(self, painter: QPainter, cell: QRect, tile: Tile, state: State) -> None:
        at = self.picture_in(cell)
        pixmap = self._thumbs.get(tile.id)
        if pixmap is not None:
            painter.drawPixmap(at, pixmap)
        else:
            self._place_holder(painter, at, tile)
        if tile.favourite:
            left = at.right() + 1 - GRID - DISC if self._mirrored else at.left() + GRID
            painter.drawPixmap(left, at.bottom() + 1 - GRID - DISC, self._keep(("star",), lambda: self._disc("star-full")))
        if tile.paired:
            left = at.right() + 1 - GRID - DISC if self._mirrored else at.left() + GRID
            painter.drawPixmap(left, at.top() + GRID, self._keep(("pair",), lambda: self._disc("pair")))
        if tile.duration_ms:
            self._length(painter, at, words.duration(tile.duration_ms))
        if state.selected:
            painter.drawPixmap(at, self._keep(("selected",), self._selected))
        elif state.hover:
            painter.drawPixmap(at, self._keep(("hover",), self._hovered))
        if state.focus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._colours["focus"], 2))
            painter.drawRoundedRect(QRectF(at).adjusted(-3, -3, 3, 3), ROUND + 3, ROUND + 3)
        self._caption(painter, at, tile)

    def _place_holder(self, painter: QPainter, at: QRect, tile: Tile) -> None:
        """The average colour until the picture is there; an icon where there is none to come."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tile.colour & 0xFFFFFF) if tile.colour > 0 else self._colours["pressed"])
        painter.drawRoundedRect(at, ROUND, ROUND)
        if tile.kind is not ItemKind.PHOTO or not tile.intact:
            name = tile.kind.value if tile.intact else "broken"
            size = self._theme.scaled(32)
            disc = QRect(0, 0, 2 * size, 2 * size)
            disc.moveCenter(at.center())
            painter.setBrush(QColor(0, 0, 0, 110))
            painter.drawEllipse(disc)
            corner = disc.center() - QPoint(size // 2, size // 2)
            painter.drawPixmap(corner, self._theme.on_picture(name, size, self._ratio))

    def _length(self, painter: QPainter, at: QRect, text: str) -> None:
        pill = self._keep(("length", text), lambda: self._pill(text))
        width, height = round(pill.width() / self._ratio), round(pill.height() / self._ratio)
        left = at.left() + GRID if self._mirrored else at.right() + 1 - GRID - width
        painter.drawPixmap(left, at.bottom() + 1 - GRID - height, pill)

    def _caption(self, painter: QPainter, at: QRect, tile: Tile) -> None:
        """Time of day with what was taken together with it, and status: two ready-made pictures, since few of either differ."""
        taken = words.local(tile.taken_at)
        clip = tile.kind if tile.paired else None
        top = at.bottom() + 7
        self._line_of(painter, at, top, ("time", taken.hour, taken.minute, clip), lambda: self._time(tile))
        self._line_of(painter, at, top + self._line + 3, ("status", tile.shared_with), lambda: self._status(tile))

    def _line_of(self, painter: QPainter, at: QRect, top: int, key: tuple[object, ...], make: Callable[[], QPixmap]) -> None:
        """A picture of words that begins where lines begin below a tile."""
        made = self._keep(key, make)
        painter.drawPixmap(at.right() + 1 - round(made.width() / self._ratio) if self._mirrored else at.left(), top, made)

    def _time(self, tile: Tile) -> QPixmap:
        letters = QFontMetrics(self._small)
        text = letters.elidedText(words.tile_caption(tile), Qt.TextElideMode.ElideRight, self.edge)
        width = letters.horizontalAdvance(text)

        def paint(painter: QPainter) -> None:
            self._write(painter, QRect(0, 0, width, self._line), text, self._small, "text")

        return self._canvas(width, self._line, paint, self.ground)

    def _status(self, tile: Tile) -> QPixmap:
        """An icon and a word. Where there is no room for both, the icon says "shared": the name is what must be read."""
        shared, icon = bool(tile.shared_with), self._icon
        font, tone = (self._small_bold, "sent") if shared else (self._small, "muted")
        letters, room, before = QFontMetrics(font), self.edge - icon - 5, icon + 5
        text = words.status(tile.shared_with)
        if shared and letters.horizontalAdvance(text) > room:
            text = ", ".join(tile.shared_with)
        text = letters.elidedText(text, Qt.TextElideMode.ElideRight, room)
        width, height = letters.horizontalAdvance(text), max(icon, self._line)

        def paint(painter: QPainter) -> None:
            corner = QPoint(width + 5 if self._mirrored else 0, (height - icon) // 2)
            painter.drawPixmap(corner, self._theme.pixmap(tone_icon(tile), tone, icon, self._ratio))
            self._write(painter, QRect(0 if self._mirrored else before, 0, width, height), text, font, tone)

        return self._canvas(before + width, height, paint, self.ground)

    def _write(self, painter: QPainter, at: QRect, text: str, font: QFont, tone: str) -> None:
        painter.setFont(font)
        painter.setPen(self._colours[tone])
        painter.drawText(at, _ALIGN, text)

    # -- a heading -------------------------------------------------------------------------------------------------------------

    def heading(self, painter: QPainter, at: QRect, day: Day, *, stuck: bool, hover: bool, whole: bool) -> None:
        """The name of a day and how many captures it has. `stuck`: it lies over tiles; `whole`: all of them are selected."""
        colours = self._colours
        painter.fillRect(at, self.ground)
        if stuck:
            painter.fillRect(at.left() + RING, at.bottom(), at.width() - 2 * RING, 1, colours["line"])
        inner = at.adjusted(RING, 0, -RING, 0)
        if hover or whole:
            size = self._theme.scaled(20)
            tick = self._keep(("tick", whole), lambda: self._tick(size, on=whole))
            left = inner.right() + 1 - size if self._mirrored else inner.left()
            painter.drawPixmap(left, at.center().y() - size // 2, tick)
            inner = inner.adjusted(0, 0, -size - GRID, 0) if self._mirrored else inner.adjusted(size + GRID, 0, 0, 0)
        said = self._keep(("day", day, date.today()), lambda: self._day(day))
        left = inner.right() + 1 - round(said.width() / self._ratio) if self._mirrored else inner.left()
        painter.drawPixmap(left, inner.top(), said)

    def _day(self, day: Day) -> QPixmap:
        """The name of a day and its count side by side, on one base line."""
        parts = (
            (self._lead, "text", words.day(day.date)),
            (self._small, "muted", plural(day.count, "{count} capture", "{count} captures")),
        )
        widths = [QFontMetrics(font).horizontalAdvance(text) for font, _, text in parts]
        gap, height = GRID + 4, self.head - 1
        whole, base = sum(widths) + gap, (self.head - 1) // 2 + QFontMetrics(self._lead).ascent() // 2 - 1

        def paint(painter: QPainter) -> None:
            x = 0
            for (font, tone, text), width in zip(parts, widths, strict=True):
                painter.setFont(font)
                painter.setPen(self._colours[tone])
                painter.drawText(QPoint(whole - x - width if self._mirrored else x, base), text)
                x += width + gap

        return self._canvas(whole, height, paint, self.ground)

    # -- small pictures --------------------------------------------------------------------------------------------------------

    def _keep(self, key: tuple[object, ...], make: Callable[[], QPixmap]) -> QPixmap:
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = make()
        return self._kept[key]

    def _canvas(self, width: int, height: int, paint: Callable[[QPainter], None], ground: QColor | None = None) -> QPixmap:
        """A picture on `ground`, or on nothing: it is to lie on another one."""
        pixmap = QPixmap(max(1, ceil(width * self._ratio)), max(1, ceil(height * self._ratio)))
        pixmap.setDevicePixelRatio(self._ratio)
        pixmap.fill(ground or Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        paint(painter)
        painter.end()
        return pixmap

    def _disc(self, icon: str) -> QPixmap:
        """An icon on a dark disc, so that it can be seen on any picture."""

        def paint(painter: QPainter) -> None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_SHADE)
            painter.drawEllipse(0, 0, DISC, DISC)
            painter.drawPixmap(4, 4, self._theme.on_picture(icon, 16, self._ratio))

        return self._canvas(DISC, DISC, paint)

    def _pill(self, text: str) -> QPixmap:
        letters = QFontMetrics(self._small_bold)
        width, height = letters.horizontalAdvance(text) + 16, max(DISC, letters.height() + 4)

        def paint(painter: QPainter) -> None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_SHADE)
            painter.drawRoundedRect(0, 0, width, height, height / 2, height / 2)
            painter.setFont(self._small_bold)
            painter.setPen(Qt.GlobalColor.white)
            painter.drawText(QRect(0, 0, width, height), Qt.AlignmentFlag.AlignCenter, text)

        return self._canvas(width, height, paint)

    def _tick(self, size: int, *, on: bool) -> QPixmap:
        """A round check mark, filled when it is on."""

        def paint(painter: QPainter) -> None:
            theme = self._theme
            painter.setPen(QPen(theme.colour("accent" if on else "control"), 2))
            painter.setBrush(theme.colour("accent") if on else theme.colour("surface"))
            painter.drawEllipse(QRectF(1, 1, size - 2, size - 2))
            inner = size * 2 // 3
            if on:
                painter.drawPixmap((size - inner) // 2, (size - inner) // 2, theme.pixmap("check", "on_accent", inner, self._ratio))

        return self._canvas(size, size, paint)

    def _frame(self, disc: QPixmap, paint_ring: Callable[[QPainter, QRectF], None]) -> QPixmap:
        whole = QRect(0, 0, self.edge, self.edge)

        def paint(painter: QPainter) -> None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            paint_ring(painter, QRectF(whole))
            painter.drawPixmap(self.disc_in(whole).topLeft(), disc)

        return self._canvas(self.edge, self.edge, paint)

    def _selected(self) -> QPixmap:
        def ring(painter: QPainter, at: QRectF) -> None:
            painter.setPen(QPen(self._theme.colour("surface"), 3))
            painter.drawRoundedRect(at.adjusted(4.5, 4.5, -4.5, -4.5), ROUND - 4, ROUND - 4)
            painter.setPen(QPen(self._theme.colour("accent"), 4))
            painter.drawRoundedRect(at.adjusted(2, 2, -2, -2), ROUND - 1, ROUND - 1)

        return self._frame(self._tick(DISC, on=True), ring)

    def _hovered(self) -> QPixmap:
        def ring(painter: QPainter, at: QRectF) -> None:
            painter.setPen(QPen(self._colours["control"], 2))
            painter.drawRoundedRect(at.adjusted(1, 1, -1, -1), ROUND - 1, ROUND - 1)

        return self._frame(self._tick(DISC, on=False), ring)


def tone_icon(tile: Tile) -> str:
    """The icon of a tile's status."""
    return "sent" if tile.shared_with else "private"
