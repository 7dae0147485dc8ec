"""How the link to one pair of glasses is kept: states, events and effects as a table, and how long to wait after which error.

Pure: no loop, no clock, no radio. `ble.keeper` carries the effects out.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ble.errors import (
    GlassesError,
    LinkLost,
    NotFound,
    NotGlasses,
    PairingNeeded,
    ProtocolFault,
    RadioOff,
    RadioUnavailable,
    Unsupported,
)
from ble.types import LinkState


class Event(enum.Enum):
    """What can happen to a connection."""

    WANTED = "the wearer wants the link"
    UNWANTED = "the wearer wants no link"
    HEARD = "the glasses were heard in a scan"
    LINKED = "the link is up"
    OPENED = "the driver has recognised the glasses and listens"
    FAILED = "an attempt failed, and trying again may help"
    REFUSED = "an attempt failed, and only a person can help"
    DROPPED = "a link that was open is gone"
    DUE = "it is time to try again"


class Effect(enum.Enum):
    """What is to be done about it."""

    SCAN = "listen for the glasses"
    CONNECT = "make the link and open the glasses"
    DELIVER = "pass on what the glasses say"
    WAIT = "arrange to try again"
    STOP_WAITING = "forget that arrangement"
    ABANDON = "break off the attempt"
    CLOSE = "leave the glasses as they should be left"


@dataclass(frozen=True, slots=True)
class Step:
    """Where an event leads, and what is to be done, in order."""

    state: LinkState
    effects: tuple[Effect, ...] = ()


_S, _E, _F = LinkState, Event, Effect

_FAILED = Step(_S.WAITING, (_F.WAIT,))
_REFUSED = Step(_S.BLOCKED)
_BROKEN_OFF = Step(_S.IDLE, (_F.ABANDON,))
_AGAIN = Step(_S.SCANNING, (_F.SCAN,))
_AGAIN_NOW = Step(_S.SCANNING, (_F.STOP_WAITING, _F.SCAN))

STEPS: Mapping[tuple[LinkState, Event], Step] = MappingProxyType(
    {
        (_S.IDLE, _E.WANTED): _AGAIN,
        (_S.SCANNING, _E.HEARD): Step(_S.CONNECTING, (_F.CONNECT,)),
        (_S.SCANNING, _E.FAILED): _FAILED,
        (_S.SCANNING, _E.REFUSED): _REFUSED,
        (_S.SCANNING, _E.UNWANTED): _BROKEN_OFF,
        (_S.CONNECTING, _E.LINKED): Step(_S.SECURING),
        (_S.CONNECTING, _E.FAILED): _FAILED,
        (_S.CONNECTING, _E.REFUSED): _REFUSED,
        (_S.CONNECTING, _E.UNWANTED): _BROKEN_OFF,
        (_S.SECURING, _E.OPENED): Step(_S.READY, (_F.DELIVER,)),
        (_S.SECURING, _E.FAILED): _FAILED,
        (_S.SECURING, _E.REFUSED): _REFUSED,
        (_S.SECURING, _E.UNWANTED): _BROKEN_OFF,
        (_S.READY, _E.DROPPED): Step(_S.LOST, (_F.WAIT,)),
        (_S.READY, _E.UNWANTED): Step(_S.IDLE, (_F.CLOSE,)),
        (_S.LOST, _E.DUE): _AGAIN,
        (_S.LOST, _E.WANTED): _AGAIN_NOW,
        (_S.LOST, _E.UNWANTED): Step(_S.IDLE, (_F.STOP_WAITING,)),
        (_S.WAITING, _E.DUE): _AGAIN,
        (_S.WAITING, _E.WANTED): _AGAIN_NOW,
        (_S.WAITING, _E.UNWANTED): Step(_S.IDLE, (_F.STOP_WAITING,)),
        (_S.BLOCKED, _E.WANTED): _AGAIN,
        (_S.BLOCKED, _E.UNWANTED): Step(_S.IDLE),
    }
)


def step(state: LinkState, event: Event) -> Step:
    """The step for `event` in `state`; an event that means nothing there (it came too late) changes nothing."""
    return STEPS.get((state, event), Step(state))


@dataclass(frozen=True, slots=True)
class BackOff:
    """Seconds to wait after the first failure in a row, doubled with each further one up to `longest`."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """`failures` in a row, from 1."""
        return float(min(self.first * 2 ** min(failures - 1, 16), self.longest))


BACK_OFF: Mapping[type[GlassesError], BackOff | None] = MappingProxyType(
    {
        LinkLost: BackOff(0.5, 60.0),
        NotFound: BackOff(1.0, 60.0),
        ProtocolFault: BackOff(2.0, 60.0),
        RadioOff: BackOff(2.0, 15.0),
        RadioUnavailable: None,
        PairingNeeded: None,
        NotGlasses: None,
        Unsupported: None,
        GlassesError: BackOff(5.0, 60.0),
    }
)
"""By class of error, the nearest base class counts. None: trying again is of no use until a person has done something."""


def pause(error: GlassesError, failures: int) -> float | None:
    """Seconds until the next attempt after `error`, the `failures`-th in a row; None: wait for a person."""
    back_off = next(BACK_OFF[kind] for kind in type(error).__mro__ if kind in BACK_OFF)
    return back_off.after(failures) if back_off is not None else None
