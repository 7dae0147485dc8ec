"""K900 frames: how Mentra Live glasses put JSON on the air, in both byte orders of the length and in chunks. Pure: no clock, no radio.

A frame is `##`, a type byte, a 16-bit length, the payload, `$$`. Which byte order the length has depends on the glasses and their firmware,
so a reader tries both. Messages of the application are JSON, put as a string into another JSON object; what does not fit one frame is cut
into chunks, each of them such a message. Sources, all in Mentra-Community/MentraOS, `asg_client/app/src/main/java/com/mentra/asg_client`,
folder `io/bluetooth/managers/mentralive/internal`: `BesWireFormat.java`, `K900LengthCodec.java`, `MessageChunker.java`.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

HEAD: Final = b"##"
TAIL: Final = b"$$"
STRING: Final = 0x30
PHOTO: Final = 0x31

MOST_PAYLOAD: Final = 512
"""Bytes a frame may carry; a length beyond it is none."""
FRAME_ROOM: Final = 240
"""Bytes a frame of a chunk may take on the air, head and tail included."""
CHUNK_FROM: Final = 200
"""Bytes of wrapped JSON above which a message is sent in chunks."""
CHUNK_BYTES: Final = 80
"""Bytes of text a chunk starts out with, before it is shortened to fit."""

MOST_CHUNKS: Final = 512
LONGEST_MESSAGE: Final = 64 * 1024
"""Bytes of one message put together from chunks; the longest known (lists of networks) take a few thousand."""
MOST_PARTIAL: Final = 8
"""Messages whose chunks may be on their way at once; the oldest gives way."""

_OVERHEAD: Final = 7
_SMALLEST_SLICE: Final = 8
_LONGEST_CHUNK_ID: Final = 128

Json = Mapping[str, Any]


class LengthOrder(enum.Enum):
    """The byte order of a frame's length."""

    BIG = "big"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came; `order` is the byte order its length was found to have."""

    kind: int
    payload: bytes
    order: LengthOrder


def pack(payload: bytes, order: LengthOrder, kind: int = STRING) -> bytes:
    """`payload` (1 to 512 bytes) as a frame; raises ValueError for any other size."""
    if not 0 < len(payload) <= MOST_PAYLOAD:
        raise ValueError("a frame carries 1 to 512 bytes")
    return HEAD + bytes([kind]) + len(payload).to_bytes(2, order.value) + payload + TAIL


class FrameReader:
    """Finds frames in what is notified, however it was split, and its way again after garbage. Never raises; holds about one frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole with `data`."""
        frames: list[Frame] = []
        for start in range(0, len(data), MOST_PAYLOAD):
            self._buffer += data[start : start + MOST_PAYLOAD]
            frames += self._drain()
        return frames

    def _drain(self) -> Iterator[Frame]:
        buffer = self._buffer
        while True:
            start = buffer.find(HEAD)
            if start < 0:
                del buffer[: len(buffer) - buffer.endswith(HEAD[:1])]
                return
            del buffer[:start]
            if len(buffer) < 5:
                return
            frame, wait = _frame_at_start(buffer)
            if frame is not None:
                del buffer[: len(frame.payload) + _OVERHEAD]
                yield frame
            elif wait:
                return
            else:
                del buffer[:1]


def _frame_at_start(buffer: bytearray) -> tuple[Frame | None, bool]:
    """The frame `buffer` begins with; or None, and whether more bytes could make one."""
    lengths = {order: int.from_bytes(buffer[3:5], order.value) for order in LengthOrder}
    wait = False
    for order, length in sorted(lengths.items(), key=lambda pair: pair[1]):
        if not 0 < length <= MOST_PAYLOAD:
            continue
        if len(buffer) < length + _OVERHEAD:
            wait = True
        elif buffer[5 + length : 7 + length] == TAIL:
            return Frame(buffer[2], bytes(buffer[5 : 5 + length]), order), False
    return None, wait


# -- messages -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Code:
    """A message of the Bluetooth chip itself rather than of the application: a short name and a body."""

    name: str
    body: Json = field(default_factory=dict)


def read_json(text: bytes | str) -> Json | None:
    """The JSON object in `text`; None for anything else, however hostile."""
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_number(_: str) -> float:
    raise ValueError("NaN and Infinity are no JSON")


def wrap(text: str, *, wake: bool = False) -> bytes:
    """JSON of the application as it goes into a frame. `wake` rouses the chip that runs the application."""
    return _dump({"C": text, "W": 1} if wake else {"C": text})


def code(name: str) -> bytes:
    """A question to the Bluetooth chip itself, as it goes into a frame."""
    return _dump({"C": name, "V": 1, "B": ""})


def unwrap(payload: bytes) -> Json | Code | None:
    """What a STRING frame says: the application's message, or a code of the chip; None if it is neither."""
    outer = read_json(payload)
    if outer is None:
        return None
    inner = outer.get("C")
    if not isinstance(inner, str):
        return outer if isinstance(outer.get("type") or outer.get("t"), str) else None
    message = read_json(inner)
    if message is not None:
        return message
    body = outer.get("B")
    if isinstance(body, str):
        body = read_json(body)
    return Code(inner[:64], body if isinstance(body, dict) else {})


