"""The pipe between Eyelid and its courier: frames, and the messages in them. Used by both sides; opens nothing.

A frame, all lengths big endian:

    4 bytes   H, length of the header; at most 65,536
    8 bytes   B, length of the body; at most 33,554,432 (32 MiB)
    H bytes   the header: one JSON object in UTF-8; its "kind" names the message, its other keys are exactly the message's fields
    B bytes   the body: of a `Send` or `Fetch` what is sent, of an `Answer` a piece of what came, nothing for the others

To the courier go Send, Fetch, More, Cancel and Quit. From it come Hello (first, once), Progress, Status, Head, Answer and End; each Send
and each Fetch is ended by exactly one End. Whoever reads anything else from the pipe must stop trusting it: `PipeError`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, Any, ClassVar

MAX_HEADER = 65_536
MAX_BODY = 32 * 1024 * 1024
_LENGTHS = struct.Struct(">IQ")
_PIECE = 1024 * 1024
_MAX_COUNT = 2**53


class PipeError(Exception):
    """What came through the pipe is no frame, or no message, of this format."""


class Ending(enum.Enum):
    """How carrying a parcel ended. Only DONE says that a whole answer came (of whatever HTTP status)."""

    DONE = "done"
    REFUSED = "refused"
    REDIRECT = "redirect"
    UNREACHABLE = "unreachable"
    INSECURE = "insecure"
    TIMEOUT = "timeout"
    TOO_BIG = "too big"
    BROKEN = "broken"
    CANCELLED = "cancelled"
    LOST = "lost"


Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Carry `body` to `origin` + `path`, if that is what was approved.

    The `approved_` fields come from the approval, the others from the parcel: the courier compares them itself. `expires_at` is in unix
    seconds, the timeouts are in seconds, sizes are in bytes. With `loopback_only` the name must mean this computer, also over TLS.
    """

    kind: ClassVar[str] = "send"
    parcel_id: str
    approval_id: str
    approved_sha256: str
    approved_size: int
    approved_origin: str
    approved_method: str
    approved_path: str
    expires_at: float
    origin: str
    method: str
    path: str
    headers: Headers = field(repr=False)
    loopback_only: bool
    max_answer: int
    connect_timeout: float
    idle_timeout: float
    total_timeout: float
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask glasses on a private network for something they hold (with `loopback`: simulated ones, on this computer, and no others).

    `address` is a numeric IPv4 address, `path` has its query. The answer comes as a Head and its pieces, of which no more than `credit`
    bytes are sent before a More allows further ones; above `max_answer` bytes it is broken off. Timeouts are in seconds.
    """

    kind: ClassVar[str] = "fetch"
    parcel_id: str
    address: str
    port: int
    loopback: bool
    method: str
    path: str
    headers: Headers
    credit: int
    max_answer: int
    connect_timeout: float
    idle_timeout: float
    total_timeout: float
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class More:
    """Of the answer to a Fetch, `credit` bytes in all may have been sent from now on."""

    kind: ClassVar[str] = "more"
    parcel_id: str
    credit: int


@dataclass(frozen=True, slots=True)
class Cancel:
    kind: ClassVar[str] = "cancel"
    parcel_id: str


@dataclass(frozen=True, slots=True)
class Quit:
    kind: ClassVar[str] = "quit"


@dataclass(frozen=True, slots=True)
class Hello:
    """The courier is ready; its mirror listens at `mirror_origin` + `mirror_path`.

    `calls`: the kernel keeps it from programs, local sockets and writing; `files`: from files, by that version of Landlock, 0 for none.
    """

    kind: ClassVar[str] = "hello"
    mirror_origin: str
    mirror_path: str
    calls: bool = False
    files: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """`sent` body bytes are about to be with the network. Told before they are handed over, so it is never too low."""

    kind: ClassVar[str] = "progress"
    parcel_id: str
    sent: int


@dataclass(frozen=True, slots=True)
class Status:
    """The HTTP status of the answer, and of its headers the server's own name for the exchange, where it gives one that is a plain word,
    and its word on zero retention: "true", "false", or nothing.
    """

    kind: ClassVar[str] = "status"
    parcel_id: str
    code: int
    request_id: str = ""
    zero_retention: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """How the answer to a Fetch begins: its status, and those headers that tell about the body."""

    kind: ClassVar[str] = "head"
    parcel_id: str
    code: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class Answer:
    """A piece of the server's answer, raw."""

    kind: ClassVar[str] = "answer"
    parcel_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """The last message about a parcel. `sent` counts body bytes handed to the network; `detail` is for people and holds nothing private."""

    kind: ClassVar[str] = "end"
    parcel_id: str
    sent: int
    status: int | None
    ending: Ending
    detail: str


