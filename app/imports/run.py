"""One import, from paths to a report: several files at a time, with progress, pause and stop.

Owns nothing that lasts. A run that is stopped, or dies, is simply started again: what the vault has is not read twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from app.errors import Explanation
from app.imports.crew import Crew
from app.imports.importer import Importer, Taken
from app.imports.obstacles import Obstacles
from app.imports.pairs import pairs
from app.imports.sources import find
from app.imports.types import Fate, Outcome, Progress, Report, Source
from app.lanes import Lanes
from app.media.types import Thumb
from app.vault.types import ItemMeta

AT_ONCE = 6
"""Files under way: some are being hashed and sealed, the others wait for the drive. More only wait for one another."""
WORTH_HANDS = 8
"""Files from which on an import has processes of its own for them: the first takes a seventh of a second to begin."""
Arrived = Callable[[ItemMeta, Sequence[Thumb]], Awaitable[None]]
_WINDOW = 8.0
"""Seconds over which the rate is taken: several files end at once, so the time between two says nothing."""
_SURE = 0.5
"""Seconds before which nothing is said of the rate."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants of an import. `again`: take in what they deleted from the vault since an earlier one."""

    only_glasses: bool = False
    again: bool = True


class Run:
    """An import under way. To be used on the loop that made it."""

    def __init__(
        self,
        importer: Importer,
        crew: Crew,
        lanes: Lanes,
        arrived: Arrived,
        choice: Choice = Choice(),
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`arrived` is awaited with each new item and the thumbnails that are had already, before the file counts as done."""
        self._importer = importer
        self._crew = crew
        self._lanes = lanes
        self._arrived = arrived
        self._choice = choice
        self._told = on_progress
        self._going = asyncio.Event()
        self._going.set()
        self._stopped = False
        self._obstacles: Obstacles | None = None
        self._why: Explanation | None = None
        self._meter = _Meter()

    @property
    def paused(self) -> bool:
        return not self._going.is_set()

    def pause(self) -> None:
        """No further file is begun until `resume`."""
        self._going.clear()

    def resume(self) -> None:
        self._meter.rested()
        self._going.set()

    def stop(self) -> None:
        """No further file is begun; those under way are finished."""
        self._stopped = True
        self._going.set()

    async def files(self, paths: Iterable[Path]) -> Report:
        """Import what lies below `paths`. Raises VaultLocked; what is wrong with a single file is in the report."""
        named = tuple(paths)
        self._obstacles = await self._lanes.work(self._importer.obstacles, named)
        found = await self._lanes.work(lambda: list(takewhile(lambda _: not self._stopped, find(named))))
        outcomes = [each for each in found if isinstance(each, Outcome)]
        sources = [each for each in found if isinstance(each, Source)]
        return Report((*outcomes, *await self.sources(sources)), self._stopped, self._why)

    async def sources(self, sources: Sequence[Source]) -> list[Outcome]:
        """Import these files. Raises VaultLocked."""
        self._meter.begin(len(sources), sum(source.size for source in sources))
        self._told(self._meter.progress())
        if len(sources) < WORTH_HANDS:
            return await self._each(sources)
        self._crew.begin()
        try:
            return await self._each(sources)
        finally:
            await self._lanes.apart(self._crew.end)  # also while all else is being closed

    async def _each(self, sources: Sequence[Source]) -> list[Outcome]:
        marks, turns = pairs(sources), asyncio.Semaphore(AT_ONCE)
        outcomes: list[Outcome] = []
        try:
            async with asyncio.TaskGroup() as group:
                for source in sources:
                    await turns.acquire()
                    await self._going.wait()
                    if self._stopped:
                        break
                    group.create_task(self._one(source, marks.get(source.path, ""), turns, outcomes))
        except ExceptionGroup as failed:  # of files under way at once; what ended one, as a lock does, is true of all
            raise failed.exceptions[0] from None
        return outcomes

    async def _one(self, source: Source, mark: str, turns: asyncio.Semaphore, outcomes: list[Outcome]) -> None:
        try:
            outcomes.append(outcome := await self._take(source, mark))
            if outcome.fate is Fate.REFUSED and self._obstacles is not None and self._why is None:
                self._why = await self._lanes.work(self._obstacles.in_the_way, source.path)
                if self._why is not None:
                    self.stop()
            self._meter.done(source.size)
            self._told(self._meter.progress())
        finally:
            turns.release()

    async def _take(self, source: Source, mark: str) -> Outcome:
        choice = self._choice
        take = self._lanes.drive(self._importer.take, source, mark, only_glasses=choice.only_glasses, again=choice.again)
        taking = asyncio.ensure_future(take)
        try:
            return await self._tell(await asyncio.shield(taking))
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):  # its thread can't be called off, and what came in is to be seen
                await self._tell(await taking)
            raise

    async def _tell(self, taken: Taken) -> Outcome:
        if taken.meta is not None:
            await self._arrived(taken.meta, taken.thumbs)
        return taken.outcome


class _Meter:
    """Counts, the rate over the last seconds, and how long the rest takes at it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files = self._total = self._bytes = self._bytes_total = 0
        self._seen = deque[tuple[float, int]]()

    def begin(self, files: int, size: int) -> None:
        self._total, self._bytes_total = files, size
        self.rested()

    def rested(self) -> None:
        """Nothing was done for a while, and that is no slowness."""
        self._seen.clear()
        self._seen.append((self._clock(), self._bytes))

    def done(self, size: int) -> None:
        self._files, self._bytes = self._files + 1, self._bytes + size
        now = self._clock()
        self._seen.append((now, self._bytes))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def progress(self) -> Progress:
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        rate = (last - first) / (now - began) if now - began >= _SURE else None
        left = (self._bytes_total - self._bytes) / rate if rate else None
        return Progress(self._files, self._total, self._bytes, self._bytes_total, left, rate)
