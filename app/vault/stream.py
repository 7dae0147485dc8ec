"""The payload of an age file: chunks of 64 KiB under ChaCha20-Poly1305, with a mark on the last (STREAM).

Owns the chunk arithmetic, sealing and opening with bounded memory, and the seekable reader. Knows no headers, recipients or paths.
Source of all constants: C2SP age.md, section “Payload”.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

CHUNK = 64 * 1024
"""Bytes of plaintext in every chunk but the last."""
TAG = 16
"""Bytes ChaCha20-Poly1305 adds to a chunk."""
SEALED_CHUNK = CHUNK + TAG
_BATCH = 8
BLOCK = _BATCH * CHUNK
"""Bytes of plaintext sealed or opened between two calls to the disk; bounds the memory of both."""
_CACHED = 16
"""Opened chunks a reader keeps: 1 MiB, enough for a player that jumps between index and frames."""


CHANGED = "A part of it was changed or cut."
CUT = "Its end is missing."
EXTENDED = "Something was added after its end."


class PayloadError(Exception):
    """A chunk does not open, or the payload is cut, extended or reordered. The message is a sentence for people."""


def nonce(number: int, last: bool) -> bytes:
    """Return the 12-byte nonce of chunk `number`."""
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def sealed_size(size: int) -> int:
    """Return how many bytes `size` bytes of plaintext take up when sealed, without header and nonce."""
    return size + TAG * max(1, -(-size // CHUNK))


def plain_size(sealed: int) -> int:
    """Return how many bytes of plaintext a sealed payload of that length holds; PayloadError for a length that can't be."""
    full, rest = divmod(sealed, SEALED_CHUNK)
    if rest == 0 and full > 0:
        return full * CHUNK
    if full < 0 or rest < TAG or (rest == TAG and full > 0):
        raise PayloadError(CUT)
    return full * CHUNK + rest - TAG


