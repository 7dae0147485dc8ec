"""Pairing as a pure machine: every screen, every way on, back and out, and what comes too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Explanation
from app.glasses import pairing
from app.glasses.pairing import Effect, Event, PairingState, Remedy, Stage, is_namesake, remedy_for, step
from app.glasses.types import FoundGlasses, KnownGlasses
from ble.errors import CameraSilent, LinkLost, NotGlasses, PairingNeeded, RadioOff

ADDRESS = "F0:11:22:33:44:55"
FOUND = FoundGlasses(ADDRESS, "open", "Mine", -50, known=False, simulated=False)
KNOWN = KnownGlasses("F0:00:00:00:00:01", "open", "Mine", datetime(2026, 5, 12, tzinfo=UTC))
WHY = Explanation("What.", "Why.", "Act.")


def run(*events: Event) -> tuple[PairingState, list[Effect]]:
    state, effects = PairingState(), []
    for event in events:
        state, effect = step(state, event)
        if effect is not None:
            effects.append(effect)
    return state, effects


LISTED = (pairing.Begin(), pairing.Heard(FOUND))
CAUTIONED = (*LISTED, pairing.Choose(ADDRESS, ("Mind.",)))
CONNECTING = (*CAUTIONED, pairing.Agree())
SECURING = (*CONNECTING, pairing.Linked())


def test_the_whole_way() -> None:
    enrolled = replace(KNOWN, address=ADDRESS)
    state, effects = run(*SECURING, pairing.CodeShown("012345"), pairing.CodeAnswered(True), pairing.Paired(enrolled))
    assert (state.stage, state.paired, state.code) == (Stage.READY, enrolled, "")
    assert effects == [Effect.SEARCH, Effect.STOP, Effect.PAIR, Effect.SAME]


def test_the_list_keeps_its_order_and_its_bounds() -> None:
    louder = replace(FOUND, rssi=-40)
    others = [pairing.Heard(replace(FOUND, address=f"F0:00:00:00:00:{number:02X}")) for number in range(200)]
    state, _ = run(*LISTED, *others, pairing.Heard(louder))
    assert state.found[0] == louder
    assert len(state.found) == pairing.MOST_FOUND


def test_nothing_heard_says_why_and_a_search_can_be_begun_again() -> None:
    state, _ = run(pairing.Begin(), pairing.SearchEnded(WHY))
    assert (state.stage, state.searching, state.failure, state.remedy) == (Stage.LOOKING, False, WHY, Remedy.SEARCH)
    assert step(state, pairing.Again()) == (PairingState(searching=True), Effect.SEARCH)
    heard, _ = run(*LISTED, pairing.SearchEnded(WHY))
    assert heard.failure is None


def test_without_cautions_or_when_paired_already_it_goes_straight_on() -> None:
    assert run(*LISTED, pairing.Choose(ADDRESS))[0].stage is Stage.CONNECTING
    known = pairing.Heard(replace(FOUND, known=True))
    assert run(pairing.Begin(), known, pairing.Choose(ADDRESS, ("Mind.",)))[0].stage is Stage.CONNECTING


def test_glasses_that_were_not_found_cannot_be_chosen() -> None:
    before = run(*LISTED)[0]
    assert step(before, pairing.Choose("F0:66:66:66:66:66")) == (before, None)


def test_others_with_the_name_of_a_paired_pair_are_said_to_be_others() -> None:
    state, _ = run(*LISTED, pairing.Choose(ADDRESS, (), (KNOWN,)))
    assert (state.stage, state.namesake) == (Stage.CAUTIONS, True)
    assert "Mine" in state.cautions[0]
    assert not is_namesake(replace(FOUND, name=""), [replace(KNOWN, name="")])
    assert not is_namesake(replace(FOUND, address=KNOWN.address.lower()), [KNOWN])
    assert is_namesake(replace(FOUND, name=" MINE "), [KNOWN])


@pytest.mark.parametrize(
    ("remedy", "stage", "effect"),
    [
        (Remedy.RETRY, Stage.CONNECTING, Effect.PAIR),
        (Remedy.SEARCH, Stage.LOOKING, Effect.SEARCH),
        (Remedy.OTHERS, Stage.LOOKING, Effect.SEARCH),
    ],
)
def test_a_failure_has_one_action(remedy: Remedy, stage: Stage, effect: Effect) -> None:
    failed, _ = run(*SECURING, pairing.Failed(WHY, remedy))
    assert (failed.stage, failed.failure, failed.remedy) == (Stage.FAILED, WHY, remedy)
    state, done = step(failed, pairing.Again())
    assert (state.stage, done, state.failure) == (stage, effect, None)


def test_codes_that_differ_are_told_to_the_glasses() -> None:
    _, effects = run(*SECURING, pairing.CodeShown("1"), pairing.CodeAnswered(False))
    assert effects[-1] is Effect.DIFFERENT


def test_a_code_that_comes_when_nobody_pairs_is_refused() -> None:
    before = run(*LISTED)[0]
    assert step(before, pairing.CodeShown("1")) == (before, Effect.DIFFERENT)


@pytest.mark.parametrize("events", [CAUTIONED, CONNECTING, SECURING, (*SECURING, pairing.Failed(WHY, Remedy.RETRY))])
def test_back_leads_to_a_fresh_list_and_cancel_out(events: tuple[Event, ...]) -> None:
    state = run(*events)[0]
    assert step(state, pairing.Back()) == (PairingState(searching=True), Effect.SEARCH)
    assert step(state, pairing.Cancel()) == (PairingState(stage=Stage.CLOSED), Effect.STOP)


def test_back_from_the_list_leaves() -> None:
    assert run(*LISTED, pairing.Back())[0].stage is Stage.CLOSED
    ready = run(*SECURING, pairing.Paired(KNOWN))[0]
    assert step(ready, pairing.Back()) == (ready, None)


def test_each_error_has_its_remedy() -> None:
    assert remedy_for(NotGlasses("No.")) is Remedy.OTHERS
    assert remedy_for(RadioOff("Off.")) is Remedy.SEARCH
    for error in (PairingNeeded("Pair."), LinkLost("Gone."), CameraSilent("Dark.")):
        assert remedy_for(error) is Remedy.RETRY
    assert remedy_for(RuntimeError()) is Remedy.SEARCH


EVENTS = st.sampled_from(
    [
        pairing.Begin(),
        pairing.Heard(FOUND),
        pairing.SearchEnded(WHY),
        pairing.Choose(ADDRESS, ("Mind.",), (KNOWN,)),
        pairing.Choose(ADDRESS),
        pairing.Agree(),
        pairing.Linked(),
        pairing.CodeShown("000001"),
        pairing.CodeAnswered(True),
        pairing.CodeAnswered(False),
        pairing.Paired(KNOWN),
        pairing.Failed(WHY, Remedy.RETRY),
        pairing.Failed(WHY, Remedy.OTHERS),
        pairing.Again(),
        pairing.Back(),
        pairing.Cancel(),
    ]
)


@given(st.lists(EVENTS, max_size=25))
def test_whatever_happens_in_whatever_order(events: list[Event]) -> None:
    state, under_way = PairingState(), None
    for event in events:
        before = state
        state, effect = step(state, event)
        if effect in (Effect.SEARCH, Effect.PAIR, Effect.STOP):
            under_way = effect
        assert not (before.stage is Stage.CLOSED and state != before), "closed is closed"
        assert state.stage not in (Stage.CONNECTING, Stage.SECURING) or under_way is Effect.PAIR
        assert not state.searching or under_way is Effect.SEARCH
        assert not state.code or state.stage is Stage.SECURING
        assert (state.stage is Stage.FAILED) <= (state.failure is not None)
        assert (state.stage is Stage.READY) <= (state.paired is not None)
        assert state.stage is not Stage.CONNECTING or state.chosen is not None
