"""One picture, upright: fitted, at 100 % or anywhere between, zoomed to the pointer."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QImageReader,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView

from ui.i18n import tr
from ui.theme import set_state

MOST_PIXELS = 200_000_000
"""Pixels of a picture that is decoded: more would take too much memory."""
SMALLEST, LARGEST = 0.02, 8.0
"""How far it can be zoomed, in pixels of the window to one of the picture."""

_UPRIGHT: dict[int, QTransform] = {
    1: QTransform(),
    2: QTransform(-1, 0, 0, 1, 0, 0),
    3: QTransform(-1, 0, 0, -1, 0, 0),
    4: QTransform(1, 0, 0, -1, 0, 0),
    5: QTransform(0, 1, 1, 0, 0, 0),
    6: QTransform(0, 1, -1, 0, 0, 0),
    7: QTransform(0, -1, -1, 0, 0, 0),
    8: QTransform(0, -1, 1, 0, 0, 0),
}
"""What turns a stored picture upright, by its EXIF orientation (Exif 2.32, tag 0x0112)."""


def upright(orientation: int) -> QTransform:
    """The transform for an EXIF orientation; anything out of range is taken as upright."""
    return _UPRIGHT.get(orientation, _UPRIGHT[1])


def decode(data: bytes) -> QImage:
    """Decode a picture as stored, bounded in size; null when it cannot be shown. Safe on any thread; releases the GIL."""
    buffer = QBuffer()
    buffer.setData(data)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(False)
    size = reader.size()
    if size.isValid() and size.width() * size.height() > MOST_PIXELS:
        return QImage()
    return reader.read()


class PictureView(QGraphicsView):
    """Shows one image. `zoomed` tells the percentage, and whether it is the fitted one."""

    zoomed = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__()
        self._scene = QGraphicsScene(self)
        self._item = QGraphicsPixmapItem()
        self._item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._scene.addItem(self._item)
        self._fitted = True
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setAccessibleName(tr("Picture"))

    @property
    def fitted(self) -> bool:
        return self._fitted

    @property
    def empty(self) -> bool:
        return self._item.pixmap().isNull()

    def show_image(self, image: QImage, orientation: int) -> None:
        """Put `image` up, turned upright, and fit it."""
        self._item.setPixmap(QPixmap.fromImage(image))
        self.turn(orientation)

    def turn(self, orientation: int) -> None:
        """Show the same picture another way up."""
        self._item.setTransform(upright(orientation))
        self._scene.setSceneRect(self._item.sceneBoundingRect())
        self.fit()

    def forget(self) -> None:
        self._item.setPixmap(QPixmap())
        self._scene.setSceneRect(self._item.sceneBoundingRect())

    def fit(self) -> None:
        """As large as it goes without cutting, but never above 100 %."""
        self._fitted = True
        self.resetTransform()
        area, room = self._scene.sceneRect(), self.viewport().rect()
        if not area.isEmpty() and (area.width() > room.width() or area.height() > room.height()):
            self.fitInView(area, Qt.AspectRatioMode.KeepAspectRatio)
        self._tell()

    def full(self) -> None:
        """One pixel of the picture to one of the screen."""
        self._fitted = False
        self.resetTransform()
        scale = 1 / self.devicePixelRatioF()
        self.scale(scale, scale)
        self._tell()

    def zoom(self, factor: float) -> None:
        now = self.transform().m11()
        factor = min(LARGEST, max(SMALLEST, now * factor)) / now
        self._fitted = False
        self.scale(factor, factor)
        self._tell()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().y():
            self.zoom(1.0015 ** event.angleDelta().y())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Between fitted and full size, and there to the spot under the pointer."""
        if self._fitted:
            spot = self.mapToScene(event.position().toPoint())
            self.full()
            self.centerOn(spot)
        else:
            self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring only to who came by keyboard; a frame around every picture would be noise."""
        set_state(self, "ring", event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason))
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the arrows to the page while the whole picture is in view."""
        arrows = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space)
        if event.key() in arrows and self._fitted:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _tell(self) -> None:
        self.zoomed.emit(round(self.transform().m11() * self.devicePixelRatioF() * 100), self._fitted)
