"""A folder that is looked into again and again: where a phone's pictures are synchronised to.

A file is taken only when it has lain unchanged for some looks and ends as its kind ends; names that programs give to unfinished files are
passed over. A still and its clip are known as a pair, also when one of them comes much later. What was imported, refused or deleted from
the vault since is not taken again while the file stays as it is. Survives restarts by the importer's memory. Polls, because change notices
do not reach network shares, phones or FUSE.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from app.imports.pairs import partners
from app.imports.sources import find
from app.imports.types import Fate, Outcome, Source
from app.lanes import Lanes

SECONDS = 3.0
"""Between two looks, at least."""
_LONGEST_PAUSE = 60.0
_SHARE = 30
"""A look at a hundred thousand files takes more than a second: the pause after it is so many times as long."""
STILL = 2
"""Looks at which a file must be the same before it is taken."""
_RETRIES = 5
"""Times that a file which could not be read whole is tried again, though nothing about it has changed."""


class FolderWatch:
    """Watches one folder while `run` runs. `take` imports the files that are ready and answers what became of each."""

    def __init__(
        self,
        folder: Path,
        lanes: Lanes,
        take: Callable[[Sequence[Source]], Awaitable[Sequence[Outcome]]],
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._lanes = lanes
        self._take = take
        self._wait = wait
        self._pause = SECONDS
        self._seen: dict[Path, tuple[Source, int]] = {}
        self._settled: dict[Path, Source] = {}
        self._tries: dict[Path, int] = {}
        self.there = True
        """Whether the folder was there at the last look."""

    async def run(self) -> None:
        """Look for ever; cancel it to end. Raises what `take` raises."""
        while True:
            await self.look()
            await self._wait(self._pause)

    async def look(self) -> list[Outcome]:
        """One look: import what is ready now."""
        found = await self._lanes.work(self._found)
        ready = self._with_partners(found, [source for source in found.values() if self._ready(source)])
        for noted in (self._seen, self._settled, self._tries):
            for path in noted.keys() - found.keys():
                del noted[path]
        outcomes = list(await self._take(ready)) if ready else []
        for outcome in outcomes:
            self._note(found[outcome.path], outcome)
        return outcomes

    def _found(self) -> dict[Path, Source]:
        began = time.monotonic()
        self.there = self._folder.is_dir()
        found = {each.path: each for each in find([self._folder]) if isinstance(each, Source)} if self.there else {}
        self._pause = max(SECONDS, min(_LONGEST_PAUSE, _SHARE * (time.monotonic() - began)))
        return found

    def _with_partners(self, found: Mapping[Path, Source], ready: list[Source]) -> list[Source]:
        """Those that are ready, and what belongs to them but was taken before them: only together are they known to be a pair."""
        other = partners(found.values())
        earlier = [other[source.path] for source in ready if source.path in other and other[source.path].path in self._settled]
        return ready + earlier

    def _ready(self, source: Source) -> bool:
        if self._settled.get(source.path) == source or source.size == 0:
            return False
        last, count = self._seen.get(source.path, (None, 0))
        count = count + 1 if last == source else 1
        self._seen[source.path] = source, count
        return count > STILL

    def _note(self, source: Source, outcome: Outcome) -> None:
        """What was refused may still be on its way (a pause of the network): it is tried some times more."""
        tries = self._tries.get(source.path, 0) + 1
        if outcome.fate is Fate.REFUSED and tries < _RETRIES:
            self._tries[source.path] = tries
            self._seen.pop(source.path, None)
            return
        self._tries.pop(source.path, None)
        self._settled[source.path] = source
