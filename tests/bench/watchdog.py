"""A watchdog for the main thread of a window: how long it stays away from its loop, and where it was then."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from dataclasses import dataclass

BEAT_MS = 2
LOOK_SECONDS = 0.02
"""From so long on, it looks where the thread is."""
MOST = 5
FRAMES = 6


@dataclass(frozen=True, slots=True)
class Absence:
    """One handler: how long it took by the clock and in computing (seconds), and the innermost calls seen meanwhile."""

    clock: float
    busy: float
    where: str


class Watchdog:
    """Remembers the longest absences. The clock also counts what other programs took away meanwhile; a busy computer makes it say more."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer  # not read before a window is wanted, since cold starts are measured, too

        self._main = threading.get_ident()
        self._on = True
        self.begin()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """Forget what was, and watch from now on."""
        self.longest: list[Absence] = []
        self.clock = self.busy = 0.0
        self._where = ""
        self._beat, self._spent = time.perf_counter(), time.thread_time()

    def _tick(self) -> None:
        now, spent, where = time.perf_counter(), time.thread_time(), self._where
        clock, busy = now - self._beat - BEAT_MS / 1000, spent - self._spent
        self._where = ""
        self._beat, self._spent = now, spent
        self.clock, self.busy = max(self.clock, clock), max(self.busy, busy)
        if clock >= LOOK_SECONDS:
            self.longest = sorted([*self.longest, Absence(clock, busy, where)], key=lambda one: -one.busy)[:MOST]

    def _watch(self) -> None:
        while self._on:
            slept = time.perf_counter()
            time.sleep(LOOK_SECONDS / 4)
            now = time.perf_counter()
            if now - self._beat > LOOK_SECONDS:
                self._where = self._look(everywhere=now - slept > LOOK_SECONDS)

    def _look(self, *, everywhere: bool) -> str:
        """Where the main thread is; or all are, when this one was kept waiting, too: then one of them had the interpreter to itself."""
        frames = sys._current_frames()
        looked_at = [frame for thread, frame in frames.items() if thread != threading.get_ident() and (everywhere or thread == self._main)]
        return "  --\n".join("".join(traceback.format_stack(frame)[-FRAMES:]) for frame in looked_at)

    def report(self) -> str:
        """The longest ones, for a person."""
        return "".join(f"{one.clock * 1e3:.0f} ms, {one.busy * 1e3:.0f} ms of them computing:\n{one.where}" for one in self.longest)

    def end(self) -> None:
        self._on = False
        self._timer.stop()