def blocks(source: bytes | bytearray | memoryview | BinaryIO, size: int = BLOCK) -> Iterator[tuple[memoryview, bool]]:
    """Yield `source` in full blocks of `size`, each with whether it is the last; an empty source is one empty last block.

    A block is valid until the next is asked for. Buffers of this function's own are overwritten at the end.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        view = memoryview(source).cast("B")
        starts = range(0, max(1, len(view)), size)
        for start in starts:
            yield view[start : start + size], start + size >= len(view)
        return
    now, ahead = bytearray(size), bytearray(size)
    used = 0
    try:
        used = have = _fill(source, now)
        while True:
            more = _fill(source, ahead) if have == size else 0
            yield memoryview(now)[:have], more == 0
            if more == 0:
                return
            now, ahead, have = ahead, now, more
    finally:
        now[:used] = ahead[:used] = bytes(used)  # what was never touched takes no memory, and a small file should not make it


def _fill(source: BinaryIO, buffer: bytearray) -> int:
    """Read until `buffer` is full or the source ends; return how much is in it."""
    have = 0
    view = memoryview(buffer)
    into = getattr(source, "readinto", None)  # saves a copy where the source has it; BinaryIO does not promise it
    while have < len(buffer):
        if into is not None:
            got = into(view[have:])
            if not got:
                break
            have += got
            continue
        piece = source.read(len(buffer) - have)
        if not piece:
            break
        view[have : have + len(piece)] = piece
        have += len(piece)
    return have


class Sealer:
    """Seals one payload, block after block, in order, of which none is larger than the first. One AEAD object and one buffer a file."""

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._next = 0
        self._out: memoryview | None = None

    def seal(self, block: memoryview, last: bool) -> memoryview:
        """Return `block` (at most BLOCK bytes, a whole number of chunks unless `last`) sealed; valid until the next call."""
        if len(block) > BLOCK or (not last and (len(block) % CHUNK or not len(block))):
            raise ValueError("blocks are whole chunks, save the last")
        out = self._out = self._out or memoryview(bytearray(sealed_size(len(block))))
        filled = 0
        starts = range(0, max(1, len(block)), CHUNK)
        for start in starts:
            chunk = block[start : start + CHUNK]
            final = last and start == starts[-1]
            size = len(chunk) + TAG
            self._aead.encrypt_into(nonce(self._next, final), chunk, None, out[filled : filled + size])
            self._next += 1
            filled += size
        return out[:filled]


def open_blocks(key: bytes, source: bytes | memoryview | BinaryIO) -> Iterator[memoryview]:
    """Yield the plaintext of the payload at `source` in order, with bounded memory; a block is valid until the next is asked for.

    Raises PayloadError after the last good chunk if the payload is damaged; the plaintext before it has been yielded then, so a caller
    must not act on it before the end.
    """
    aead = ChaCha20Poly1305(key)
    out = bytearray(BLOCK)
    view = memoryview(out)
    number = used = 0
    try:
        for sealed, last in blocks(source, _BATCH * SEALED_CHUNK):
            filled, fault = 0, ""
            starts = range(0, max(1, len(sealed)), SEALED_CHUNK)
            for start in starts:
                size, fault = _open_next(aead, number, last and start == starts[-1], sealed[start : start + SEALED_CHUNK], view[filled:])
                filled += size
                if fault:
                    break
                number += 1
            used = BLOCK if fault else max(used, filled)
            if filled:
                yield view[:filled]
            if fault:
                raise PayloadError(fault)
    finally:
        out[:used] = bytes(used)


def _open_next(aead: ChaCha20Poly1305, number: int, last: bool, chunk: memoryview, out: memoryview) -> tuple[int, str]:
    """Open one chunk in order; return its size and what is wrong with it. A sound chunk with the wrong mark tells cut from changed."""
    size = len(chunk) - TAG
    if size < 0 or (size == 0 and number > 0):
        return 0, CUT
    if _open_into(aead, number, last, chunk, out[:size]):
        return size, ""
    if size == CHUNK and _open_into(aead, number, not last, chunk, out[:size]):
        return size, CUT if last else EXTENDED
    return 0, CHANGED


def _open_into(aead: ChaCha20Poly1305, number: int, last: bool, chunk: memoryview, out: memoryview) -> bool:
    try:
        aead.decrypt_into(nonce(number, last), chunk, None, out)
    except InvalidTag:
        return False
    return True


class StreamReader(io.RawIOBase):
    """Seekable plaintext of one sealed payload; opens only the chunks that are read, and keeps a few.

    The last chunk is opened first of all: only its mark vouches for the length. Owns `source` and closes it. Safe for several threads,
    one read at a time. `revoke` makes every later read raise, for the moment the vault locks.
    """

    def __init__(self, key: bytes, source: BinaryIO, start: int, fault: Callable[[str], Exception] = PayloadError) -> None:
        """`start` is where the payload's first chunk lies in `source`; `fault` makes what is raised for a damaged chunk.

        Raises PayloadError when the length can't be vouched for.
        """
        super().__init__()
        self._fault: Callable[[str], Exception] = PayloadError
        self._guard = threading.RLock()
        self._aead: ChaCha20Poly1305 | None = ChaCha20Poly1305(key)
        self._source = source
        self._start = start
        self._kept: OrderedDict[int, bytearray] = OrderedDict()
        self._revoked: Exception | None = None
        self._at = 0
        self._size = plain_size(source.seek(0, io.SEEK_END) - start)
        self._last = max(0, (self._size - 1) // CHUNK)
        self._chunk(self._last)
        self._fault = fault

    @property
    def size(self) -> int:
        """Bytes of plaintext."""
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self._guard:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
            if base + offset < 0:
                raise ValueError("a position before the start")
            self._at = base + offset
            return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the base class says "any buffer"
        """Fill `buffer` as far as the plaintext goes. Raises what `fault` makes for a damaged chunk."""
        view = memoryview(buffer).cast("B")
        with self._guard:
            done = 0
            while done < len(view) and self._at < self._size:
                number, skip = divmod(self._at, CHUNK)
                chunk = self._chunk(number)
                take = min(len(chunk) - skip, len(view) - done)
                view[done : done + take] = memoryview(chunk)[skip : skip + take]
                done += take
                self._at += take
            if not done:
                self._check_open()
            return done

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, fewer only at the end."""
        with self._guard:
            left = max(0, self._size - self._at)
            wanted = left if size is None or size < 0 else min(size, left)
            out = bytearray(wanted)
            self.readinto(out)
            return bytes(out)

    def readall(self) -> bytes:
        return self.read()

    def revoke(self, error: Exception) -> None:
        """Forget key and plaintext; every read from now on raises `error`."""
        with self._guard:
            self._revoked = error
            self._forget()
            self._source.close()

    def close(self) -> None:
        if not self.closed:
            with self._guard:
                self._forget()
                self._source.close()
        super().close()

    def _forget(self) -> None:
        self._aead = None
        for chunk in self._kept.values():
            chunk[:] = bytes(len(chunk))
        self._kept.clear()

    def _check_open(self) -> ChaCha20Poly1305:
        if self._revoked is not None:
            raise self._revoked
        if self._aead is None:
            raise ValueError("read of a closed file")
        return self._aead

    def _chunk(self, number: int) -> bytearray:
        kept = self._kept.get(number)
        if kept is not None:
            self._kept.move_to_end(number)
            return kept
        aead = self._check_open()
        size = min(CHUNK, self._size - number * CHUNK)
        try:
            self._source.seek(self._start + number * SEALED_CHUNK)
            sealed = self._source.read(size + TAG)
        except OSError as error:
            raise self._fault(f"The disk could not read it: {error.strerror}.") from None
        chunk = bytearray(size)
        if len(sealed) != size + TAG or not _open_into(aead, number, number == self._last, memoryview(sealed), memoryview(chunk)):
            raise self._fault(CHANGED)
        self._kept[number] = chunk
        while len(self._kept) > _CACHED:
            _, old = self._kept.popitem(last=False)
            old[:] = bytes(len(old))
        return chunk
