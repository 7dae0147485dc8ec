"""The pipe between Eyelid and the process that looks: frames, and the messages in them. Used by both sides; opens nothing.

A frame, lengths big endian: 4 bytes H (at most 1 MiB), 4 bytes B (at most 64 MiB), H bytes of JSON (one object; "kind" names the
message), B bytes of body. To the worker goes Look, whose body is the picture's file. From it come Hello (first, once), then for each part
asked for one Found, then Done. What comes from the worker is checked like anything from a stranger: it has decoded a stranger's file.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from app.media.decode import PICTURE_BYTES, PIXEL_LIMIT
from app.media.look.boxes import Box
from app.media.look.types import Check, Kind, Part, Region

MAX_HEADER = 1024 * 1024
MAX_REGIONS = 2000
_MAX_WORDS = 64
_LENGTHS = struct.Struct(">II")
_PIECE = 1024 * 1024
_WORDS = re.compile(r"[A-Za-z0-9 .,:'()/-]{0,120}")


class PipeError(Exception):
    """What came through the pipe is no frame, or no message, of this format."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look at `body`, a picture of the IANA type `media_type`, shown upright by EXIF `orientation`, for `parts` in this order."""

    media_type: str
    orientation: int
    parts: tuple[Part, ...]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker is ready. `confined`: the kernel keeps it from sockets, programs and writing files."""

    confined: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one part. `width` and `height` are those of the upright picture, 0 when it could not be opened."""

    check: Check
    width: int = 0
    height: int = 0
    regions: tuple[Region, ...] = ()
    traces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Every part of the Look was told."""


Message = Look | Hello | Found | Done


def encode(message: Message) -> bytes:
    """Return `message` as one frame; raises PipeError when it would be too large."""
    body = b""
    fields: dict[str, Any]
    if isinstance(message, Look):
        body = message.body
        fields = {"media_type": message.media_type, "orientation": message.orientation, "parts": [part.value for part in message.parts]}
    elif isinstance(message, Hello):
        fields = {"confined": message.confined}
    elif isinstance(message, Found):
        check = message.check
        fields = {
            "check": [check.part.value, check.checked, check.reason],
            "size": [message.width, message.height],
            "regions": [_row(region) for region in message.regions],
            "traces": list(message.traces),
        }
    else:
        fields = {}
    header = json.dumps({"kind": type(message).__name__, **fields}, separators=(",", ":")).encode()
    if len(header) > MAX_HEADER or len(body) > PICTURE_BYTES:
        raise PipeError("message too large")
    return _LENGTHS.pack(len(header), len(body)) + header + body


def _row(region: Region) -> list[object]:
    box = region.box
    place = [box.left, box.top, box.right, box.bottom]
    return [region.kind.value, place, region.confidence, region.sure, region.lines, region.note]


def decode(header: bytes, body: bytes) -> Message:
    """Return the message of a frame's two parts; raises PipeError for anything but exactly a message of this format."""
    try:
        found = json.loads(header)
        kind = found.pop("kind")
        if kind == "Look":
            parts = tuple(Part(value) for value in _list(found.pop("parts"), len(Part)))
            message: Message = Look(_words(found.pop("media_type")), _count(found.pop("orientation"), 8), parts, body)
        else:
            message = _from_worker(kind, found)
            if body:
                raise PipeError("a body where none belongs")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PipeError("no message of this format") from error
    if found:
        raise PipeError("other fields than the message has")
    return message


def _from_worker(kind: object, found: dict[str, Any]) -> Message:
    if kind == "Hello":
        return Hello(_flag(found.pop("confined")))
    if kind == "Done":
        return Done()
    if kind != "Found":
        raise PipeError("unknown message")
    part, checked, reason = found.pop("check")
    width, height = (_count(side, PIXEL_LIMIT) for side in found.pop("size"))
    regions = tuple(_region(row, width, height) for row in _list(found.pop("regions"), MAX_REGIONS))
    traces = tuple(_words(word) for word in _list(found.pop("traces"), _MAX_WORDS))
    check = Check(Part(part), _flag(checked), _words(reason))
    if not check.checked and (regions or traces):
        raise PipeError("findings of what was not looked at")
    return Found(check, width, height, regions, traces)


def _region(row: object, width: int, height: int) -> Region:
    kind, place, confidence, sure, lines, note = _list(row, 6)
    left, top, right, bottom = _list(place, 4)
    box = Box(_count(left, width), _count(top, height), _count(right, width), _count(bottom, height))
    if not box.area or type(confidence) not in (int, float) or not 0 <= confidence <= 1:
        raise PipeError("no region of the picture")
    return Region(Kind(kind), box, float(confidence), _flag(sure), _count(lines, MAX_REGIONS), _words(note))


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise PipeError("a short list expected")
    return value


def _count(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise PipeError("count expected")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise PipeError("true or false expected")
    return value


def _words(value: object) -> str:
    """Plain words only: they are shown to the person, and the worker may have been taken over by the picture."""
    if not isinstance(value, str) or not _WORDS.fullmatch(value):
        raise PipeError("plain words expected")
    return value


def read(stream: IO[bytes]) -> Message | None:
    """Wait for the next message; None when the other side closed the pipe between two frames. Raises PipeError."""
    lengths = _exactly(stream.read, _LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise PipeError("the pipe ended inside a frame")
    header_length, body_length = _LENGTHS.unpack(lengths)
    if header_length > MAX_HEADER or body_length > PICTURE_BYTES:
        raise PipeError("a frame too large")
    header, body = _exactly(stream.read, header_length), _exactly(stream.read, body_length)
    if len(header) < header_length or len(body) < body_length:
        raise PipeError("the pipe ended inside a frame")
    return decode(header, body)


def _exactly(take: Callable[[int], bytes], count: int) -> bytes:
    """Read `count` bytes, or fewer where the stream ends; memory grows with what came, not with what was announced."""
    parts: list[bytes] = []
    while count > 0:
        part = take(min(count, _PIECE))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
