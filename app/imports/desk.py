"""What a window or the command line asks of imports: runs, the watched folder, phones, Meta's archive, and clearing the source afterwards.

Owns the memory of earlier imports and the watch. To be used on the loop it was made on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from app.errors import Explanation, EyelidError, explain
from app.imports import phones
from app.imports.crew import Crew
from app.imports.importer import Importer
from app.imports.memory import ImportMemory
from app.imports.meta_archive import SharedPicture, shared_pictures
from app.imports.packing import clues_of
from app.imports.recognise import recognise
from app.imports.run import Arrived, Choice, Run
from app.imports.sources import find
from app.imports.types import Fate, Outcome, Progress, Source
from app.imports.watch import FolderWatch
from app.lanes import Lanes
from app.media.exif import printable_name
from app.media.inspect import inspect_and_show
from app.vault.errors import VaultLocked
from app.vault.types import ItemId, ItemKind, ItemMeta, LockState, NewItem, Origin, Recognised, Share
from app.vault.vault import Vault

META_AI = "meta-ai"
"""The policy card that says what happens to what is shared with Meta AI from the phone."""
ARCHIVE = "meta-archive"
"""The family of what was taken in from Meta's archive and is of no glasses that are known."""
META = "Meta"
_REMEMBERED = 2000
"""Files of the watched folder whose end is remembered for the person."""
_LATELY = timedelta(days=1)
"""For so long a restart forgets nothing of what was taken in."""


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What an archive told: items that were there and are marked now, and pictures that were taken in from it, marked too."""

    marked: tuple[ItemId, ...]
    added: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of the sources: removed paths, and those left where they are, with the reason."""

    removed: tuple[Path, ...]
    left: tuple[tuple[Path, Explanation], ...]


