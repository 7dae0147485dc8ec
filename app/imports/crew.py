"""The hands that pack files, each a process (`hand`): made when an import is worth it, lent out one file at a time, ended with it.

So the process with the window is not kept busy by hashing and sealing, nor taken along by a file that its decoder can't stand. Where
processes can't be had this way (descriptors are handed over as Linux does it), files are packed right here.

A hand that a file took over may claim anything of it, and of those it is lent for later: that garbage is the sealed file, for one. It is
believed (`pipe` checks the form only), and for that reason no original is deleted by its word: `Importer.same` reads both to the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, Protocol

from app.errors import EyelidError
from app.imports.packing import Order, Packed, Place, pack
from app.imports.pipe import Message, PipeBroken, Refused, digest_of, order_message, packed_of, receive, send
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import MediaType

HANDS = (os.cpu_count() or 1) + 1
"""One more than there are processors: one of them waits for the drive. No more are ever lent out than threads ask for one."""
_PATIENCE = 120.0
"""Seconds that a hand may take for any file, besides what its length asks for."""
_FAREWELL = 5.0
"""Seconds for the process that hands come from to end by itself."""
_SLOWEST = 256 * 1024
"""Bytes a second: less than the slowest phone or card gives."""
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


class HandGone(EyelidError):
    """The process that was to pack a file has ended over it, or never began."""

    def __init__(self) -> None:
        super().__init__("A file could not be looked into.", "The process that did so ended over it.", "The file may be damaged.")


class NotByHand(Refused):
    """A HEIC picture that has to be decoded to be known: that is done by a program which a hand must not start."""


class OpenPlace(Place, Protocol):
    """A place that is an open file."""

    @property
    def file(self) -> BinaryIO: ...


class Crew:
    """At most `most` hands. Every method is for any thread; `pack` waits for a hand."""

    def __init__(self, most: int = HANDS) -> None:
        self._most = most if sys.platform == "linux" else 0
        self._free = threading.Semaphore(most)
        self._guard = threading.Lock()
        self._idle = list[Hand]()
        self._nursery: Nursery | None = None
        self._wanted = 0

    def begin(self) -> None:
        """From now until its `end`, files are packed by hands."""
        with self._guard:
            self._wanted += 1

    def end(self) -> None:
        """With the last one that was begun, the hands end."""
        with self._guard:
            self._wanted -= 1
            if self._wanted:
                return
            leaving, self._idle = self._idle, []
            nursery, self._nursery = self._nursery, None
        for hand in leaving:
            hand.end()
        if nursery is not None:
            nursery.end()

    def pack(self, file: BinaryIO, order: Order, ask: Callable[[str], OpenPlace | None], *, by_hand: bool = True) -> Packed | None:
        """As `packing.pack`. Raises HandGone and NotByHand besides; after these it can be tried again, after the latter not by a hand."""
        if not self._most or not self._wanted or not by_hand:
            return pack(file, order, ask)
        with self._free:
            hand = self._lent()
            if hand is None:
                return pack(file, order, ask)
            try:
                return hand.pack(file, order, ask)
            except Refused as error:
                raise NotByHand(error.what, error.why, error.action) if _is_heic(file) else error from None
            finally:
                self._back(hand)

    def _lent(self) -> Hand | None:
        """None where no process can be had, or is to be any more."""
        with self._guard:
            if not self._wanted:  # all ended while a thread waited for its turn: nobody would end what began now
                return None
            if self._idle:
                return self._idle.pop()
            for _ in range(2):
                try:
                    self._nursery = self._nursery or Nursery()
                    return Hand(self._nursery)
                except HandGone:
                    nursery, self._nursery = self._nursery, None
                if nursery is not None:
                    nursery.end()
        return None

    def _back(self, hand: Hand) -> None:
        with self._guard:
            if self._wanted and hand.ready:
                self._idle.append(hand)
                return
        hand.end()


def _is_heic(file: BinaryIO) -> bool:
    file.seek(0)
    return sniff(file.read(SNIFF_BYTES)) is MediaType.HEIC


def _pipe() -> tuple[Connection, Connection]:
    """Raises HandGone on Windows, and where no more files can be open."""
    if sys.platform == "win32":
        raise HandGone
    try:
        return Pipe()
    except OSError:
        raise HandGone from None


class Nursery:
    """Owns the process that hands come from. For any thread."""

    def __init__(self) -> None:
        """Raises HandGone."""
        self._guard = threading.Lock()
        self._way, theirs = _pipe()
        try:
            with theirs:
                self._process = subprocess.Popen(  # our own interpreter and module, no text of anybody's
                    [sys.executable, "-E", "-s", "-m", "app.imports.hand"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | {"MALLOC_ARENA_MAX": "2"},
                    cwd=Path(__file__).parents[2],
                )
        except OSError:
            self._way.close()
            raise HandGone from None
        try:
            self.confined = receive(self._way, _PATIENCE).fields.get("confined") is True
        except PipeBroken:
            self.end()
            raise HandGone from None

    def make(self, theirs: Connection) -> int:
        """Have a hand at the other end of a pipe; its process id, which is nobody else's until it is ended here. Raises HandGone."""
        with self._guard:
            try:
                send(self._way, Message({}, descriptor=theirs.fileno()))
                return int(receive(self._way, _PATIENCE).fields["pid"])
            except (PipeBroken, OSError):
                raise HandGone from None

    def end_hand(self, pid: int) -> None:
        """At once. Where this process has gone, the number may be another's already: the hand ends by its pipe then."""
        with self._guard:
            if sys.platform != "win32" and self._process.poll() is None and not self._way.closed:
                with contextlib.suppress(ProcessLookupError, PipeBroken):  # that process goes just now
                    os.kill(pid, signal.SIGKILL)
                    send(self._way, Message({"bury": pid}))

    def end(self) -> None:
        with self._guard:
            self._way.close()
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Hand:
    """Owns one process. For one thread at a time. Of use only while `ready`."""

    def __init__(self, nursery: Nursery) -> None:
        """Raises HandGone."""
        self._nursery = nursery
        self._way, theirs = _pipe()
        with theirs:
            try:
                self.pid = nursery.make(theirs)
            except HandGone:
                self._way.close()
                raise
        self.ready = True

    def pack(self, file: BinaryIO, order: Order, ask: Callable[[str], OpenPlace | None]) -> Packed | None:
        """As `packing.pack`. Raises Refused for what that raises there, and HandGone."""
        self.ready = False
        try:
            packed = self._packed(file, order, ask)
        except PipeBroken:
            raise HandGone from None
        except (EyelidError, OSError):  # the hand's refusal or that of `ask`: it waits for the next order
            self.ready = True
            raise
        self.ready = True
        return packed

    def _packed(self, file: BinaryIO, order: Order, ask: Callable[[str], OpenPlace | None]) -> Packed | None:
        seconds = _PATIENCE + order.size / _SLOWEST
        send(self._way, order_message(order, file.fileno()))
        sha256, place = digest_of(receive(self._way, seconds)), None
        try:
            place = ask(sha256)
        finally:
            send(self._way, Message({}, descriptor=place.file.fileno() if place is not None else -1))
        return packed_of(receive(self._way, seconds)) if place is not None else None

    def end(self) -> None:
        """At once: what it holds is of no use any more."""
        self._way.close()
        self._nursery.end_hand(self.pid)
