"""Covering parts of a picture for good: solid fill on the pixels, before anything is encoded. Blur and mosaic can be undone; this cannot.

Pure. Boxes are in pixels of the upright original. `shape(..., edit=...)` is what uses this; the original is never touched.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from app.errors import EyelidError
from app.media.look.boxes import Box, hidden, merged
from app.media.look.types import Findings, Kind, Region

FILL = (0, 0, 0)
BLOCK = 16
"""JPEG codes colour in blocks of 16 x 16 pixels (8 x 8 at half size, ITU-T T.81): covers are grown to whole ones, so that no frequency of a
block mixes what is covered with what is not."""
_MARGINS = {Kind.FACE: 0.25, Kind.TEXT: 0.25, Kind.DOCUMENT: 0.02, Kind.CODE: 0.1}
"""What a cover has more on each side: of a face in parts of its long side (hair and ears), of others of their short side."""
_LEAST_MARGIN = 2
_TOUCHED, _HIDDEN = 0.15, 0.9
"""Parts of a face that covers hide: below the first they were meant for a neighbour, from the second on nothing of a face is left."""
_HALF = 0.5
"""What lies on covers by this much is the covers themselves, taken for large letters."""


class NothingLeft(EyelidError):
    """The crop leaves no picture."""

    def __init__(self) -> None:
        super().__init__("Nothing of the picture would be left.", "The part to keep lies outside of it.", "Choose the part to keep anew.")


class CoverFailed(EyelidError):
    """A cover is not solid in the file that was made. The file is thrown away."""

    def __init__(self) -> None:
        super().__init__("The picture was not prepared.", "A part that was to be covered is not.", "Please report this: it is our fault.")


class FaceShows(CoverFailed):
    """A face that was covered is still found in the file that was made. The file is thrown away."""

    def __init__(self) -> None:
        EyelidError.__init__(
            self,
            "The picture was not prepared.",
            "A face is still to be seen beside a cover.",
            "Make the cover larger, so that it hides all of the face, or move it away.",
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do to a picture: boxes to cover, and the part of it to keep (None: all of it)."""

    covers: tuple[Box, ...] = ()
    crop: Box | None = None

    def __bool__(self) -> bool:
        return bool(self.covers) or self.crop is not None


WHOLE = Edit()
"""Nothing covered, nothing cut off."""


def cover_of(region: Region) -> Box:
    """The box that hides a region: what was found, and a margin."""
    box = region.box
    side = max(box.width, box.height) if region.kind is Kind.FACE else min(box.width, box.height)
    return box.grown(max(_LEAST_MARGIN, round(_MARGINS[region.kind] * side)))


def covers_for(findings: Findings, kinds: Iterable[Kind] = (Kind.FACE,)) -> tuple[Box, ...]:
    """The boxes that hide everything found of these kinds, near ones made one."""
    boxes = (cover_of(region).within(findings.width, findings.height) for region in findings.of(*kinds))
    return merged(boxes)


def still_seen(findings: Findings, covered: Iterable[Box]) -> tuple[Region, ...]:
    """Of what was found in a picture that was covered already, what does not lie on the covers: those can look like large letters."""
    boxes = tuple(covered)
    return tuple(region for region in findings.regions if hidden(region.box, boxes) < _HALF)


def shows(findings: Findings, covered: Iterable[Box]) -> bool:
    """Whether a face was found in a covered picture that a cover hides in part only. One found on a cover itself is none."""
    boxes = tuple(covered)
    return any(_TOUCHED <= hidden(face.box, boxes) < _HIDDEN for face in findings.of(Kind.FACE))


def begin(picture: Image.Image, edit: Edit) -> Image.Image:
    """Cover at full size (in `picture` itself), then crop: no pixel holds anything of what was covered or cut off. Raises NothingLeft.

    The crop is a picture of its own: scaling with a box would let the scaler look beyond it.
    """
    for box in edit.covers:
        _fill(picture, box)
    if edit.crop is None:
        return picture
    kept = edit.crop.within(*picture.size)
    if not kept.area:
        raise NothingLeft
    return picture.crop((kept.left, kept.top, kept.right, kept.bottom))


def finish(picture: Image.Image, original: tuple[int, int], edit: Edit) -> tuple[Box, ...]:
    """Cover once more, at the final size and on whole blocks; returns the covered boxes in pixels of `picture`.

    `original` is the size of the upright original. Scaling has softened the edges of the covers; this makes them hard again, and grows
    them by one pixel before the blocks, because decoders mix the colours of neighbouring blocks at their borders.
    """
    kept = (edit.crop or Box(0, 0, *original)).within(*original)
    across, down = picture.width / kept.width, picture.height / kept.height
    places = (box.within(*original).moved(-kept.left, -kept.top) for box in edit.covers)
    scaled = (box.scaled(across, down).grown(1).on_grid(BLOCK).within(*picture.size) for box in places if box.area)
    done = tuple(dict.fromkeys(box for box in scaled if box.area))
    for box in done:
        _fill(picture, box)
    return done


def check_solid(jpeg: bytes, covered: Iterable[Box]) -> None:
    """Raise CoverFailed unless each box, but for its outermost pixels, has one colour in the file as anybody would decode it."""
    boxes = tuple(covered)
    if not boxes:
        return
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        picture.load()
        for box in boxes:
            inner = _inner(box, *picture.size)
            if inner.area and picture.crop((inner.left, inner.top, inner.right, inner.bottom)).getcolors(1) is None:
                raise CoverFailed


def _inner(box: Box, width: int, height: int) -> Box:
    """Without its outermost pixels, except where it ends with the picture."""
    return Box(box.left + (box.left > 0), box.top + (box.top > 0), box.right - (box.right < width), box.bottom - (box.bottom < height))


def _fill(picture: Image.Image, box: Box) -> None:
    inside = box.within(*picture.size)
    if inside.area:
        picture.paste(FILL, (inside.left, inside.top, inside.right, inside.bottom))