Message = Send | Fetch | More | Cancel | Quit | Hello | Progress | Status | Head | Answer | End
_MESSAGES: Mapping[str, type[Message]] = MappingProxyType(
    {kind.kind: kind for kind in (Send, Fetch, More, Cancel, Quit, Hello, Progress, Status, Head, Answer, End)}
)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PipeError("text expected")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise PipeError("count expected")
    return value


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _MAX_COUNT:  # type: ignore[operator]
        raise PipeError("seconds expected")
    return float(value)  # type: ignore[arg-type]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise PipeError("true or false expected")
    return value


def _headers(value: object) -> Headers:
    if not isinstance(value, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in value):
        raise PipeError("pairs expected")
    return tuple((_text(name), _text(text)) for name, text in value)


def _ending(value: object) -> Ending:
    try:
        return Ending(value)
    except ValueError as error:
        raise PipeError("unknown ending") from error


_READ: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {
        "str": _text,
        "int": _count,
        "int | None": lambda value: None if value is None else _count(value),
        "float": _seconds,
        "bool": _flag,
        "Headers": _headers,
        "Ending": _ending,
    }
)


def encode(message: Message) -> bytes:
    """Return `message` as one frame; raises PipeError when it would be too large."""
    return b"".join(_frame(message))


def write(stream: IO[bytes], message: Message) -> None:
    """Write `message` as one frame; raises PipeError, and then nothing was written.

    What is written is `encode` of it, without the copy: to join head and body takes as long as to read a clip and pass it on.
    """
    head, body = _frame(message)
    stream.write(head)
    if body:
        stream.write(body)
    stream.flush()


def _frame(message: Message) -> tuple[bytes, bytes]:
    """Lengths and header, and the body."""
    header: dict[str, Any] = {"kind": message.kind}
    body = b""
    for each in dataclasses.fields(message):
        value = getattr(message, each.name)
        if each.name == "body":
            body = value
        else:
            header[each.name] = value.value if isinstance(value, Ending) else value
    text = json.dumps(header, separators=(",", ":")).encode()
    if len(text) > MAX_HEADER or len(body) > MAX_BODY:
        raise PipeError("message too large")
    return _LENGTHS.pack(len(text), len(body)) + text, body


def decode(header: bytes, body: bytes) -> Message:
    """Return the message of a frame's two parts; raises PipeError for anything but exactly a message of this format."""
    try:
        found = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise PipeError("the header is no JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        raise PipeError("the header names no message")
    kind = _MESSAGES.get(found.pop("kind"))
    if kind is None:
        raise PipeError("unknown message")
    fields = {each.name: str(each.type) for each in dataclasses.fields(kind)}
    values: dict[str, Any] = {"body": body} if fields.pop("body", None) else {}
    if body and not values:
        raise PipeError("a body where none belongs")
    if found.keys() != fields.keys():
        raise PipeError("other fields than the message has")
    values |= {name: _READ[fields[name]](value) for name, value in found.items()}
    return kind(**values)


def read(stream: IO[bytes]) -> Message | None:
    """Wait for the next message; None when the other side closed the pipe between two frames. Raises PipeError."""
    lengths = _exactly(stream, _LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise PipeError("the pipe ended inside a frame")
    header_length, body_length = _LENGTHS.unpack(lengths)
    if header_length > MAX_HEADER or body_length > MAX_BODY:
        raise PipeError("a frame too large")
    header, body = _exactly(stream, header_length), _exactly(stream, body_length)
    if len(header) < header_length or len(body) < body_length:
        raise PipeError("the pipe ended inside a frame")
    return decode(header, body)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    """Read `count` bytes, or fewer where the stream ends; memory grows with what came, not with what was announced."""
    parts: list[bytes] = []
    while count > 0:
        part = stream.read(min(count, _PIECE))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
