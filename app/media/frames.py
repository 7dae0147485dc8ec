"""Single frames out of a clip, as pictures that go the way every picture goes: looked at, covered, shaped. Never any sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.media.decode import encode_jpeg, media_type_of, upright
from app.media.errors import MediaUnsupported, decoding
from app.media.types import MediaKind, MediaType, Source

FRAMES = 4
MAX_FRAMES = 20
QUALITY = 95
"""Close to what was decoded: the frame is encoded once more when it is shaped."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An upright JPEG of the type image/jpeg and orientation 1, without metadata; `at_ms` is its time from the start of the clip."""

    at_ms: int
    jpeg: bytes
    width: int
    height: int


def spread(duration_ms: int | None, count: int = FRAMES) -> tuple[int, ...]:
    """`count` times in ms, evenly spread: the middle of each of as many equal parts; of a clip without a stated length, its start.

    ValueError for a count outside 1 to MAX_FRAMES.
    """
    if not 1 <= count <= MAX_FRAMES:
        raise ValueError(f"{count} frames")
    if not duration_ms:
        return (0,)
    return tuple((2 * index + 1) * duration_ms // (2 * count) for index in range(count))


def frames(
    source: Source, media_type: str, orientation: int, times_ms: Sequence[int] | None = None, long_edge: int | None = None
) -> tuple[Frame, ...]:
    """The frames that `each_frame` yields."""
    return tuple(each_frame(source, media_type, orientation, times_ms, long_edge))


def each_frame(
    source: Source, media_type: str, orientation: int, times_ms: Sequence[int] | None = None, long_edge: int | None = None
) -> Iterator[Frame]:
    """The frames shown at `times_ms` (at most MAX_FRAMES, in any order), or FRAMES evenly spread ones; each once, by time.

    `orientation` is EXIF 1 to 8; `long_edge` makes them small, for a film strip. ValueError for too many times or a negative one.
    Raises MediaDamaged, MediaUnsupported (what is no clip).
    """
    kind = media_type_of(media_type)
    if kind.kind is not MediaKind.VIDEO:
        raise MediaUnsupported("Only a video has frames to choose.", f"This is of the type {kind}.", "Choose a video instead.")
    times = sorted(set(_evenly(source, kind) if times_ms is None else times_ms))
    if not 1 <= len(times) <= MAX_FRAMES or times[0] < 0:
        raise ValueError(f"{len(times)} frames")
    from app.media.film import frames_at  # brings FFmpeg along, which a start without clips need not wait for

    for at, stored in frames_at(source, kind, times, long_edge):
        with decoding("video"):
            picture = upright(stored, orientation)
            frame = Frame(at, encode_jpeg(picture, QUALITY), picture.width, picture.height)
        yield frame


def _evenly(source: Source, media_type: MediaType) -> tuple[int, ...]:
    from app.media.film import inspect_film  # as above

    return spread(inspect_film(source, media_type).duration_ms)
