"""Plays a capture straight from the vault: picture, position, volume, single frames. Owns one player at a time.

A player is made for one capture and thrown away after it, and told what to do by queued signals only: calling into it while FFmpeg waits
for Python to read can stop both for good (seen with `setSourceDevice` of Qt 6.11 and 6.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from PySide6.QtCore import QLoggingCategory, QObject, QPoint, QRectF, QSignalBlocker, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from app.errors import Explanation, EyelidError
from ui import words
from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.basics import boxed, column, dress, label, row, tool
from ui.widgets.sealed import SealedDevice

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame

SEEK_MS = 5000
FRAME_MS = 33
"""Length of a frame where the film does not say."""

_NAME = QUrl("v.mp4")
"""What FFmpeg is told the film is called: it needs something, and prints it."""


class CannotPlay(EyelidError):
    """This computer has no player."""

    def __init__(self) -> None:
        super().__init__(
            tr("Videos cannot be played on this computer."),
            tr("A part that Qt needs for sound and video is missing; on Debian and Ubuntu it is in the package libpulse0."),
            tr("Install it and start Eyelid again, or export the video."),
        )


def load_player() -> None:
    """Import Qt's player, which is heavy, and on Linux needs a library that may be missing. Raises CannotPlay."""
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")  # before the import, which complains of libraries that it can do without
    try:
        import PySide6.QtMultimedia  # noqa: F401
    except ImportError as error:
        raise CannotPlay from error


