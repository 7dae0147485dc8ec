"""Fetching from Mentra Live over HTTP: is anybody there, what is there, its bytes with resume and a check, and the word that it is safe.

Owns the manners: one connection at a time, waiting when told to, giving up in the end. What the answers mean is in `mentra_gallery`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncGenerator

from ble.drivers import mentra_gallery as gallery
from ble.drivers.k900 import read_json
from ble.drivers.mentra_gallery import Entry, Page
from ble.drivers.session import utc_now
from ble.drivers.shelf import Shelf
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpAnswer, HttpPort, HttpRequest, NotReachable, Place, WifiTrouble, whole

PROBE_SECONDS = 2.0
ANSWER_BYTES = 64 * 1024
MOST_TRIES = 5
PROGRESS = 64 * 1024
"""Bytes after which a broken transfer counts as having got on."""
LONGEST_PAUSE = 60.0
SLOW_SECONDS = 1.0
"""Between two questions once the glasses said that there were too many."""

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


class Busy(WifiTrouble):
    """The glasses are recording this file, or can't spare the time."""


class MentraShelf(Shelf):
    """The gallery of one pair at one place. `version3` is known after `greet`."""

    def __init__(self, http: HttpPort, place: Place) -> None:
        super().__init__()
        self._http = http
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._pause = 0.0
        self.version3 = False

    async def greet(self, seconds: float) -> None:
        """Wait until the glasses answer, and learn what they can. Raises NotReachable after `seconds`, ProtocolFault."""
        until = self._loop.time() + seconds
        while not await self._is_up():
            if self._loop.time() + PROBE_SECONDS > until:
                raise NotReachable
            await self.wait(PROBE_SECONDS)
        status, body = await self._ask("/api/v3/capabilities")
        self.version3 = status == 200 and read_json(body) is not None

    async def _is_up(self) -> bool:
        try:
            status, body = await whole(self._http, self._request("GET", "/api/health", ANSWER_BYTES))
        except WifiTrouble:
            return False
        return status == 200 and read_json(body) is not None

    async def entries(self) -> tuple[list[Entry], int]:
        """All media on the glasses, newest first, and how many entries made no sense. Raises WifiTrouble, ProtocolFault."""
        found: list[Entry] = []
        unsound, after, limit = 0, "", gallery.PAGE_CAPTURES
        visited: set[str] = set()
        while len(visited) < gallery.MOST_PAGES:
            visited.add(after)
            page = await self._page(after, limit)
            if page is None:
                visited.discard(after)
                limit //= 2
                if limit < 5:
                    raise Busy("The glasses take too long to list their captures.", "They gave up on it themselves.", "Try again later.")
                continue
            found += page.entries
            unsound += page.unsound
            if not page.next:
                break
            if page.next in visited:
                raise gallery.nonsense("Their list goes round in a circle.")
            after = page.next
        return found, unsound

    async def _page(self, after: str, limit: int) -> Page | None:
        """One page; None when the glasses say that so many take too long."""
        where = ("cursor" if self.version3 else "offset", after or ("" if self.version3 else "0"))
        query = f"?limit={limit}" + (f"&{where[0]}={where[1]}" if where[1] else "")
        status, body = await self._ask(("/api/v3/manifest" if self.version3 else "/api/gallery") + query, gallery.PAGE_BYTES)
        if status == 408:
            return None
        _require_ok(status)
        return gallery.read_manifest(body, utc_now()) if self.version3 else gallery.read_listing(body, utc_now())

    async def digest(self, entry: Entry) -> bytes | None:
        """The SHA-256 that the glasses state of `entry`; None where they can't. Raises WifiTrouble, ProtocolFault."""
        if not entry.hash_path:
            return None
        status, body = await self._ask(entry.hash_path)
        _require_ok(status)
        return gallery.read_digest(body, entry)

    async def trash(self, capture: str) -> None:
        """Tell the glasses that a capture is safe, so that they may trash it (for a week or more). Raises WifiTrouble, ProtocolFault."""
        acknowledgement = "eyelid-" + hashlib.sha256(capture.encode()).hexdigest()[:16]
        body = json.dumps({"capture_id": capture, "ack_id": acknowledgement}).encode()
        status, answer = await self._ask("/api/v3/ack", body=body)
        _require_ok(status)
        if gallery.envelope(answer).get("success") is not True:
            raise ProtocolFault("The glasses did not let go of a capture.", "They said no.", "Try again later; it is safe here.")

    # -- bytes ----------------------------------------------------------------------------------------------------------------------

    async def fetch(self, entry: Entry, offset: int, stated: bytes | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of `entry` from `offset` on. What breaks off is gone on with; fetched from the start, it is checked at the end.

        `stated`: its digest, if it was asked for before.

        Raises NotReachable, CutShort, Busy, and ProtocolFault when the file is gone, changed, or not what was stated.
        """
        have, failures, running = offset, 0, hashlib.sha256()
        while have < entry.size:
            before = have
            trouble: WifiTrouble = CutShort()
            try:
                async with contextlib.aclosing(self._part(entry, have, running if offset == 0 else None)) as part:
                    async for piece in part:
                        self.require_open()
                        have += len(piece)
                        running.update(piece)
                        yield piece
            except WifiTrouble as error:
                trouble = error
            if have < entry.size:
                failures = 0 if have - before >= PROGRESS else failures + 1
                if failures >= MOST_TRIES:
                    raise trouble
                await self.wait(min(2.0**failures, LONGEST_PAUSE))
        if offset > 0:
            return
        stated = stated or await self.digest(entry)
        if stated is not None and stated != running.digest():
            raise ProtocolFault("A capture arrived changed.", "Its digest is not the one the glasses stated.", "Fetch it again.")

    async def _part(self, entry: Entry, have: int, running: hashlib._Hash | None) -> AsyncGenerator[bytes, None]:
        headers: tuple[tuple[str, str], ...] = ()
        if have and entry.etag:
            headers = (("range", f"bytes={have}-"), ("if-range", entry.etag))
        async with self._http.open(self._request("GET", entry.path, entry.size, headers)) as answer:
            await self._mind(answer.status)
            skip = _check_part(answer, entry, have)
            seen = hashlib.sha256()
            left = entry.size - have
            async for piece in answer.pieces():
                passed, piece = piece[:skip], piece[skip:]
                skip -= len(passed)
                seen.update(passed)
                if passed and not skip and running is not None and seen.digest() != running.digest():
                    raise _changed()
                if len(piece) > left:
                    raise gallery.nonsense("A file is longer than they said.")
                left -= len(piece)
                if piece:
                    yield piece

    async def _mind(self, status: int) -> None:
        """Wait, or give up, as the glasses ask for with `status`."""
        if status == 429:
            await self._hold_back()
            raise CutShort("The glasses asked for a pause.")
        if status in (403, 409):
            raise Busy("A capture can't be fetched yet.", "The glasses are still recording it.", "Try again when they have finished.")
        if status >= 500 or status == 408:
            raise CutShort("The glasses reported a fault of their own.")

    # -- questions ------------------------------------------------------------------------------------------------------------------

    async def _ask(self, path: str, most: int = ANSWER_BYTES, body: bytes = b"") -> tuple[int, bytes]:
        """A small answer, patiently. Raises WifiTrouble, ProtocolFault."""
        headers = (("content-type", "application/json"),) if body else ()
        for last in (False,) * (MOST_TRIES - 1) + (True,):
            if self._pause:
                await self.wait(SLOW_SECONDS)
            try:
                status, answer = await whole(self._http, self._request("POST" if body else "GET", path, most, headers, body))
            except WifiTrouble:
                if last:
                    raise
                await self.wait(PROBE_SECONDS)
                continue
            if status != 429:
                return status, answer
            await self._hold_back()
        raise Busy("The glasses ask for a pause.", "They were asked too much in a short time.", "Try again in a few minutes.")

    async def _hold_back(self) -> None:
        self._pause = min(max(5.0, self._pause * 2), LONGEST_PAUSE)
        await self.wait(self._pause)

    def _request(self, method: str, path: str, most: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> HttpRequest:
        return HttpRequest(method, self._place, path, most, headers, body)


def _require_ok(status: int) -> None:
    if status in (403, 409):
        raise Busy("The glasses are busy.", "They are recording.", "Try again when they have finished.")
    if status >= 500 or status == 408:
        raise CutShort("The glasses reported a fault of their own.")
    if status != 200:
        raise ProtocolFault("The glasses refused.", f"They answered with the number {status}.", "Look for new captures again.")


def _check_part(answer: HttpAnswer, entry: Entry, have: int) -> int:
    """How many bytes to skip of this answer. Raises ProtocolFault if it is not the rest of the same file."""
    if answer.status == 206:
        found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        if found is None or int(found[1]) != have or int(found[3]) != entry.size:
            raise gallery.nonsense("They sent another part of a file than was asked for.")
        return 0
    if answer.status != 200:
        _require_ok(answer.status)
        raise _changed()
    etag, length = answer.headers.get("etag", ""), answer.headers.get("content-length", "")
    if (entry.etag and etag and etag != entry.etag) or (length.isdigit() and length.isascii() and int(length) != entry.size):
        raise _changed()
    return have


def _changed() -> ProtocolFault:
    return ProtocolFault("A capture was changed while it was fetched.", "It is another file now.", "Look for new captures again.")
