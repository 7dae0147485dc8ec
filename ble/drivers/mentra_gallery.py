"""What Mentra Live glasses say of their gallery over HTTP, read with suspicion. Pure: answers in, entries out.

Two generations: version 3, with a manifest, ETags, digests and a trash, and the older plain listing
(`asg_client/docs/features/camera-web-server.md` and pull request 3475 of Mentra-Community/MentraOS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ble.drivers.k900 import Json, read_json, text_of, whole_number
from ble.errors import ProtocolFault
from ble.types import CaptureKind

LARGEST_FILE = 4 << 30
"""Bytes; beyond that no clip of such glasses goes."""
PAGE_BYTES = 2 << 20
"""A page of a listing is at most so long."""
PAGE_CAPTURES = 100
MOST_PAGES = 100
MOST_FILES = 64
"""In one capture; bracketed photos have three or five, and sidecars."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,159}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,159})?")
_CAPTURE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,159}")
_PATH = re.compile(r"/api/[A-Za-z0-9._~/%?&=:+,-]{1,600}")
_ETAG = re.compile(r'(W/)?"[A-Za-z0-9._:+/=-]{1,128}"|[A-Za-z0-9._:+/=-]{1,128}')
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")
_CURSOR = re.compile(r"[A-Za-z0-9._:-]{1,256}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(r"(?:IMG|VID|BUFFER)_(\d{8}_\d{6})")
_KINDS = {
    ".jpg": (CaptureKind.PHOTO, "image/jpeg"),
    ".jpeg": (CaptureKind.PHOTO, "image/jpeg"),
    ".png": (CaptureKind.PHOTO, "image/png"),
    ".mp4": (CaptureKind.VIDEO, "video/mp4"),
    ".mov": (CaptureKind.VIDEO, "video/quicktime"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of media on the glasses. `capture` is what it is trashed with; `etag` and `hash_path` are empty on older builds.

    `all_read`: nothing lies in its capture but such entries and sidecars. Of another one a part would go to the trash that is not here.
    """

    capture: str
    name: str
    size: int
    kind: CaptureKind
    media_type: str
    taken_at: datetime
    path: str
    etag: str = ""
    hash_path: str = ""
    request_id: str = ""
    all_read: bool = False

    @property
    def id(self) -> str:
        """Names these bytes: the same again in a later session, another if the file was changed."""
        return f"{self.capture}/{self.name.rpartition('/')[2]}:{self.size}:{_NOT_PLAIN.sub('', self.etag)}"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `unsound` counts entries that no sound server would send; `next` is the cursor, or the offset, or empty."""

    entries: tuple[Entry, ...]
    unsound: int
    next: str


def envelope(body: bytes) -> Json:
    """The data in an answer; raises ProtocolFault for what is none."""
    answer = read_json(body)
    if answer is None:
        raise nonsense("Their answer can't be read.")
    if answer.get("status") == "error":
        raise ProtocolFault("The glasses refused.", "They gave an error instead of an answer.", "Try again in a moment.")
    data = answer.get("data")
    return data if isinstance(data, dict) else answer


def nonsense(why: str) -> ProtocolFault:
    return ProtocolFault("The glasses sent something over Wi-Fi that makes no sense.", why, "Restart the glasses and try again.")


def read_manifest(body: bytes, now: datetime) -> Page:
    """A page of `/api/v3/manifest`. Raises ProtocolFault."""
    data = envelope(body)
    entries: list[Entry] = []
    unsound = 0
    for capture in _objects(data, "captures", PAGE_CAPTURES):
        files = list(_objects(capture, "files", MOST_FILES))
        found = [entry for file in files if (entry := _manifest_entry(capture, file, now)) is not None]
        unsound += sum(1 for file in files if _is_media(file)) - len(found)
        all_read = len(found) == sum(1 for file in files if not _is_sidecar(file))
        entries += (replace(entry, all_read=all_read) for entry in found)
    cursor = text_of(data, "next_cursor") if data.get("has_more") is True else ""
    if cursor and not _CURSOR.fullmatch(cursor):
        raise nonsense("The list goes on at no sensible place.")
    return Page(tuple(entries), unsound, cursor)


def read_listing(body: bytes, now: datetime) -> Page:
    """A page of the older `/api/gallery`. Raises ProtocolFault."""
    data = envelope(body)
    photos = list(_objects(data, "photos", PAGE_CAPTURES))
    entries = tuple(entry for photo in photos if (entry := _listed_entry(photo, now)) is not None)
    offset = whole_number(data, "offset", 1 << 20) or 0
    more = str(offset + len(photos)) if data.get("has_more") is True and photos else ""
    return Page(entries, sum(1 for photo in photos if _is_media(photo)) - len(entries), more)


def read_digest(body: bytes, entry: Entry) -> bytes:
    """The SHA-256 that the glasses state of `entry`. Raises ProtocolFault."""
    data = envelope(body)
    stated = text_of(data, "sha256").lower()
    if not _SHA256.fullmatch(stated) or whole_number(data, "size", LARGEST_FILE) not in (None, entry.size):
        raise nonsense("They state no digest of a file.")
    return bytes.fromhex(stated)


def _objects(data: Json, key: str, most: int) -> Iterator[dict[str, Any]]:
    found = data.get(key)
    if not isinstance(found, list) or len(found) > most:
        raise nonsense("A list in it is missing, or too long.")
    return (each for each in found if isinstance(each, dict))


def _is_media(file: Json) -> bool:
    """Whether a file is something to bring in, or might be: of what has no sensible name one can't know."""
    name = text_of(file, "name")
    return not _is_sidecar(file) and (not name or name.lower().endswith(tuple(_KINDS)))


def _is_sidecar(file: Json) -> bool:
    """Whether a file only says something of another one, as the glasses call it or by its name: what moved while it was taken."""
    return text_of(file, "role") == "sidecar" or text_of(file, "name").lower().endswith(".json")


def _kind(name: str) -> tuple[CaptureKind, str] | None:
    return _KINDS.get(name[name.rfind(".") :].lower()) if "." in name else None


def _manifest_entry(capture: Json, file: Json, now: datetime) -> Entry | None:
    capture_id, etag, hash_path = text_of(capture, "capture_id"), text_of(file, "etag"), text_of(file, "hash_url", 700)
    plain = _plain(file, text_of(file, "download_url", 700))
    if plain is None or not _CAPTURE.fullmatch(capture_id) or not _ETAG.fullmatch(etag) or not safe_path(hash_path):
        return None
    name, size, kind, media_type, path = plain
    milliseconds = whole_number(capture, "timestamp", 2**48)
    taken_at = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else _stamped(capture_id, now)
    request = text_of(capture, "request_id", 128)
    return Entry(capture_id, name, size, kind, media_type, min(taken_at, now), path, etag, hash_path, request)


def _listed_entry(photo: Json, now: datetime) -> Entry | None:
    plain = _plain(photo, text_of(photo, "download", 700))
    if plain is None:
        return None
    name, size, kind, media_type, path = plain
    capture = name.partition("/")[0] if "/" in name else name
    return Entry(capture, name, size, kind, media_type, _stamped(name, now), path, request_id=text_of(photo, "request_id", 128))


def _plain(file: Json, path: str) -> tuple[str, int, CaptureKind, str, str] | None:
    name, size = text_of(file, "name"), whole_number(file, "size", LARGEST_FILE)
    kind = _kind(name)
    if not _is_media(file) or kind is None or not size or not _NAME.fullmatch(name) or ".." in name or not safe_path(path):
        return None
    return name, size, *kind, path


def safe_path(path: str) -> bool:
    """Whether `path` stays on the glasses' own interface: no other host, no way up, nothing hidden behind escapes."""
    plain = unquote(path)
    return bool(_PATH.fullmatch(path)) and ".." not in plain and "//" not in plain and plain.isascii() and plain.isprintable()


def _stamped(name: str, now: datetime) -> datetime:
    """When a capture was made, from its name; the glasses' clock is set to this computer's, local time."""
    found = _STAMP.search(name)
    if found is None:
        return now
    try:
        return min(datetime.strptime(found[1], "%Y%m%d_%H%M%S").astimezone(UTC), now)
    except (ValueError, OverflowError, OSError):
        return now