class Screen(QWidget):
    """The picture: the frame of the moment, or the poster until there is one; for a sound, what stands for it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.heard = False
        """Whether it is a sound that is played: that has no frames."""
        self._frame: QVideoFrame | None = None
        self._poster = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(20 * GRID, 15 * GRID)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @property
    def empty(self) -> bool:
        return self._frame is None and self._poster.isNull()

    def show_frame(self, frame: QVideoFrame) -> None:
        self._frame = frame
        self.update()

    def show_poster(self, image: QImage) -> None:
        self._poster = image
        self.update()

    def forget(self) -> None:
        self._frame = None
        self._poster = QImage()
        self.heard = False
        self.update()

    def _paint_sound(self, painter: QPainter) -> None:
        size, middle = self._theme.scaled(64), self.rect().center()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRoundedRect(self.rect(), GRID, GRID)
        painter.setBrush(self._theme.colour("selected"))
        painter.drawEllipse(middle, size, size)
        painter.drawPixmap(middle - QPoint(size, size) / 2, self._theme.pixmap("sound", "accent", size, self.devicePixelRatioF()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.heard:
            self._paint_sound(painter)
            painter.end()
            return
        if self._frame is not None:
            from PySide6.QtMultimedia import QVideoFrame

            across = self._frame.rotation().value in (90, 270)
            size = self._frame.size().transposed() if across else self._frame.size()
            self._frame.paint(painter, self._fitted(size), QVideoFrame.PaintOptions())
        elif not self._poster.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._fitted(self._poster.size()), self._poster)
        painter.end()

    def _fitted(self, size: QSize) -> QRectF:
        """Where a picture of this size stands: in the middle, as large as it goes, and nothing is painted beside it."""
        size = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())


class VideoView(QWidget):
    """`failed` carries what to tell a person; by then nothing plays any more. `first_frame` is for whoever waits for a picture."""

    failed = Signal(object)
    first_frame = Signal()
    _do_play = Signal()
    _do_pause = Signal()
    _do_seek = Signal("qlonglong")  # type: ignore[arg-type]  # the very type of the slot, or a queued call could not be made
    _do_stop = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._player: QMediaPlayer | None = None
        self._parts: tuple[QObject, ...] = ()
        self._seen = False
        self._muted = False
        self._leaving: dict[int, tuple[QObject, ...]] = {}
        self.film = Screen(theme)
        self._button = tool(theme, tr("Play"), "play", self.toggle, shortcut="Space")
        back = tool(theme, tr("One frame back"), "frame-back", lambda: self.step(-1), shortcut=",")
        on = tool(theme, tr("One frame on"), "frame-on", lambda: self.step(1), shortcut=".")
        self._steps = (back, on)
        self.position = QSlider(Qt.Orientation.Horizontal)
        self.position.setAccessibleName(tr("Position"))
        self.position.setPageStep(SEEK_MS)
        self.position.setSingleStep(1000)
        self.position.valueChanged.connect(self._slid)
        self._time = label("", "small")
        self._mute = tool(theme, tr("Mute"), "volume", self.toggle_sound, shortcut="M")
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setAccessibleName(tr("Volume"))
        self.volume.setRange(0, 100)
        self.volume.setValue(80)
        self.volume.setFixedWidth(12 * GRID)
        self.volume.valueChanged.connect(self._set_volume)
        where = row(gap=GRID + 4)
        where.addWidget(self.position, 1)
        where.addWidget(self._time)
        bar = column(where, row(self._button, back, on, None, self._mute, self.volume, gap=4), gap=0)
        whole = column(gap=GRID)
        whole.addWidget(self.film, 1)
        controls = boxed(bar)
        controls.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # time runs this way on players everywhere
        whole.addWidget(controls)
        self.setLayout(whole)
        self.setFocusProxy(self.film)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room, the volume is left to the keys."""
        super().resizeEvent(event)
        self.volume.setHidden(event.size().width() < self._theme.scaled(32 * GRID))

    def expect(self, *, sound: bool) -> None:
        """What is to be opened next is a film, or a sound: that has no frames to show or to step."""
        self.film.heard = sound
        for button in self._steps:
            button.setVisible(not sound)
        self.film.update()

    # -- one film --------------------------------------------------------------------------------------------------------------

    def open(self, reader: BinaryIO) -> None:
        """Load `reader` (which is owned from now on), stop at its first frame. To be called from a slot, not from a coroutine.

        Raises CannotPlay, and then closes `reader`.
        """
        heard = self.film.heard
        self.close_film()
        self.film.heard = heard
        try:
            load_player()
        except CannotPlay:
            reader.close()
            raise
        from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer, QVideoSink

        player = self._player = QMediaPlayer()
        sink, sound, device = QVideoSink(player), QAudioOutput(player), SealedDevice(reader)
        self._parts = (device, sink, sound)
        self._seen = False
        sink.videoFrameChanged.connect(self._framed)
        player.setVideoSink(sink)
        player.setAudioOutput(sound)
        self._set_volume()
        queued = Qt.ConnectionType.QueuedConnection
        for signal, slot in (
            (self._do_play, player.play),
            (self._do_pause, player.pause),
            (self._do_seek, player.setPosition),
            (self._do_stop, player.stop),
        ):
            signal.connect(slot, queued)
        device.failed.connect(self._broken, queued)
        player.errorOccurred.connect(self._player_error, queued)
        player.durationChanged.connect(self._duration)
        player.positionChanged.connect(self._moved)
        player.playbackStateChanged.connect(self._state)
        player.setSourceDevice(device, _NAME)
        self._do_pause.emit()

    def close_film(self) -> None:
        """End the player and let go of the capture; its bytes are out of reach at once, the player's threads end a little later."""
        player, self._player = self._player, None
        self.film.forget()
        self.position.setRange(0, 0)
        self._time.clear()
        if player is None:
            return
        device = self._parts[0]
        assert isinstance(device, SealedDevice)
        key = id(player)
        self._leaving[key] = (player, *self._parts)  # Qt must delete them, from its own loop, without Python's lock
        self._parts = ()
        self._do_stop.emit()
        for signal in (self._do_play, self._do_pause, self._do_seek):
            signal.disconnect()
        player.destroyed.connect(lambda: self._gone(key))
        device.failed.disconnect()
        device.release()
        player.deleteLater()
        self._show_playing(on=False)

    def _gone(self, key: int) -> None:
        self._leaving.pop(key, None)

    @property
    def leaving(self) -> int:
        """How many players have been let go and have not ended yet."""
        return len(self._leaving)

    def _framed(self, frame: QVideoFrame) -> None:
        if self._player is not None and self.sender() in self._parts and frame.isValid():
            self.film.show_frame(frame)
            if not self._seen:
                self._seen = True
                self.first_frame.emit()

    def _broken(self, said: Explanation) -> None:
        """A chunk did not open. The position is where the picture stood still."""
        if self._player is None or self.sender() not in self._parts:
            return
        at = words.duration(self.position.value())
        self.close_film()
        self.failed.emit(Explanation(tr("It stopped at {time}: what comes then cannot be read.", time=at), said.what, said.action))

    def _of_this_film(self) -> bool:
        """Whether the signal at hand is of the player in use: one that was let go may still tell how it ends."""
        return self._player is not None and self.sender() is self._player

    def _player_error(self) -> None:
        if self._of_this_film():
            what = tr("This sound cannot be played.") if self.film.heard else tr("This video cannot be played.")
            self.close_film()
            why = tr("Its format is damaged, or unknown to the player.")
            self.failed.emit(Explanation(what, why, tr("Export it to try another program.")))

    # -- controls --------------------------------------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        from PySide6.QtMultimedia import QMediaPlayer

        return self._player is not None and self._player.playbackState() == QMediaPlayer.PlaybackState.PlayingState

    def toggle(self) -> None:
        if self._player is None:
            return
        if self.playing:
            self._do_pause.emit()
        else:
            if self.position.value() >= self.position.maximum() - FRAME_MS:
                self._do_seek.emit(0)
            self._do_play.emit()

    def seek_by(self, milliseconds: int) -> None:
        self.position.setValue(self.position.value() + milliseconds)

    def step(self, frames: int) -> None:
        """Pause, and go `frames` on or back."""
        if self._player is None or self.film.heard:
            return
        from PySide6.QtMultimedia import QMediaMetaData

        rate = self._player.metaData().value(QMediaMetaData.Key.VideoFrameRate)
        each = 1000 / rate if isinstance(rate, float) and 1 <= rate <= 1000 else FRAME_MS
        self._do_pause.emit()
        self.seek_by(round(frames * each))

    def louder(self, percent: int) -> None:
        self.volume.setValue(self.volume.value() + percent)

    def toggle_sound(self) -> None:
        self._muted = not self._muted
        self._set_volume()
        name = tr("Sound on") if self._muted else tr("Mute")
        self._mute.setAccessibleName(name)
        self._mute.setToolTip(name)
        dress(self._theme, self._mute, "mute" if self._muted else "volume")

    def _set_volume(self) -> None:
        if self._player is not None:
            sound = self._player.audioOutput()
            sound.setMuted(self._muted)
            sound.setVolume(self.volume.value() / 100)

    def _slid(self, value: int) -> None:
        self._tell(value)
        self._do_seek.emit(value)

    def _duration(self, milliseconds: int) -> None:
        if self._of_this_film():
            with QSignalBlocker(self.position):
                self.position.setRange(0, milliseconds)
            self._tell(self.position.value())

    def _moved(self, milliseconds: int) -> None:
        if self._of_this_film() and not self.position.isSliderDown():
            with QSignalBlocker(self.position):  # the film moved it: that is no wish to go elsewhere
                self.position.setValue(milliseconds)
            self._tell(milliseconds)

    def _tell(self, at: int) -> None:
        said = tr("{at} of {length}", at=words.duration(at), length=words.duration(self.position.maximum()))
        self._time.setText(said)
        self.position.setAccessibleDescription(said)

    def _state(self) -> None:
        self._show_playing(on=self.playing)

    def _show_playing(self, *, on: bool) -> None:
        name = tr("Pause") if on else tr("Play")
        self._button.setAccessibleName(name)
        self._button.setToolTip(tr("{name} ({keys})", name=name, keys=words.keys("Space")))
        dress(self._theme, self._button, "pause" if on else "play")
