"""The way between Eyelid and the hands that pack files: a pipe within this computer, and the messages in it. Opens nothing itself.

A message is a byte that says whether an open file is handed over with it, a line of JSON (an object), and what its sender appended. For
each file: Eyelid sends the order with the file, the hand its SHA-256, Eyelid where to seal it to (or nothing, and that was all), the hand
what it packed, or why not. What comes from a hand is checked like anything from a stranger: it has looked into a stranger's file.
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

from app.errors import EyelidError
from app.imports.packing import Order, Packed
from app.media.types import Thumb
from app.vault.codec import MetaError, dump_new, parse_new

LONGEST = 256 * 1024
"""Bytes of a message: a description and two thumbnails take a tenth of it."""
MOST_THUMBS = 8
_LONGEST_TEXT = 500
_ALONE, _WITH_FILE = b"\0", b"\1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LENGTH = struct.Struct("!I")
"""Goes before each message: its bytes."""

Way = Connection
"""Owns the descriptor of one end."""


class PipeBroken(Exception):
    """The other side has gone, or said what is no message of this format."""


class Refused(EyelidError):
    """What the hand says of a file that it did not pack."""


@dataclass(frozen=True, slots=True)
class Message:
    """`fields` are the JSON object's. One to be sent may hand over an open file by its `descriptor`; `handed` tells it of one received."""

    fields: dict[str, Any]
    rest: bytes = field(default=b"", repr=False)
    descriptor: int = -1
    handed: bool = False


def send(way: Way, message: Message) -> None:
    """Raises PipeBroken, also for a message that is too long."""
    handing = message.descriptor >= 0
    line = json.dumps(message.fields, separators=(",", ":")).encode("ascii")
    text = b"".join((_WITH_FILE if handing else _ALONE, line, b"\n", message.rest))
    if len(text) > LONGEST:
        raise PipeBroken
    try:
        left = memoryview(_LENGTH.pack(len(text)) + text)
        while left:
            left = left[os.write(way.fileno(), left) :]
        if handing:
            _hand_over(way, message.descriptor)
    except OSError as error:
        raise PipeBroken from error


def receive(way: Way, seconds: float | None = None) -> Message:
    """Wait for the next message, so long at most. Raises PipeBroken. Descriptors are for the hand to take, never for Eyelid."""
    until = None if seconds is None else time.monotonic() + seconds
    try:
        (length,) = _LENGTH.unpack(_read(way, _LENGTH.size, until))
        if length > LONGEST:
            raise PipeBroken
        text = _read(way, length, until)
        line, _, rest = text[1:].partition(b"\n")
        fields = json.loads(line)
    except (OSError, ValueError, RecursionError) as error:
        raise PipeBroken from error
    if not isinstance(fields, dict):
        raise PipeBroken
    return Message(fields, rest, handed=text[:1] == _WITH_FILE)


def _read(way: Way, length: int, until: float | None) -> bytes:
    """All of it before `until` (of the monotonic clock): whoever stops in the middle of a message has gone as well. Raises PipeBroken."""
    read = bytearray()
    while len(read) < length:
        if until is not None and not _comes(way, max(0.0, until - time.monotonic())):
            raise PipeBroken
        piece = os.read(way.fileno(), length - len(read))
        if not piece:
            raise PipeBroken
        read += piece
    return bytes(read)


def _comes(way: Way, seconds: float) -> bool:
    """`Connection.poll` for one descriptor, at a tenth of its price."""
    if sys.platform == "win32":
        return way.poll(seconds)
    waiting = select.poll()
    waiting.register(way.fileno(), select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def _hand_over(way: Way, descriptor: int) -> None:
    """Raises PipeBroken on Windows, where it goes another way that nobody needs yet; OSError."""
    if sys.platform == "win32":
        raise PipeBroken
    reduction.send_handle(way, descriptor, 0)


def take(way: Way) -> int:
    """The descriptor that was handed over with the message just received; whoever takes it closes it. Raises PipeBroken."""
    if sys.platform == "win32":
        raise PipeBroken
    try:
        return reduction.recv_handle(way)
    except (OSError, EOFError, RuntimeError) as error:
        raise PipeBroken from error


def order_message(order: Order, descriptor: int) -> Message:
    fields = {name: getattr(order, name) for name in Order.__slots__}
    return Message(fields, descriptor=descriptor)


def order_of(message: Message) -> Order:
    """To be called by the hand: Eyelid is believed."""
    fields = message.fields
    return Order(**fields | {"folders": tuple(fields["folders"]), "sizes": tuple(fields["sizes"])})


def digest_of(message: Message) -> str:
    """Raises PipeBroken, Refused."""
    _raise_refusal(message)
    sha256 = message.fields.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise PipeBroken
    return sha256


def packed_message(packed: Packed) -> Message:
    """Without the thumbnails where they are too long: then they are made later."""
    new = dump_new(packed.new)
    thumbs = packed.thumbs if sum(len(thumb.jpeg) for thumb in packed.thumbs) < LONGEST // 2 else ()
    fields = {"sealed": packed.sealed, "new": len(new), "thumbs": [[len(thumb.jpeg), thumb.colour] for thumb in thumbs]}
    return Message(fields, new + b"".join(thumb.jpeg for thumb in thumbs))


def packed_of(message: Message) -> Packed:
    """Raises PipeBroken, Refused."""
    _raise_refusal(message)
    try:
        sealed, length, thumbs = (message.fields[name] for name in ("sealed", "new", "thumbs"))
        if type(sealed) is not bool or type(length) is not int or not 0 <= length <= len(message.rest) or len(thumbs) > MOST_THUMBS:
            raise PipeBroken
        return Packed(parse_new(message.rest[:length]), tuple(_thumbs(thumbs, message.rest[length:])), sealed)
    except (KeyError, TypeError, ValueError, MetaError) as error:
        raise PipeBroken from error


def _thumbs(sizes: Sequence[Any], rest: bytes) -> Iterator[Thumb]:
    at = 0
    for size, colour in sizes:
        if type(size) is not int or not 0 <= size <= len(rest) - at or not (colour is None or _is_colour(colour)):
            raise PipeBroken
        yield Thumb(rest[at : at + size], colour)
        at += size


def _is_colour(value: object) -> bool:
    return type(value) is int and 0 <= value <= 0xFFFFFF


def refusal(parts: tuple[str, str, str]) -> Message:
    return Message({"refused": parts})


def _raise_refusal(message: Message) -> None:
    """Three sentences for people, no longer than such sentences are, and of characters that can be shown."""
    if "refused" not in message.fields:
        return
    parts = message.fields["refused"]
    if not isinstance(parts, list) or len(parts) != 3:
        raise PipeBroken
    if not all(isinstance(part, str) and len(part) <= _LONGEST_TEXT and (part.isprintable() or not part) for part in parts):
        raise PipeBroken
    raise Refused(*parts)
