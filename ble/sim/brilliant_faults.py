"""What can be made to go wrong with a simulated Frame or Halo. Plain data, fixed when the glasses are made."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ble.drivers import brilliant_profile as profile
from ble.sim.faults import Drop, Stall


class Ack(enum.Enum):
    """How the stock app answers a packet."""

    FINE = b"\x01\x00\x00"
    FAILED = b"\x01\x00\x01"
    OLD = b"\x00"
    """As `data.lua` of frame-msg up to 5 did: one byte behind the data marker."""
    NONE = b""


class Main(enum.Enum):
    """What is stored as `main.lua`, which runs by itself after each reset."""

    NONE = "none"
    LOOPS = "loops"
    STUBBORN = "stubborn"
    """Loops, and swallows every break."""


@dataclass(frozen=True, slots=True)
class BrilliantFaults:
    """Faults of the stream, the camera, the prompt and the link. All off by default.

    `k` in the names of pieces is the number within a photo, from 0. The faults of the stream (the first group) harm the first `times`
    photos and spare the rest; None harms them all.
    """

    drop_piece: int | None = None
    duplicate_piece: int | None = None
    swap_piece: int | None = None
    """Piece k and k + 1 arrive in the wrong order."""
    missing_start: bool = False
    missing_end: bool = False
    wrong_total: bool = False
    """Our app's end states one byte more than was sent."""
    end_with_data: bool = False
    """The stock end carries the last bytes of the picture."""
    end_only: bool = False
    """Nothing but the end comes."""
    give_up_after: int | None = None
    """The program reports an error after piece k, in the way it reports errors, and sends no more."""
    stall_after: int | None = None
    disconnect_after: int | None = None
    chatter: bool = False
    """Taps, battery messages and stray text come between the pieces."""
    cut_short: bool = False
    """The picture lacks its second half, and ends as a picture does."""
    too_large: bool = False
    """The picture goes on for more than a camera can make."""
    times: int | None = None

    capture_error: str = ""
    """`image_ready` raises this."""
    never_ready: bool = False
    """`image_ready` stays false, as when a Halo can't encode the picture."""

    mtu: int | None = None
    """Largest ATT MTU the glasses agree to; None: as the model does."""
    lost_prints: frozenset[int] = frozenset()
    """Numbers of the text notifications, counted from 1 over the life of the glasses, that are dropped."""
    deaf_to: int = 0
    """So many data packets are lost before a program sees them."""
    ack: Ack = Ack.FINE
    storage_full: bool = False
    write_error_at: int | None = None
    """The write with this number, counted from 1 over the life of the glasses, fails."""
    disconnect_at_write: int | None = None
    opens_without_emptying: bool = False
    """A file opened for writing keeps what lies beyond what is written, as some Frame firmware has it."""
    app_fails: int = 0
    """So many starts of our app end in an error."""
    app_dies: bool = False
    """Our app ends, once, when the first photo is asked for."""
    main: Main = Main.NONE
    breaks_swallowed: int = 0
    merges_writes: bool = False
    """Halo up to 0.8.8: packets written close together arrive as one."""
    bonded_elsewhere: bool = False
    """The glasses know another computer already."""
    firmware: str | None = None
    hardware: str | None = None


NO_BRILLIANT_FAULTS = BrilliantFaults()


@dataclass(frozen=True, slots=True)
class Complain:
    """The program runs into an error here."""


Step = bytes | Stall | Drop | Complain

_TOO_MUCH = 200 << 10


def spoil_picture(jpeg: bytes, faults: BrilliantFaults) -> bytes:
    """The picture as the camera hands it out."""
    if faults.cut_short:
        return jpeg[: len(jpeg) // 2] + b"\xff\xd9"
    return jpeg[:-2] + bytes(_TOO_MUCH) + jpeg[-2:] if faults.too_large else jpeg


def spoil_stream(start: bytes, pieces: Sequence[bytes], end: bytes, faults: BrilliantFaults) -> Iterator[Step]:
    """The packets of one photo as `faults` would have them sent. `start` is empty where the stream has none."""
    if start and not faults.missing_start:
        yield start
    body = [] if faults.end_only else list(pieces)
    if faults.swap_piece is not None and faults.swap_piece + 1 < len(body):
        body[faults.swap_piece], body[faults.swap_piece + 1] = body[faults.swap_piece + 1], body[faults.swap_piece]
    kept = body.pop() if faults.end_with_data and body else b""
    for number, piece in enumerate(body):
        if number != faults.drop_piece:
            yield piece
        yield from _after(number, piece, faults)
    if not faults.missing_end:
        yield end + kept[1:]


def _after(number: int, piece: bytes, faults: BrilliantFaults) -> Iterator[Step]:
    if number == faults.duplicate_piece:
        yield piece
    if faults.chatter:
        yield bytes([profile.STOCK_TAP])
        yield bytes([profile.STOCK_BATTERY, 61])
    if number == faults.stall_after:
        yield Stall()
    if number == faults.disconnect_after:
        yield Drop()
    if number == faults.give_up_after:
        yield Complain()
