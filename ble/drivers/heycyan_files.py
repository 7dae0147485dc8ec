"""What HeyCyan glasses hold, over HTTP: a list of names, and files without range, digest or trash. Raises WifiTrouble and ProtocolFault.

Source: `GlassesMediaDownloader.m` and `MainActivity.kt` in ebowwa/HeyCyanSmartGlassesSDK.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from ble.drivers.shelf import Shelf
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpAnswer, HttpPort, HttpRequest, NotReachable, Place, WifiTrouble, whole
from ble.types import CaptureKind

LARGEST_FILE = 4 << 30
LIST_BYTES = 512 * 1024
MOST_NAMES = 10_000
MOST_TRIES = 4
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try to get the list: the server comes up late, and breaks down easily."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_KINDS = {
    ".jpg": (CaptureKind.PHOTO, "image/jpeg"),
    ".mp4": (CaptureKind.VIDEO, "video/mp4"),
    ".opus": (CaptureKind.SOUND, "audio/opus"),
}


@dataclass(frozen=True, slots=True)
class File:
    """One capture, known by its name alone. Sound is bare Opus packets, without a container around them."""

    name: str
    kind: CaptureKind
    media_type: str


def read_list(body: bytes) -> tuple[list[File], int]:
    """The captures named in `media.config`, one a line, and how many lines name none. Raises ProtocolFault for no list at all."""
    lines = body.decode("utf-8", "replace").splitlines()
    if len(lines) > MOST_NAMES:
        raise ProtocolFault("The glasses list more than they can hold.", "Their answer makes no sense.", "Restart the glasses.")
    names = dict.fromkeys(line.strip() for line in lines if line.strip())
    found = [file for name in names if (file := _file(name)) is not None]
    return found, len(names) - len(found)


def _file(name: str) -> File | None:
    kind = _KINDS.get(name[name.rfind(".") :].lower()) if "." in name else None
    if kind is None or not _NAME.fullmatch(name) or ".." in name:
        return None
    return File(name, *kind)


class HeycyanShelf(Shelf):
    """The files of one pair at one place."""

    def __init__(self, http: HttpPort, place: Place) -> None:
        super().__init__()
        self._http = http
        self._place = place

    async def files(self, seconds: float) -> tuple[list[File], int]:
        """The list; waits up to `seconds` for the server to come up."""
        loop = asyncio.get_running_loop()
        until, tries = loop.time() + seconds, 0
        while True:
            await self.wait(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            try:
                request = HttpRequest("GET", self._place, "/files/media.config", LIST_BYTES)
                status, body = await whole(self._http, request)
            except WifiTrouble:
                status, body = 0, b""
            if status == 200:
                return read_list(body)
            if loop.time() > until:
                raise NotReachable

    async def fetch(self, file: File, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of `file` from `offset` on. What breaks off is begun again from the start, and must be the same so far."""
        have, tries, running, form = 0, 0, hashlib.sha256(), _Form(file)
        while True:
            tries += 1
            try:
                async with contextlib.aclosing(self._once(file, have, running)) as pieces:
                    async for piece in pieces:
                        self.require_open()
                        wanted = piece[max(0, offset - have) :]
                        have += len(piece)
                        running.update(piece)
                        form.feed(piece)
                        if wanted:
                            yield wanted
            except WifiTrouble:
                if tries >= MOST_TRIES:
                    raise
                await self.wait(PAUSES[min(tries, len(PAUSES)) - 1])
            else:
                form.check()
                return

    async def _once(self, file: File, have: int, running: hashlib._Hash) -> AsyncGenerator[bytes, None]:
        """The file from the start, without its first `have` bytes, which are only compared."""
        async with self._http.open(HttpRequest("GET", self._place, f"/files/{file.name}", LARGEST_FILE)) as answer:
            _require_ok(answer)
            seen, skip = hashlib.sha256(), have
            async for piece in answer.pieces():
                passed, rest = piece[:skip], piece[skip:]
                skip -= len(passed)
                seen.update(passed)
                if passed and not skip and seen.digest() != running.digest():
                    raise ProtocolFault(
                        "A capture was changed while it was fetched.", "It is another file now.", "Look for captures again."
                    )
                if rest:
                    yield rest
            if skip:
                raise CutShort


def _require_ok(answer: HttpAnswer) -> None:
    if answer.status >= 500:
        raise CutShort("The glasses reported a fault of their own.")
    if answer.status != 200:
        raise ProtocolFault("The glasses refused.", f"They answered with the number {answer.status}.", "Look for captures again.")


class _Form:
    """Whether a file looks whole: these glasses state no digest, and a length not always."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._first = b""
        self._last = b""
        self._index = False

    def feed(self, piece: bytes) -> None:
        self._first = self._first or piece[:2]
        joint = self._last + piece
        self._index = self._index or b"moov" in joint
        self._last = joint[-64:]

    def check(self) -> None:
        """Raises ProtocolFault for a photo without its end, or a video without its index."""
        photo = self._first == b"\xff\xd8" and self._last.rstrip(b"\x00").endswith(b"\xff\xd9")
        fits = {CaptureKind.PHOTO: photo, CaptureKind.VIDEO: self._index}.get(self._file.kind, bool(self._first))
        if not fits:
            raise ProtocolFault("A capture arrived incomplete.", "Its end, or its index, is missing.", "Fetch it again.")
