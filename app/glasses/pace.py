"""How fast something arrives, and how long the rest will take: a moving average."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 5.0
"""What came before that does not count any more."""
LEAST_SECONDS = 0.5
"""Before so much time nothing is said: the first pieces tell little."""


class Pace:
    """Fed with how much is here at which time (seconds of any steady clock). Begins anew when less is here than before."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, received: int, now: float) -> None:
        """`received` bytes in all are here `now`."""
        if self._seen and received < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, received))
        while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes a second lately; None as long as that can't be said."""
        if not self._seen:
            return None
        (began, before), (now, received) = self._seen[0], self._seen[-1]
        return (received - before) / (now - began) if now - began >= LEAST_SECONDS else None

    def left(self, rest: int) -> float | None:
        """Seconds until `rest` more bytes are here, at this rate; None as long as that can't be said."""
        rate = self.rate
        return rest / rate if rate else None
