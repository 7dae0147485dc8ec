"""Python's cyclic garbage collector, kept to the thread of the screen.

Left alone it runs in whichever thread happens to allocate. When that is a worker and the garbage holds a QObject, Qt destroys the object in
the wrong thread and leaves its timers behind: the next tick then ends the process (seen with timers of a closed qasync loop).
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000


class Collector(QObject):
    """Switches automatic collection off while it lives, and collects on its own thread when Python would have."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> int | None:
        """Collect the oldest generation that is due, and return which; None when none is."""
        counts, limits = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > limits[generation]:
                gc.collect(generation)
                return generation
        return None

    def settle(self) -> None:
        """Call once all is set up: what exists now stays, and is not looked at again and again."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
