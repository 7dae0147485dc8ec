"""Scrolling sixty times a second, and what each frame costs the main thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

STEP_MS = 1000 / 60


class Wheel:
    """Moves a scroll bar sixty times a second; of each frame, the main thread's work: all it computed, and the step with its painting."""

    def __init__(self, view: Any, step: Callable[[int, Any], int]) -> None:
        self._view, self._step, self._number = view, step, 0
        self.computed: list[float] = []
        self.painted: list[float] = []
        self._spent = 0.0

    def turn(self) -> None:
        from PySide6.QtCore import QEvent
        from PySide6.QtWidgets import QApplication

        bar, spent = self._view.verticalScrollBar(), time.thread_time()
        if self._number:
            self.computed.append(spent - self._spent)
        self._spent = spent
        began = time.perf_counter()
        bar.setValue(self._step(self._number, bar))
        QApplication.sendPostedEvents(self._view.window(), QEvent.Type.UpdateRequest)  # paints what is due, as the loop would
        self.painted.append(time.perf_counter() - began)
        self._number += 1


STEPS: dict[str, tuple[int, Callable[[int, Any], int]]] = {
    "wheel": (600, lambda number, bar: bar.value() + 40),
    "fling": (600, lambda number, bar: (bar.value() + 900) % bar.maximum()),
    "jumps": (200, lambda number, bar: (number * 7919 * 997) % bar.maximum()),
}


async def turn(view: Any, count: int, step: Callable[[int, Any], int]) -> Wheel:
    from PySide6.QtCore import Qt, QTimer

    wheel, done = Wheel(view, step), asyncio.Event()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(round(STEP_MS))

    def tick() -> None:
        wheel.turn()
        if len(wheel.painted) >= count:
            timer.stop()
            done.set()

    timer.timeout.connect(tick)
    timer.start()
    await done.wait()
    return wheel


def said(name: str, wheel: Wheel) -> dict[str, float]:
    def at(times: list[float], part: float) -> float:
        return sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1e3

    return {
        f"{name} painted p50": at(wheel.painted, 0.5),
        f"{name} painted p99": at(wheel.painted, 0.99),
        f"{name} computed p50": at(wheel.computed, 0.5),
        f"{name} computed p99": at(wheel.computed, 0.99),
    }
