"""Plain data of the media room: kinds, types, and what is found out about a file."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

Source = bytes | BinaryIO
"""A file's content, in memory or as a seekable file-like that reads only what is asked of it. Never a path."""


class MediaKind(enum.Enum):
    """The same words as `app.vault.types.ItemKind`, which this room may not import."""

    PHOTO = "photo"
    VIDEO = "video"
    SOUND = "sound"
    OTHER = "other"


class MediaType(enum.StrEnum):
    """The types Eyelid recognises, named as IANA names them; a member is also the plain string."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"
    HEIC = "image/heic"
    AVIF = "image/avif"
    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"
    WEBM = "video/webm"
    MATROSKA = "video/matroska"
    AVI = "video/x-msvideo"
    WAV = "audio/wav"
    OGG = "audio/ogg"
    MP3 = "audio/mpeg"
    M4A = "audio/mp4"
    AAC = "audio/aac"
    FLAC = "audio/flac"

    @property
    def kind(self) -> MediaKind:
        prefixes = {"image": MediaKind.PHOTO, "video": MediaKind.VIDEO, "audio": MediaKind.SOUND}
        return prefixes[self.value.partition("/")[0]]

    @property
    def suffix(self) -> str:
        """The usual ending of a file's name, with the dot."""
        return _SUFFIXES[self.value]

    @property
    def can_be_shown(self) -> bool:
        """Whether a picture can be made of it here."""
        return self.kind in (MediaKind.PHOTO, MediaKind.VIDEO)


_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
}


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a sound file says of itself.

    `width` and `height` are pixels as stored, before orientation; `orientation` is EXIF 1 to 8; `taken_at` is UTC; `traces` names in
    plain words what else the file carries ("location", "camera serial number", ...); `tags` are those of its own words that tell which
    camera made it, by name ("make", "model", "software", "comment", "copyright", "description"), cut to 200 characters that can be shown.
    """

    kind: MediaKind
    media_type: MediaType
    width: int | None = None
    height: int | None = None
    orientation: int = 1
    taken_at: datetime | None = None
    duration_ms: int | None = None
    traces: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def has_location(self) -> bool:
        return "location" in self.traces

    @property
    def has_serial(self) -> bool:
        return "camera serial number" in self.traces


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small upright JPEG without metadata, and the picture's average colour 0xRRGGBB. Of what has no picture: neither."""

    jpeg: bytes = b""
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Shaped:
    """A derived upright JPEG that carries nothing but the picture; `removed` says in plain words what was left behind.

    `covered`: the places (left, top, right, bottom) of one solid colour, in pixels of this picture.
    """

    jpeg: bytes
    width: int
    height: int
    removed: tuple[str, ...]
    covered: tuple[tuple[int, int, int, int], ...] = ()
