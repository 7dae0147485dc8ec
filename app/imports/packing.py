"""What becomes of one opened file: hashed, checked, recognised, sealed. Reads nothing but that file, and needs no secret of the vault.

The same work is done in a process of its own (`hand`) or, where there is none, right here. Nothing half-read is ever sealed: what changed
while it was read, or ends too early, is refused with a reason. A JPEG is not decoded, only walked through; whoever makes its thumbnails
later finds out what that cannot tell.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

from app.imports.recognise import UNKNOWN, recognise
from app.imports.sources import SourceChanged
from app.imports.types import Camera, Clues, Confidence, Sign
from app.media.exif import printable_name
from app.media.inspect import glance
from app.media.types import MediaFacts, Thumb
from app.vault.age import seal_watched
from app.vault.hybrid import parse_recipient
from app.vault.types import ItemKind, NewItem, Origin, Recognised

IN_MEMORY = 64 * 1024 * 1024
"""Bytes of a file that is read into memory once; a longer one is read from the disk again for sealing."""
IMPORTED = "import"
"""Family of the origin of what no known glasses made."""
_PIECE = 1 << 20
_NAMED_TIME = re.compile(r"(?:^|[^0-9])(20\d\d)-?([01]\d)-?([0-3]\d)[_T-]([0-2]\d)-?([0-5]\d)-?([0-5]\d)(?:[^0-9]|$)")
"""Day and time as phone apps write them into names: 20260512_140309."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be known besides the bytes. `name` and `folders` are those of the file, as in `Clues`; `group` is as in `NewItem`.

    `only_glasses`: seal it only if glasses made it. `sizes` are those of the thumbnails, in pixels, the least first.
    """

    name: str
    folders: tuple[str, ...]
    size: int
    modified_ns: int
    group: str
    only_glasses: bool
    sizes: tuple[int, ...]
    recipient: str


@dataclass(frozen=True, slots=True)
class Packed:
    """What the file is, with the thumbnails that were had for next to nothing. Not `sealed`: it was not of the kind that was wanted."""

    new: NewItem
    thumbs: tuple[Thumb, ...]
    sealed: bool = True


class Place(Protocol):
    """Where to seal a file to."""

    def write(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Returns when all are on the disk for good, and were read back and compared. Raises OSError, WriteFailed."""


Ask = Callable[[str], Place | None]
"""Given the SHA-256 of the file (hex): where to seal it to; None: it is not wanted, the vault has it."""


def pack(file: BinaryIO, order: Order, ask: Ask) -> Packed | None:
    """Read `file` from where it stands, its start, and seal it; None where `ask` did not want it.

    Raises what `ask`, `glance` and `Place.write` raise, SourceChanged, OSError.
    """
    data = _whole(file, order.size) if order.size <= IN_MEMORY else None
    sha256 = hashlib.sha256(data).hexdigest() if data is not None else digest(file)
    file.seek(0)
    place = ask(sha256)
    if place is None:
        return None
    facts, thumbs = glance(data if data is not None else file, order.sizes)
    camera = recognise(clues_of(order.name, order.folders, facts))
    new = _described(order, facts, camera)
    if order.only_glasses and not camera.glasses:
        return Packed(new, (), sealed=False)
    if data is not None:
        place.write(sealed for sealed, _ in seal_watched(data, (parse_recipient(order.recipient),)))
    else:
        _seal_again(file, order, place, sha256)
    return Packed(new, thumbs)


def _seal_again(file: BinaryIO, order: Order, place: Place, sha256: str) -> None:
    """Seal a file that is too long for memory, from the disk. Raises SourceChanged when it is not the one that was hashed."""
    second = hashlib.sha256()

    def pieces() -> Iterator[memoryview]:
        for sealed, plain in seal_watched(file, (parse_recipient(order.recipient),)):
            second.update(plain)
            yield sealed
        if second.hexdigest() != sha256:
            raise SourceChanged

    file.seek(0)  # looking at it moved it
    place.write(pieces())


def _whole(file: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes. Raises SourceChanged."""
    parts, left = [], size
    while left and (piece := file.read(left)):
        parts.append(piece)
        left -= len(piece)
    if left or file.read(1):
        raise SourceChanged
    return parts[0] if len(parts) == 1 else b"".join(parts)


def digest(file: BinaryIO) -> str:
    """SHA-256 (hex) of what is left of `file`."""
    hashed = hashlib.sha256()
    while piece := file.read(_PIECE):
        hashed.update(piece)
    return hashed.hexdigest()


def clues_of(name: str, folders: tuple[str, ...], facts: MediaFacts) -> Clues:
    """What recognition looks at in a file."""
    size = (facts.width, facts.height) if facts.width and facts.height else None
    return Clues(facts.tags, name, folders, size)


def _described(order: Order, facts: MediaFacts, camera: Camera) -> NewItem:
    signs = tuple((sign.value, text) for sign, text in camera.signs)
    return NewItem(
        kind=ItemKind(facts.kind.value),
        media_type=facts.media_type,
        taken_at=_taken_at(order, facts),
        origin=Origin(camera.family or IMPORTED, name=camera.label if camera.glasses or signs else ""),
        width=facts.width,
        height=facts.height,
        duration_ms=facts.duration_ms,
        orientation=facts.orientation,
        original_name=printable_name(order.name),
        recognised=Recognised(camera.confidence.value, signs),
        group=order.group,
    )


def camera_of(new: NewItem) -> Camera:
    """What the file of an imported item was recognised as. Raises ValueError for what was never recognised that way."""
    found = new.recognised or Recognised(Confidence.NONE.value)
    family = "" if new.origin.family == IMPORTED else new.origin.family
    signs = tuple((Sign(sign), text) for sign, text in found.signs)
    return Camera(family, new.origin.name or UNKNOWN, Confidence(found.confidence), signs)


def _taken_at(order: Order, facts: MediaFacts) -> datetime:
    """What the file says; else what its name says, in this computer's zone; else when it was written."""
    if facts.taken_at is not None:
        return facts.taken_at
    if (found := _NAMED_TIME.search(order.name)) is not None:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime(*map(int, found.groups())).astimezone(UTC)  # type: ignore[arg-type]  # six groups, six numbers
    try:
        return datetime.fromtimestamp(order.modified_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
