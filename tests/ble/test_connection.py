"""The connection table over every state and event, and the waits after every kind of error."""

from __future__ import annotations

import inspect
from itertools import pairwise, product

import pytest

import ble.errors
from ble.connection import BACK_OFF, STEPS, Effect, Event, Step, pause, step
from ble.errors import (
    CameraSilent,
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

TRYING = (LinkState.SCANNING, LinkState.CONNECTING, LinkState.SECURING)
PAUSING = (LinkState.WAITING, LinkState.LOST)


@pytest.mark.parametrize(("state", "event"), list(product(LinkState, Event)), ids=lambda value: value.name)
def test_every_event_in_every_state(state: LinkState, event: Event) -> None:
    done = step(state, event)
    # Whatever waits for a retry, and only that, arranges one.
    assert (Effect.WAIT in done.effects) == (done.state in PAUSING and done.state is not state)
    # An arrangement for a retry never outlives its state.
    if state in PAUSING and done.state is not state and event is not Event.DUE:
        assert Effect.STOP_WAITING in done.effects
    # An attempt that is under way is broken off when the wearer does not want it any more, and never begun twice.
    if state in TRYING:
        assert (Effect.ABANDON in done.effects) == (event is Event.UNWANTED)
        assert Effect.SCAN not in done.effects
    # The glasses are left properly from a link that stands, and only from there.
    assert (Effect.CLOSE in done.effects) == (state is LinkState.READY and event is Event.UNWANTED)
    # Not wanting a link leads to none, from everywhere.
    if event is Event.UNWANTED:
        assert done.state is LinkState.IDLE
    # Wanting one leads to trying, from everywhere but where it is tried or there.
    if event is Event.WANTED:
        assert done.state in (*TRYING, LinkState.READY)
    # Only a person leads out of a blocked connection.
    if state is LinkState.BLOCKED and done.state is not state:
        assert event in (Event.WANTED, Event.UNWANTED)
    if (state, event) not in STEPS:
        assert done == Step(state)


def test_the_way_to_a_link_and_back() -> None:
    state = LinkState.IDLE
    seen = []
    for event in (Event.WANTED, Event.HEARD, Event.LINKED, Event.OPENED, Event.DROPPED, Event.DUE, Event.FAILED, Event.DUE, Event.REFUSED):
        state = step(state, event).state
        seen.append(state.name)
    assert seen == ["SCANNING", "CONNECTING", "SECURING", "READY", "LOST", "SCANNING", "WAITING", "SCANNING", "BLOCKED"]


def test_every_state_can_be_reached() -> None:
    assert {done.state for done in STEPS.values()} == set(LinkState)


def test_waits_grow_to_their_limit() -> None:
    waits = [pause(LinkLost("x"), failures) for failures in range(1, 12)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert all(a <= b for a, b in pairwise(w for w in waits if w is not None))
    assert waits[-1] == 60.0
    assert pause(LinkLost("x"), 10_000) == 60.0


@pytest.mark.parametrize("error", [RadioUnavailable, PairingNeeded, NotGlasses, Unsupported])
def test_what_only_a_person_can_help(error: type[GlassesError]) -> None:
    assert pause(error("x"), 1) is None


@pytest.mark.parametrize("error", [LinkLost, NotFound, ProtocolFault, RadioOff, CameraSilent, GlassesError])
def test_what_may_pass_by_itself(error: type[GlassesError]) -> None:
    wait = pause(error("x"), 1)
    assert wait is not None
    assert 0.5 <= wait <= 60


def test_every_error_has_its_wait() -> None:
    for _, kind in inspect.getmembers(ble.errors, lambda value: inspect.isclass(value) and issubclass(value, GlassesError)):
        assert any(base in BACK_OFF for base in kind.__mro__)