def dump(message: Json) -> str:
    """A message of the application as text, without needless blanks."""
    return _dump(message).decode()


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# -- chunks -------------------------------------------------------------------------------------------------------------------------


def payloads(text: str, chunk_id: str, *, wake: bool = False, message_id: int | None = None, room: int = FRAME_ROOM) -> list[bytes]:
    """The payloads of the frames that carry `text`: one, or one for each chunk. `room`: bytes a whole frame may take, at least 160."""
    whole = wrap(text, wake=wake)
    if len(whole) <= CHUNK_FROM and len(whole) + _OVERHEAD <= room:
        return [whole]
    size = CHUNK_BYTES
    while True:
        chunks = _chunks(text, size, chunk_id, wake, message_id)
        if max(map(len, chunks)) + _OVERHEAD <= room:
            return chunks
        size -= 4
        if size < _SMALLEST_SLICE:
            raise ValueError("no chunk fits a frame so small")


def _chunks(text: str, size: int, chunk_id: str, wake: bool, message_id: int | None) -> list[bytes]:
    slices = list(_slices(text, size))
    made = []
    for index, part in enumerate(slices):
        chunk: dict[str, Any] = {"t": "ck", "id": chunk_id, "c": index, "n": len(slices), "d": part}
        if message_id is not None and index == len(slices) - 1:
            chunk["mId"] = message_id
        made.append(wrap(dump(chunk), wake=wake))
    return made


def _slices(text: str, size: int) -> Iterator[str]:
    """`text` in parts of at most `size` UTF-8 bytes, cut between characters."""
    data = text.encode()
    start = 0
    while start < len(data):
        end = min(start + size, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[start:end].decode()
        start = end


class ChunkJoiner:
    """Puts messages together from their chunks, in whatever order they come. Never raises; bounded in number and size."""

    def __init__(self) -> None:
        self._partial: dict[str, dict[int, str]] = {}
        self._counts: dict[str, int] = {}

    def feed(self, message: Json) -> Json | None:
        """A message that is no chunk comes back as it is; a chunk yields None until it completes its message."""
        if message.get("t") != "ck" and message.get("type") != "chunked_msg":
            return message
        found = _read_chunk(message)
        if found is None:
            return None
        chunk_id, index, count, text = found
        if self._counts.get(chunk_id, count) != count:
            self._forget(chunk_id)
        if chunk_id not in self._partial and len(self._partial) >= MOST_PARTIAL:
            self._forget(next(iter(self._partial)))
        parts = self._partial.setdefault(chunk_id, {})
        self._counts[chunk_id] = count
        parts[index] = text
        if sum(len(part) for part in parts.values()) > LONGEST_MESSAGE:
            self._forget(chunk_id)
            return None
        if len(parts) < count:
            return None
        self._forget(chunk_id)
        return _joined("".join(parts[position] for position in range(count)), message.get("mId"))

    def _forget(self, chunk_id: str) -> None:
        self._partial.pop(chunk_id, None)
        self._counts.pop(chunk_id, None)


def _read_chunk(message: Json) -> tuple[str, int, int, str] | None:
    chunk_id, text = message.get("id"), message.get("d")
    index, count = whole_number(message, "c", MOST_CHUNKS - 1), whole_number(message, "n", MOST_CHUNKS)
    if not isinstance(chunk_id, str) or not isinstance(text, str) or index is None or count is None:
        return None
    return (chunk_id, index, count, text) if len(chunk_id) <= _LONGEST_CHUNK_ID and index < count else None


def whole_number(message: Json, key: str, most: int) -> int | None:
    """The number under `key`, if it is a whole one from 0 to `most`."""
    value = message.get(key)
    return value if type(value) is int and 0 <= value <= most else None


def text_of(message: Json, key: str, most: int = 256) -> str:
    """The text under `key` if there is one, in print, and not longer than `most`; else an empty string."""
    value = message.get(key)
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _joined(text: str, message_id: object) -> Json | None:
    """The message; the number to acknowledge it by may stand in the last chunk only."""
    message = read_json(text)
    if message is None or message.get("t") == "ck" or type(message_id) is not int or "mId" in message:
        return message
    return {**message, "mId": message_id}
