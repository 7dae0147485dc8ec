"""A sealed capture as a device that Qt's player can read and seek: only the chunks asked for are opened, and nothing of it on a disk."""

from __future__ import annotations

import io
import time
from typing import BinaryIO

from PySide6.QtCore import QIODevice, Signal

from app.errors import explain

LARGEST_READ = 1 << 20
PAUSE_SECONDS = 0.015
"""After a failed read FFmpeg may ask again and again as fast as it can; this keeps it from burning a core."""


class SealedDevice(QIODevice):
    """Owns `reader` and closes it on `release`. FFmpeg reads from threads of its own, so connect to `failed` with a queued connection.

    The first fault is latched: from then on the device is at its end. (FFmpeg takes the end for an answer; a read that fails it repeats for
    ever, and a player that is deleted meanwhile waits for it.) A read never returns zeros in place of bytes that are not there.
    """

    failed = Signal(object)
    """Carries the Explanation of the fault, once."""

    def __init__(self, reader: BinaryIO) -> None:
        super().__init__()
        self._reader = reader
        self._size = reader.seek(0, io.SEEK_END)
        self._at = 0
        self._broken = False
        self.reads = 0
        self.open(QIODevice.OpenModeFlag.ReadOnly | QIODevice.OpenModeFlag.Unbuffered)

    def isSequential(self) -> bool:
        return False

    def size(self) -> int:
        return self._size

    def bytesAvailable(self) -> int:
        return 0 if self._broken else max(0, self._size - self._at)

    def atEnd(self) -> bool:
        return self.bytesAvailable() == 0

    def seek(self, position: int) -> bool:
        self._at = position
        return super().seek(position)

    def readData(self, most: int) -> object:
        """Bytes of the capture; None (a failed read) after a fault."""
        self.reads += 1
        if self._broken:
            time.sleep(PAUSE_SECONDS)
            return None
        try:
            self._reader.seek(self._at)
            data = self._reader.read(min(most, LARGEST_READ))
        except Exception as error:  # whatever it was, FFmpeg must not see it, and the person must
            self._broken = True
            self.failed.emit(explain(error))
            return None
        self._at += len(data)
        return data

    def writeData(self, data: object, most: int) -> int:
        return -1

    def release(self) -> None:
        """No more reads: let go of the capture."""
        self._broken = True
        self._reader.close()
