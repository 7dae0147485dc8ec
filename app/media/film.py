"""Clips and sounds through PyAV: how long, how large, and the first frame. One careful door to FFmpeg; everything stays in memory."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from app.media.boxes import check_whole
from app.media.clock import was_set
from app.media.errors import EMPTY, UNREADABLE, MediaDamaged, MediaTooLarge, decoding
from app.media.exif import printable
from app.media.types import MediaFacts, MediaKind, MediaType, Source

FRAME_PIXELS = 40_000_000
"""Largest frame that is decoded: above 8K (33 million)."""
_MAX_PACKETS = 256
"""A decoder that has no frame after so many packets of its stream gets no more."""
_MAX_SEEK_PACKETS = 1200
"""Behind a key frame: cameras write one every few seconds at most, that is after some hundred frames."""
_LONGEST_MS = 30 * 24 * 3600 * 1000

_DEMUXERS = {
    MediaType.MP4: "mov",
    MediaType.QUICKTIME: "mov",
    MediaType.M4A: "mov",
    MediaType.WEBM: "matroska",
    MediaType.MATROSKA: "matroska",
    MediaType.AVI: "avi",
    MediaType.WAV: "wav",
    MediaType.OGG: "ogg",
    MediaType.MP3: "mp3",
    MediaType.AAC: "aac",
    MediaType.FLAC: "flac",
}
_CODECS = frozenset(
    {"h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "theora"}
    | {"aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "alac"}
    | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_u8", "pcm_f32le", "pcm_alaw", "pcm_mulaw"}
    | {"adpcm_ima_wav", "adpcm_ms"}
)
"""What cameras and recorders write. FFmpeg has hundreds of other decoders that no capture needs."""
_KEYS = "com.apple.quicktime."
_TAGS = ("make", "model", "software", "comment", "copyright", "description")
_TURNS = {0: 1, -90: 6, 90: 8, 180: 3, -180: 3}
_TRACES = (
    ("location", ("location", "gps")),
    ("camera serial number", ("serial",)),
    ("camera make and model", ("make", "model", "manufacturer")),
    ("date and time", ("creation", "date")),
    ("name of the owner", ("artist", "author", "copyright")),
    ("description or comment", ("comment", "description", "title", "keywords")),
)


def _no_other_file(*_: object) -> NoReturn:
    raise MediaDamaged("It asks for another file.")


@contextmanager
def _opened(source: Source, media_type: MediaType) -> Iterator[InputContainer]:
    """Open with exactly the demuxer of this type, no other files, few streams. Maps what FFmpeg raises to MediaDamaged."""
    file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
    if file.seek(0, io.SEEK_END) == 0:
        raise MediaDamaged(EMPTY, noun=media_type.kind.value)
    check_whole(file, media_type)
    limits = {"max_streams": "16", "protocol_whitelist": "", "codec_whitelist": ",".join(sorted(_CODECS))}
    with (
        decoding(media_type.kind.value),
        av.open(file, "r", format=_DEMUXERS[media_type], container_options=limits, io_open=_no_other_file) as container,
    ):
        yield container


def _ready(stream: VideoStream | AudioStream, noun: str) -> None:
    """Make the decoder ready: one of those that capture needs, on one thread, for frames of a sane size. Raises MediaDamaged."""
    context = stream.codec_context
    if context.name not in _CODECS:
        raise MediaDamaged(UNREADABLE, noun=noun)
    context.thread_count = 1
    if isinstance(stream, VideoStream):
        if stream.width * stream.height > FRAME_PIXELS:
            raise MediaTooLarge(noun=noun)
        context.options = {"max_pixels": str(FRAME_PIXELS)}


def _first_frame(container: InputContainer, stream: VideoStream | AudioStream, noun: str) -> Any:
    """Decode until the first frame, within `_MAX_PACKETS`."""
    _ready(stream, noun)
    for count, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            return frame
        if count > _MAX_PACKETS:
            break
    raise MediaDamaged("Not one picture or tone of it could be decoded.", noun=noun)


def inspect_film(source: Source, media_type: MediaType) -> MediaFacts:
    """Facts of a clip or a sound; its first frame is decoded to prove that it plays. Raises MediaDamaged."""
    with _opened(source, media_type) as container:
        noun = media_type.kind.value
        stream = _video(container) if media_type.kind is MediaKind.VIDEO else None
        if stream is None:
            return _inspect_sound(container, media_type)
        frame: VideoFrame = _first_frame(container, stream, noun)
        return MediaFacts(
            media_type.kind,
            media_type,
            width=frame.width,
            height=frame.height,
            orientation=_TURNS.get(round(frame.rotation), 1),
            taken_at=_created(container.metadata),
            duration_ms=_duration_ms(container),
            traces=_traces(container),
            tags=_tags(container.metadata),
        )


def _inspect_sound(container: InputContainer, media_type: MediaType) -> MediaFacts:
    if not container.streams.audio:
        raise MediaDamaged("It holds neither pictures nor sound.", noun=media_type.kind.value)
    _first_frame(container, container.streams.audio[0], "sound")
    return MediaFacts(
        MediaKind.SOUND,
        media_type,
        taken_at=_created(container.metadata),
        duration_ms=_duration_ms(container),
        traces=_traces(container),
        tags=_tags(container.metadata),
    )


def poster(source: Source, media_type: MediaType, long_edge: int) -> Image.Image:
    """The first frame as it is stored (not turned), scaled down to about `long_edge`. Raises MediaDamaged."""
    with _opened(source, media_type) as container:
        stream = _video(container)
        if stream is None:
            raise MediaDamaged("It holds no pictures.", noun="video")
        frame: VideoFrame = _first_frame(container, stream, "video")
        return _image(frame, long_edge)


def frames_at(
    source: Source, media_type: MediaType, times_ms: Sequence[int], long_edge: int | None = None
) -> Iterator[tuple[int, Image.Image]]:
    """The frames shown at these times (from the start, rising), as stored, each with its own time; one that is shown at several comes once.

    Sound is not touched. `long_edge` scales down. Times behind the end give the last frame. Raises MediaDamaged.
    """
    with _opened(source, media_type) as container:
        stream = _video(container)
        if stream is None:
            raise MediaDamaged("It holds no pictures.", noun="video")
        _ready(stream, "video")
        start, last = (container.start_time or 0) // 1000, None
        for wanted in times_ms:
            frame = _frame_at(container, stream, start + wanted)
            if frame is None:
                raise MediaDamaged("Not one picture of it could be decoded there.", noun="video")
            at = max(0, _time_ms(frame) - start)
            if at != last:
                yield at, _image(frame, long_edge)
            last = at


def _frame_at(container: InputContainer, stream: VideoStream, wanted: int) -> VideoFrame | None:
    """From the key frame before `wanted`, the last frame that is not later; within `_MAX_SEEK_PACKETS`."""
    container.seek(wanted * 1000, backward=True)
    found: VideoFrame | None = None
    for count, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            if found is not None and _time_ms(frame) > wanted:
                return found
            found = frame
        if count > _MAX_SEEK_PACKETS:
            break
    return found


def _time_ms(frame: VideoFrame) -> int:
    return round((frame.time or 0.0) * 1000)


def _image(frame: VideoFrame, long_edge: int | None) -> Image.Image:
    shrink = max(1.0, max(frame.width, frame.height) / (long_edge or math.inf))
    width, height = max(1, round(frame.width / shrink)), max(1, round(frame.height / shrink))
    picture: Image.Image = frame.to_image(width=width, height=height, interpolation="AREA")  # type: ignore[no-untyped-call]
    return picture


def _video(container: InputContainer) -> VideoStream | None:
    return container.streams.video[0] if container.streams.video else None


def _duration_ms(container: InputContainer) -> int | None:
    """Container's own length; FFmpeg counts it in microseconds. None where it says nothing, or nonsense."""
    if container.duration is None:
        return None
    milliseconds = container.duration // 1000
    return milliseconds if 0 <= milliseconds <= _LONGEST_MS else None


def _created(metadata: dict[str, str]) -> datetime | None:
    """Creation time in UTC. Cameras without a clock write the epoch of their format (1904, 1970): not a time.

    Apple's key comes with the zone it was taken in; the header's own field is to be UTC, but some cameras write their clock there.
    """
    return _time(metadata.get(f"{_KEYS}creationdate", "")) or _time(metadata.get("creation_time", ""))


def _time(text: str) -> datetime | None:
    try:
        created = datetime.fromisoformat(text)
        created = created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return created if was_set(created) else None


def _tags(metadata: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The camera's own words, from QuickTime keys (with the "com.apple.quicktime." that FFmpeg leaves there) or plain ones."""
    found = {name: printable(metadata.get(_KEYS + name) or metadata.get(name) or "") for name in _TAGS}
    return tuple((name, text) for name, text in found.items() if text)


def _traces(container: InputContainer) -> tuple[str, ...]:
    keys = {key.lower() for key in container.metadata}
    return tuple(word for word, parts in _TRACES if any(part in key for key in keys for part in parts))