class ImportDesk:
    """One a vault. `arrived` is awaited with each new item and its thumbnails of `sizes` pixels; `changed` gets items marked anew."""

    def __init__(
        self,
        vault: Vault,
        lanes: Lanes,
        root: Path,
        sizes: tuple[int, ...],
        arrived: Arrived,
        changed: Callable[[tuple[ItemId, ...]], None],
        trouble: Callable[[Explanation], None],
    ) -> None:
        self._vault = vault
        self._lanes = lanes
        self._sizes = sizes
        self._arrived = arrived
        self._changed = changed
        self._trouble = trouble
        self._memory = ImportMemory(root / "imports.sqlite", vault.id)
        self._crew = Crew()
        self._importer = Importer(vault, self._memory, sizes, self._crew)
        self._watch: FolderWatch | None = None
        self._watching: asyncio.Task[None] | None = None
        self.watched: Path | None = None
        self._came = deque[tuple[datetime, Outcome]](maxlen=_REMEMBERED)

    def run(self, choice: Choice = Choice(), on_progress: Callable[[Progress], None] = lambda _: None) -> Run:  # noqa: B008  (frozen)
        """An import that is ready to go: await its `files(paths)`."""
        return Run(self._importer, self._crew, self._lanes, self._arrived, choice, on_progress)

    async def phones(self) -> tuple[phones.Phone, ...]:
        """Phones, cameras and cards that are plugged in and can be read as folders."""
        return await self._lanes.apart(phones.phones)

    # -- the watched folder

    def watch(self, folder: Path | None) -> None:
        """Watch this folder from now on instead of another; None: none. What arrives while the vault is locked waits until it is not."""
        if self._watching is not None:
            self._watching.cancel()
        self._watch, self._watching, self.watched = None, None, folder
        self._came.clear()
        if folder is not None:
            self._watch = FolderWatch(folder, self._lanes, self._take_watched)
            self._watching = asyncio.ensure_future(self._keep_watching(self._watch))

    @property
    def watched_is_there(self) -> bool:
        """Whether the watched folder could be read at the last look."""
        return self._watch is None or self._watch.there

    def came(self, since: datetime) -> tuple[Outcome, ...]:
        """The last of each file of the watched folder since then, without what was known already and refusals before the start."""
        return tuple({outcome.path: outcome for at, outcome in self._came if at >= since}.values())

    async def _keep_watching(self, watch: FolderWatch) -> None:
        told = False
        while self._watch is watch:  # what fails just as it is called off is raised instead of that
            try:
                await watch.run()
            except VaultLocked:
                continue  # meanwhile: what came in until then is known when the rest is taken
            except Exception as error:  # a full disk today is no reason to stop for good
                if not told:
                    self._trouble(explain(error))
                told = True
                await asyncio.sleep(15)

    async def _take_watched(self, sources: Sequence[Source]) -> Sequence[Outcome]:
        if self._vault.state is not LockState.UNLOCKED:
            return ()
        outcomes = await self.run(Choice(again=False)).sources(sources)
        now = datetime.now(UTC)
        self._came.extend((now, outcome) for outcome in outcomes if outcome.fate is not Fate.KNOWN)
        self._came.extend(await self._lanes.work(self._taken_lately, sources, outcomes, now - _LATELY))
        return outcomes

    def _taken_lately(self, sources: Sequence[Source], outcomes: Sequence[Outcome], since: datetime) -> list[tuple[datetime, Outcome]]:
        """Those that are known because they were taken in from there before this start, and when that was."""
        by_path = {source.path: source for source in sources}
        known = [(self._memory.taken_at(by_path[each.path]), each) for each in outcomes if each.fate is Fate.KNOWN]
        return [(at, replace(each, fate=Fate.TAKEN)) for at, each in known if at is not None and at >= since]

    # -- clearing the source

    async def remove_sources(
        self, outcomes: Sequence[Outcome], on_progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> Removal:
        """Delete files that were taken in or known, each only after the vault's copy was read to its end and equals the file as it is now.

        Only ever to be called from the person's own act. Files that differ, can't be checked, or whose copy lies in the trash, are left.
        `on_progress` gets how many were looked at, of how many.
        """
        removed, left = [], []
        safe = [(each.path, each.item) for each in outcomes if each.fate in (Fate.TAKEN, Fate.KNOWN) and each.item is not None]
        for number, (path, item) in enumerate(safe):
            on_progress(number, len(safe))
            why = await self._lanes.work(self._remove, path, item)
            if why is None:
                removed.append(path)
            else:
                left.append((path, why))
        return Removal(tuple(removed), tuple(left))

    def _remove(self, path: Path, item: ItemId) -> Explanation | None:
        source = next(find([path]), None)
        if path.is_symlink() or not isinstance(source, Source):  # what a link leads to was never imported from here
            return Explanation("It is no file any more.")
        try:
            if self._vault.meta(item).trashed_at is not None:
                return Explanation("Its copy is in the vault's trash.", "It is deleted for good there in time.", "Restore it first.")
            if not self._importer.same(source, item):
                return Explanation("It differs from what the vault has.", "It was changed since.", "Import it again.")
            source.path.unlink()
        except (OSError, EyelidError) as error:
            return explain(error)
        return None

    # -- what already left

    async def meta_archive(self, *paths: Path) -> ArchiveReport:
        """Mark what Meta's archive says was shared with Meta AI; pictures that the vault has not are taken in from the archive.

        `paths`: its parts. Raises ArchiveUnreadable, OSError, VaultLocked.
        """
        pictures = shared_pictures(*paths)
        marked, added = dict[ItemId, None](), dict[ItemId, None]()
        try:
            while (picture := await self._lanes.work(lambda: next(pictures, None))) is not None:  # one at a time: they may be large
                await self._mark(picture, marked, added)
        finally:
            if marked or added:
                self._changed((*marked, *added))
        return ArchiveReport(tuple(marked), tuple(added))

    async def _mark(self, picture: SharedPicture, marked: dict[ItemId, None], added: dict[ItemId, None]) -> None:
        item = await self._lanes.vault(self._vault.with_digest, hashlib.sha256(picture.data).hexdigest())
        if item is None:
            item = await self._add(picture)
            if item is None:
                return
            added[item] = None
        elif item not in added:
            marked[item] = None
        await self._lanes.vault(self._vault.change, item, partial(_shared, at=picture.at))

    async def _add(self, picture: SharedPicture) -> ItemId | None:
        """None for what turns out to be no whole picture."""
        with contextlib.suppress(EyelidError):
            facts, thumbs = await self._lanes.work(inspect_and_show, picture.data, self._sizes)
            camera = recognise(clues_of(picture.name, (), facts))
            new = NewItem(
                ItemKind(facts.kind.value),
                facts.media_type,
                facts.taken_at or picture.at or datetime.now(UTC),
                Origin(camera.family, name=camera.label) if camera.glasses else Origin(ARCHIVE, name="Meta's archive"),
                facts.width,
                facts.height,
                facts.duration_ms,
                facts.orientation,
                printable_name(picture.name),
                Recognised(camera.confidence.value, tuple((sign.value, text) for sign, text in camera.signs)),
            )
            meta = await self._lanes.vault(self._vault.add, picture.data, new)
            await self._arrived(meta, thumbs)
            return meta.id
        return None

    async def close(self) -> None:
        """Stop watching and leave the memory in order."""
        watching = self._watching
        self.watch(None)
        if watching is not None:
            await asyncio.gather(watching, return_exceptions=True)
        await self._lanes.work(self._memory.close)


def _shared(meta: ItemMeta, at: datetime | None) -> ItemMeta:
    """`meta` with the mark; there is no receipt for what left elsewhere, so its number is 0."""
    share = Share(META_AI, META, at or meta.new.taken_at, 0, leaves_computer=True)
    return meta if share in meta.shares else replace(meta, shares=(*meta.shares, share))
