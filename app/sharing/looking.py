"""Looking at what may be sent, before anybody is asked, and making the picture that would go. Nothing leaves here, nothing is decided.

Owns what was found, in memory, until the vault locks. The finders run in a process of their own that can neither reach the network nor
write files; whatever keeps them from looking reads "not checked", with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.lanes import Lanes
from app.media.decode import PIXEL_LIMIT
from app.media.frames import FRAMES, QUALITY, Frame, each_frame, spread
from app.media.inspect import inspect
from app.media.look.boxes import Box
from app.media.look.cover import Edit, FaceShows, covers_for, shows, still_seen
from app.media.look.types import ALL_PARTS, Check, Findings, Kind, Part, not_checked
from app.media.shape import LONG_EDGE, shape
from app.media.types import MediaFacts, MediaType, Shaped
from app.sharing.errors import NotReady
from app.sharing.shaping import Space, fitted
from app.sharing.types import Picture, PictureChoice, PolicyCard
from app.vault.types import ItemId, ItemKind, ItemMeta
from app.vault.vault import Vault

Told = Callable[[Findings], None]
THUMB_EDGE = 320
"""Long edge of the pictures of a filmstrip, in pixels."""
REST_OF_VIDEO = "all the rest of the video, sound included"
_FACES = frozenset({Part.FACES})
_BEYOND = ALL_PARTS - {Part.METADATA}
_JPEG = "image/jpeg"
_KEPT = 500


_Key = tuple[ItemId, int | None, int]
"""An item, the time of a frame, and how the item is turned."""


class Looker(Protocol):
    """The finders, as `app.media.look.link.LookLink` offers them."""

    async def warm(self) -> None: ...
    async def drop(self) -> None: ...
    async def look(
        self, data: bytes, media_type: str, orientation: int, parts: frozenset[Part] = ALL_PARTS, told: Told | None = None
    ) -> Findings: ...


class NoLooker:
    """Stands in where there are no finders: nothing is ever checked."""

    async def warm(self) -> None:
        return None

    async def drop(self) -> None:
        return None

    async def look(
        self, data: bytes, media_type: str, orientation: int, parts: frozenset[Part] = ALL_PARTS, told: Told | None = None
    ) -> Findings:
        return Findings(checks=not_checked([part for part in Part if part in parts], "There are no finders here."))


@dataclass(frozen=True, slots=True)
class Advice:
    """How pictures are to be offered to a destination, given what was found on them.

    `cover_first`: the copy with covered faces is to be offered before the plain one. `covers` are the boxes that hide the faces of each
    picture, in the order of the findings. `forbidden` says why the terms forbid to send them as they are; empty where they do not.
    """

    cover_first: bool
    covers: tuple[tuple[Box, ...], ...]
    forbidden: str = ""


def advise(card: PolicyCard, findings: Sequence[Findings]) -> Advice:
    """Faces are to be covered where the destination may train; where terms forbid people, not checked counts as people."""
    found = any(each.has_faces for each in findings)
    people = found or any(not each.checked(Part.FACES) for each in findings)
    return Advice(found and card.may_train, tuple(covers_for(each) for each in findings), card.forbids_people if people else "")


class Looking:
    """What is done with captures before a parcel is made of them. To be used on one loop."""

    def __init__(self, vault: Vault, lanes: Lanes, looker: Looker) -> None:
        self._vault = vault
        self._lanes = lanes
        self._looker = looker
        self._found: dict[_Key, Findings] = {}
        self._facts_of: dict[ItemId, MediaFacts] = {}
        self._age = 0
        self._turn = asyncio.Lock()
        """One look at a time: who asks for the same gets what the first found, and what is about to be sent waits for one at most."""

    async def warm(self) -> None:
        """Start the finders ahead of the first picture. Never raises."""
        await self._looker.warm()

    async def forget(self) -> None:
        """Drop what was found, and end the finders with what they hold: the vault has locked."""
        self._age += 1
        self._found.clear()
        self._facts_of.clear()
        await self._looker.drop()

    # -- what is on it

    async def look(self, item: ItemId, at_ms: int | None = None, told: Told | None = None) -> Findings:
        """What is found on a photo, or on the frame of a video shown at `at_ms` (its middle, when None); a sound has its traces only.

        `told` is called on the loop with what is known so far, each time a part reports. Found once, it is known until the vault locks.
        Raises VaultLocked, ItemMissing, ObjectDamaged, MediaDamaged, and MediaUnsupported for what is no medium.
        """
        tell = told or (lambda _: None)
        meta = await self._lanes.vault(self._vault.meta, item)
        key = (item, at_ms, meta.new.orientation)  # turned since, what was found lies elsewhere
        if key not in self._found:
            async with self._turn:
                if key not in self._found:  # somebody else may have looked meanwhile
                    return await self._fresh(key, meta, tell)
        tell(self._found[key])
        return self._found[key]

    async def _fresh(self, key: _Key, meta: ItemMeta, tell: Told) -> Findings:
        age = self._age
        findings = await self._seen(meta, key[1], tell)
        if age == self._age and not findings.unchecked:
            while len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
            self._found[key] = findings
        return findings

    async def _seen(self, meta: ItemMeta, at_ms: int | None, tell: Told) -> Findings:
        if meta.new.kind is ItemKind.PHOTO:
            data = await self._lanes.vault(self._vault.read, meta.id)
            if meta.new.media_type != MediaType.HEIC:
                return await self._looker.look(data, meta.new.media_type, meta.new.orientation, told=tell)
            # HEIC is decoded by a program of its own, which the finders may not start: they get its pixels.
            made = await self._lanes.work(shape, data, meta.new.media_type, meta.new.orientation, PIXEL_LIMIT, QUALITY)
            return await self._beyond(made.removed, made.jpeg, tell)
        traces = (await self._facts(meta.id)).traces
        if meta.new.kind is ItemKind.VIDEO:
            return await self._beyond(traces, (await self._still(meta, at_ms)).jpeg, tell)
        rest = not_checked([part for part in Part if part in _BEYOND], "A sound has no picture.")
        findings = Findings(checks=(Check(Part.METADATA, True), *rest), traces=traces)
        tell(findings)
        return findings

    async def _beyond(self, traces: tuple[str, ...], jpeg: bytes, tell: Told) -> Findings:
        """What is found on a picture made of a capture whose metadata are known already."""
        first = Findings(checks=(Check(Part.METADATA, True),), traces=traces)
        tell(first)
        seen = await self._looker.look(jpeg, _JPEG, 1, _BEYOND, lambda findings: tell(_with(first, findings)))
        return _with(first, seen)

    async def _facts(self, item: ItemId) -> MediaFacts:
        """What the file of a video or a sound says of itself."""

        def facts() -> MediaFacts:
            with self._vault.open_media(item) as source:
                return inspect(source)

        if item in self._facts_of:
            return self._facts_of[item]
        age = self._age
        found = await self._lanes.work(facts)
        if age == self._age:  # else the vault locked meanwhile, and nothing of it is kept
            self._facts_of[item] = found
        return found

    async def _spread(self, meta: ItemMeta, count: int) -> tuple[int, ...]:
        return spread(meta.new.duration_ms or (await self._facts(meta.id)).duration_ms, count)

    async def _still(self, meta: ItemMeta, at_ms: int | None, long_edge: int | None = None) -> Frame:
        times = await self._spread(meta, 1) if at_ms is None else (at_ms,)
        return (await self._frames(meta, times, long_edge))[0]

    async def _frames(
        self, meta: ItemMeta, times: Sequence[int], long_edge: int | None, told: Callable[[Frame], None] | None = None
    ) -> tuple[Frame, ...]:
        loop, cut = asyncio.get_running_loop(), []

        def work() -> None:
            with self._vault.open_media(meta.id) as source:
                for frame in each_frame(source, meta.new.media_type, meta.new.orientation, times, long_edge):
                    cut.append(frame)
                    if told is not None:
                        loop.call_soon_threadsafe(told, frame)

        await self._lanes.work(work)
        return tuple(cut)

    # -- pictures to choose from

    async def filmstrip(
        self, item: ItemId, count: int = FRAMES, long_edge: int = THUMB_EDGE, told: Callable[[Frame], None] | None = None
    ) -> tuple[Frame, ...]:
        """Evenly spread frames of a video, small, each with the time that a `PictureChoice` names it by; at most as many as asked for.

        `told` is called on the loop with each as soon as it is there. ValueError for a count outside 1 to 20. Raises MediaUnsupported for
        what is no video, and what `look` raises.
        """
        meta = await self._lanes.vault(self._vault.meta, item)
        return await self._frames(meta, await self._spread(meta, count), long_edge, told)

    async def choices(self, item: ItemId, most: int) -> tuple[PictureChoice, ...]:
        """What goes of an item of which nobody said more: the whole photo, or a few frames of the video. Raises what `filmstrip` raises."""
        meta = await self._lanes.vault(self._vault.meta, item)
        if meta.new.kind is not ItemKind.VIDEO:
            return (PictureChoice(item),)
        strip = await self._frames(meta, await self._spread(meta, max(1, min(FRAMES, most))), THUMB_EDGE)
        return tuple(PictureChoice(item, frame.at_ms) for frame in strip)

    async def view(self, item: ItemId, at_ms: int | None = None, long_edge: int = LONG_EDGE) -> Frame:
        """A photo, or a frame of a video, upright and without metadata, to be shown and drawn upon. Raises what `look` raises."""
        meta = await self._lanes.vault(self._vault.meta, item)
        if meta.new.kind is ItemKind.VIDEO:
            return await self._still(meta, at_ms, long_edge)
        data = await self._lanes.vault(self._vault.read, item)
        made = await self._lanes.work(shape, data, meta.new.media_type, meta.new.orientation, long_edge)
        return Frame(0, made.jpeg, made.width, made.height)

    # -- the picture that would go

    async def picture(self, choice: PictureChoice, space: Space, *, check: bool = False) -> Picture:
        """The picture as it would go: upright, covered and cut as chosen, small enough, with nothing in it but itself.

        What was covered is looked at again (with `check`, everything is): FaceShows when a face that was covered is still found. Raises
        also NotReady, NothingLeft, CoverFailed, and what `look` raises.
        """
        meta = await self._lanes.vault(self._vault.meta, choice.item)
        data, media_type, orientation, at_ms, traces = await self._source(meta, choice.at_ms)
        made = await self._lanes.work(fitted, data, media_type, orientation, space, choice.edit)
        covered = tuple(Box(*place) for place in made.covered)
        faces = await self._faces(made.jpeg, covered) if covered or check else None
        removed = tuple(dict.fromkeys((*traces, *made.removed)))
        return Picture(choice.item, made.jpeg, made.width, made.height, removed, at_ms, covered, faces)

    async def _source(self, meta: ItemMeta, at_ms: int | None) -> tuple[bytes, str, int, int | None, tuple[str, ...]]:
        """A picture's file, its type and orientation; the time of a frame; and what of the capture stays behind besides."""
        if meta.new.kind is not ItemKind.VIDEO:
            return await self._lanes.vault(self._vault.read, meta.id), meta.new.media_type, meta.new.orientation, None, ()
        still = await self._still(meta, at_ms)
        return still.jpeg, _JPEG, 1, still.at_ms, (*(await self._facts(meta.id)).traces, REST_OF_VIDEO)

    async def _faces(self, jpeg: bytes, covered: Sequence[Box]) -> int | None:
        """How many faces are seen beside the covers of a finished picture; None when that is not known. Raises FaceShows."""
        findings = await self._looker.look(jpeg, _JPEG, 1, _FACES)
        if not findings.checked(Part.FACES):
            return None
        if shows(findings, covered):
            raise FaceShows
        return len(still_seen(findings, covered))

    async def redacted(self, data: bytes, media_type: str, orientation: int, space: Space, kinds: Iterable[Kind] = (Kind.FACE,)) -> Shaped:
        """A picture that is in no vault (a frame of a live look), with all that is found of these kinds covered, and no face left to see.

        Raises NotReady when it could not be looked at, CoverFailed when a face is still seen, and the errors of media.
        """
        wanted = tuple(kinds)
        parts = frozenset(PART_OF[kind] for kind in wanted) | _FACES
        findings = await self._looker.look(data, media_type, orientation, parts)
        if unchecked := findings.unchecked:
            raise NotReady("This picture is not sent.", f"It could not be checked. {unchecked[0].reason}", "Try again.")
        made = await self._lanes.work(fitted, data, media_type, orientation, space, Edit(covers_for(findings, wanted)))
        left = await self._faces(made.jpeg, [Box(*place) for place in made.covered])
        if left is None:
            raise NotReady("This picture is not sent.", "It could not be checked again after covering.", "Try again.")
        if left:
            raise FaceShows
        return made


PART_OF = {Kind.FACE: Part.FACES, Kind.TEXT: Part.TEXT, Kind.DOCUMENT: Part.TEXT, Kind.CODE: Part.CODES}


def _with(first: Findings, seen: Findings) -> Findings:
    """What is known of a video as a whole, and of one of its frames."""
    return replace(seen, checks=(*first.checks, *seen.checks), traces=first.traces + seen.traces)
