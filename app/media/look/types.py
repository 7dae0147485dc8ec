"""What looking at a picture can find out, as plain data."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from app.media.look.boxes import Box


class Part(enum.Enum):
    """What is looked for, each by a finder of its own, in the order in which they report."""

    METADATA = "metadata"
    FACES = "faces"
    CODES = "codes"
    TEXT = "text"


ALL_PARTS = frozenset(Part)


class Kind(enum.Enum):
    """What a region shows. A document is a paper, a screen or a sign: several lines that stand together."""

    FACE = "face"
    TEXT = "text"
    DOCUMENT = "document"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Region:
    """Something found. `box` is in pixels of the upright picture; `confidence` is the finder's own, 0 to 1.

    `sure` is false where such a finding is often wrong: tick it all the same, and say so. `lines` counts the lines of a document. `note`
    says of a code what it is ("QR code: Wi-Fi login"); what stands in it is never told.
    """

    kind: Kind
    box: Box
    confidence: float
    sure: bool = True
    lines: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one part was looked for. `reason` says why not, as a sentence; empty where it was."""

    part: Part
    checked: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """The result. `width` and `height` are those of the upright picture, 0 when it could not be opened.

    A part without a check has not reported yet. `traces` are the words of `MediaFacts.traces`. No finder finds everything: whoever shows
    this must ask the person to look for themselves, and must not say "no faces" for an empty result.
    """

    width: int = 0
    height: int = 0
    regions: tuple[Region, ...] = ()
    checks: tuple[Check, ...] = ()
    traces: tuple[str, ...] = ()

    def checked(self, part: Part) -> bool:
        """Whether `part` was looked for, and the answer is in."""
        return any(check.part is part and check.checked for check in self.checks)

    def of(self, *kinds: Kind) -> tuple[Region, ...]:
        return tuple(region for region in self.regions if region.kind in kinds)

    @property
    def unchecked(self) -> tuple[Check, ...]:
        """What could not be looked for, with the reasons."""
        return tuple(check for check in self.checks if not check.checked)

    @property
    def has_location(self) -> bool:
        return "location" in self.traces

    @property
    def has_serial(self) -> bool:
        return "camera serial number" in self.traces

    @property
    def has_faces(self) -> bool:
        return bool(self.of(Kind.FACE))


def not_checked(parts: Sequence[Part], reason: str) -> tuple[Check, ...]:
    return tuple(Check(part, False, reason) for part in parts)
