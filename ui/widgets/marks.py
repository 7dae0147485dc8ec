"""What is marked on one picture of a draft: what the finders found, what the person drew, which of it is covered, and the part to keep.

Pure data in pixels of the upright original. The finders' own boxes are never lost: switching one off only leaves it uncovered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.media.look.boxes import Box, merged
from app.media.look.cover import Edit, cover_of
from app.media.look.types import Findings, Kind
from ui.i18n import plural, tr

LEAST = 12
"""The shortest side of a box, in pixels of the original."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One box. `kind` is None for one that the person drew; `note` is what the finder says of it."""

    box: Box
    kind: Kind | None = None
    covered: bool = True
    sure: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """All that is marked on one picture."""

    found: tuple[Mark, ...] = ()
    drawn: tuple[Mark, ...] = ()
    crop: Box | None = None

    @property
    def all(self) -> tuple[Mark, ...]:
        return (*self.found, *self.drawn)

    @property
    def edit(self) -> Edit:
        """What is to be done to the picture."""
        return Edit(merged(mark.box for mark in self.all if mark.covered), self.crop)

    def of(self, kinds: Iterable[Kind]) -> tuple[Mark, ...]:
        wanted = tuple(kinds)
        return tuple(mark for mark in self.found if mark.kind in wanted)

    def covering(self, kinds: Sequence[Kind], on: bool) -> Marks:
        """The same with everything found of these kinds covered, or none of it."""
        return replace(self, found=tuple(replace(mark, covered=on) if mark.kind in kinds else mark for mark in self.found))

    def seen(self, findings: Findings, cover: Sequence[Kind] = ()) -> Marks:
        """The same with what the finders have found by now; of these kinds, what is new is covered at once."""
        known = {(mark.kind, mark.box): mark for mark in self.found}
        found = []
        for region in findings.regions:
            box = cover_of(region).within(findings.width, findings.height)
            note = region.note or (plural(region.lines, "{count} line", "{count} lines") if region.lines else "")
            fresh = Mark(box, region.kind, region.kind in cover, region.sure, note)
            found.append(known.get((region.kind, box), fresh))
        return replace(self, found=tuple(found))


def name_of(mark: Mark, number: int) -> str:
    """A mark in words; `number` counts those of its kind."""
    named = {
        Kind.FACE: tr("Face {number}", number=number),
        Kind.TEXT: tr("Text {number}", number=number),
        Kind.DOCUMENT: tr("Screen or paper {number}", number=number),
        Kind.CODE: tr("Code {number}", number=number),
        None: tr("Your box {number}", number=number),
    }[mark.kind]
    said = tr("{name}, {note}", name=named, note=mark.note) if mark.note else named
    return said if mark.sure else tr("{name}, perhaps", name=said)


def names_of(marks: Sequence[Mark]) -> tuple[str, ...]:
    """The marks in words, in their order."""
    counts: dict[Kind | None, int] = {}
    made = []
    for mark in marks:
        counts[mark.kind] = counts.get(mark.kind, 0) + 1
        made.append(name_of(mark, counts[mark.kind]))
    return tuple(made)
