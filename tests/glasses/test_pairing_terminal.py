"""Pairing at the terminal, over the desk and the virtual air, with a person whose answers are known beforehand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.cli import pairing
from app.cli.pairing import walk
from app.cli.terminal import Terminal
from app.errors import Cancelled, EyelidError
from app.glasses import airs
from app.glasses.types import FoundGlasses, KnownGlasses
from app.glasses.unseen import Census
from app.media.samples import pictures
from ble.sim.brilliant import SimulatedFrame
from ble.sim.brilliant_faults import BrilliantFaults
from ble.sim.faults import AT_ONCE
from ble.sim.open_profile import SimulatedOpenGlasses


class Person(Terminal):
    """Answers in turn; with no answers, nobody is there."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self._answers = list(answers)
        self._there = bool(answers)
        self.heard: list[str] = []

    @property
    def interactive(self) -> bool:
        return self._there

    def say(self, text: str = "") -> None:
        self.heard.append(text)

    complain = say

    async def ask(self, question: str, *, otherwise: str = "") -> str:
        self.heard.append(question)
        return self._answers.pop(0)


async def paired(bench: Any, person: Person, wanted: str | None = None) -> KnownGlasses:
    flow = bench.desk.pairing(wanted)
    try:
        async with asyncio.timeout(40):
            return await walk(flow, person)
    finally:
        await flow.close()


@pytest.fixture(autouse=True)
def until_all_are_heard(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search ends as soon as all on the air were heard, however long that takes."""
    monkeypatch.setattr(pairing, "MORE_SECONDS", 40)
    scan = bench.desk.scan

    async def short(seconds: float, census: Census | None = None) -> AsyncGenerator[FoundGlasses, None]:
        heard = set()
        async with contextlib.aclosing(scan(40, census)) as found:
            async for glasses in found:
                yield glasses
                heard.add(glasses.address)
                if len(heard) == len(bench.desk._airs._air.peripherals):
                    return

    monkeypatch.setattr(bench.desk, "scan", short)


async def test_a_script_gets_the_first_pair_and_its_cautions(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    person = Person()
    known = await paired(bench, person)
    assert known.family == "omi-glass"
    assert person.heard == [f"Mind: {caution}" for caution in bench.desk.cautions("omi-glass")]


async def test_a_person_chooses_and_agrees(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    await bench.desk.start_simulated("openglass")
    person = Person("2", "y")
    known = await paired(bench, person)
    assert any(line.startswith("2  ") and known.address in line for line in person.heard)


@pytest.mark.parametrize(("answers", "error"), [(("3",), EyelidError), (("x",), EyelidError), (("1", "n"), Cancelled)])
async def test_any_other_answer_pairs_nothing(bench: Any, answers: tuple[str, ...], error: type[Exception]) -> None:
    await bench.desk.start_simulated("omi-glass")
    await bench.desk.start_simulated("openglass")
    with pytest.raises(error):
        await paired(bench, Person(*answers))
    assert bench.desk.known() == ()


async def test_nobody_there_is_said(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    with pytest.raises(EyelidError, match="not seen"):
        await paired(bench, Person("y"), "F0:66:66:66:66:66")


async def test_a_code_is_compared_and_without_a_person_refused(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_one(family: str) -> SimulatedOpenGlasses:
        twin = SimulatedOpenGlasses(pictures(family), pace=AT_ONCE)
        twin.shows_code = True
        return twin

    monkeypatch.setattr(airs, "simulated", lambda family, *_: make_one(family))
    await bench.desk.start_simulated("open")
    with pytest.raises(EyelidError, match="not paired"):
        await paired(bench, Person())
    person = Person("y", "yes")
    await paired(bench, person)
    assert any("Do the glasses show" in line for line in person.heard)


async def test_a_failure_can_be_tried_again_by_a_person(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = SimulatedFrame(pictures("frame"), faults=BrilliantFaults(bonded_elsewhere=True), pace=AT_ONCE)
    monkeypatch.setattr(airs, "simulated", lambda *_: twin)
    await bench.desk.start_simulated("frame")
    with pytest.raises(EyelidError):
        await paired(bench, Person())
    person = Person("y", "y", "n")
    with pytest.raises(EyelidError):
        await paired(bench, person)
    assert person.heard.count("Try again? [y/N]") == 2


async def test_a_namesake_needs_a_person(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.desk.start_simulated("omi-glass")
    mine = await bench.desk.pair(await bench.found())
    air = bench.desk._airs._air
    await bench.desk._airs.radio.run(air.remove(air.peripherals[0]))
    other = await bench.desk._airs.simulate("omi-glass")
    with pytest.raises(EyelidError, match="same name"):
        await paired(bench, Person(), other)
    assert [view.known.address for view in bench.desk.known()] == [mine.address]
    assert (await paired(bench, Person("y"), other)).address == other
