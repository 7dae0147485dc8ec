"""How fast something comes in, and how long the rest will take: a moving average, so that neither jumps about. Pure; the clock is given."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 8.0
SURE_SECONDS = 1.0
"""Before so much time was seen, nothing is said of the speed."""


class Pace:
    """Counts bytes of one course of work. `now` is a steady clock in seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=256)

    def at(self, received: int, now: float) -> None:
        """`received` bytes are here in all; fewer than before means that another piece of work began."""
        if self._seen and received < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, received))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes a second; None while that cannot be said."""
        if len(self._seen) < 2:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if now - began >= SURE_SECONDS else None

    def left(self, rest: int) -> float | None:
        """Seconds until `rest` more bytes are here."""
        return rest / self.rate if self.rate else None
