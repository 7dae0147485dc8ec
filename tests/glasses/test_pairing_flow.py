"""The flow over the desk and the virtual air: found, cautioned, connected, secured with a code, enrolled; and every way that it fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from app.glasses import airs, pairing
from app.glasses.known import KnownBook
from app.glasses.pairing import PairingState, Remedy, Stage
from app.glasses.pairing_flow import PairingFlow, is_settled
from app.media.samples import pictures
from ble.sim import bleak_backend
from ble.sim.brilliant import SimulatedFrame
from ble.sim.brilliant_faults import BrilliantFaults
from ble.sim.catalogue import NECKLACE, make
from ble.sim.faults import AT_ONCE
from ble.sim.mentra import SimulatedMentra
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.peripheral import SimulatedPeripheral
from ble.types import LinkState, PairingAdvert
from tests.waiting import until


@contextlib.asynccontextmanager
async def flow_on(bench: Any, wanted: str | None = None, seconds: float = 20) -> AsyncIterator[tuple[PairingFlow, list[PairingState]]]:
    seen: list[PairingState] = []
    flow = bench.desk.pairing(wanted, seconds=seconds, on_change=seen.append)
    try:
        async with asyncio.timeout(30):
            yield flow, seen
    finally:
        await flow.close()


async def listed(flow: PairingFlow) -> str:
    flow.start()
    return (await flow.until(lambda state: bool(state.found))).found[0].address


async def settled(flow: PairingFlow) -> PairingState:
    return await flow.until(is_settled)


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], SimulatedPeripheral]], None]:
    """Which simulated glasses are switched on from now on."""
    return lambda make_one: monkeypatch.setattr(airs, "simulated", lambda family, *_: make_one(family))


async def test_from_the_list_to_ready(bench: Any, tmp_path: Path) -> None:
    await bench.desk.start_simulated("omi-glass")
    async with flow_on(bench) as (flow, seen):
        address = await listed(flow)
        flow.choose(address)
        assert flow.state.stage is Stage.CAUTIONS
        assert flow.state.cautions == bench.desk.cautions("omi-glass")
        flow.agree()
        state = await settled(flow)
        assert state.stage is Stage.READY
        assert state.paired is not None
        assert KnownBook(tmp_path / "glasses.json").get(address) == state.paired
        stages = [state.stage for state in seen]
        assert [stage for number, stage in enumerate(stages) if stage not in stages[:number]] == [
            Stage.LOOKING,
            Stage.CAUTIONS,
            Stage.CONNECTING,
            Stage.SECURING,
            Stage.READY,
        ]


async def code_pair(bench: Any, twins: Any, said: list[str]) -> None:
    def make_one(family: str) -> SimulatedPeripheral:
        twin = SimulatedOpenGlasses(pictures(family), pace=AT_ONCE, on_event=said.append)
        twin.shows_code = True
        return twin

    twins(make_one)
    await bench.desk.start_simulated("open")


async def test_codes_that_are_the_same_pair(bench: Any, twins: Any) -> None:
    said: list[str] = []
    await code_pair(bench, twins, said)
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        state = await settled(flow)
        assert (state.stage, len(state.code)) == (Stage.SECURING, 6)
        flow.answer(True)
        state = await settled(flow)
        assert state.stage is Stage.READY, state.failure
        assert any(word.startswith("shows ") for word in said)


async def test_codes_that_differ_do_not(bench: Any, twins: Any, tmp_path: Path) -> None:
    await code_pair(bench, twins, [])
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        await settled(flow)
        flow.answer(False)
        state = await settled(flow)
        assert (state.stage, state.remedy) == (Stage.FAILED, Remedy.RETRY)
        assert "another code" in str(state.failure)
        assert not (tmp_path / "glasses.json").exists()
        assert bench.desk.known() == ()


async def test_who_leaves_while_the_code_is_shown_pairs_nothing(bench: Any, twins: Any) -> None:
    await code_pair(bench, twins, [])
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        await settled(flow)
    assert flow.state.stage is Stage.CLOSED
    assert bench.desk.known() == ()


async def speaking(bench: Any, twins: Any, pairable: bool) -> None:
    says = PairingAdvert(pairable, code="1A2B")
    twins(lambda family: SimulatedMentra(pictures(family), pace=AT_ONCE, pairing=says))
    await bench.desk.start_simulated("mentra-live")


async def test_the_code_that_glasses_speak_is_compared_before_anything_is_asked_of_them(bench: Any, twins: Any) -> None:
    await speaking(bench, twins, pairable=True)
    async with flow_on(bench) as (flow, seen):
        address = await listed(flow)
        flow.choose(address)
        flow.agree()
        state = await settled(flow)
        assert (state.code, state.is_spoken) == ("1A2B", True)
        assert bench.desk.known() == ()
        flow.answer(False)
        state = await settled(flow)
        assert (state.stage, state.remedy, state.failure) == (Stage.FAILED, Remedy.OTHERS, pairing.OTHERS_SPEAK)
        assert bench.desk.known() == ()
        flow.again()
        flow.choose(await listed(flow))
        flow.agree()
        await settled(flow)
        flow.answer(True)
        state = await settled(flow)
        assert state.stage is Stage.READY, state.failure
        assert not any(state.is_spoken for state in seen if state.stage is Stage.READY)


async def test_glasses_that_are_not_in_pairing_mode_are_left_alone(bench: Any, twins: Any) -> None:
    await speaking(bench, twins, pairable=False)
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        assert (flow.state.stage, flow.state.remedy) == (Stage.FAILED, Remedy.SEARCH)
        assert "pairing mode" in str(flow.state.failure)
        assert bench.desk.known() == ()


async def test_back_while_connecting_breaks_it_off_and_searches_anew(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        await flow.until(lambda state: state.stage is Stage.SECURING)
        flow.back()
        assert flow.state.stage is Stage.LOOKING
        await flow.until(lambda state: bool(state.found))
        assert bench.desk.known() == ()


async def test_no_radio_is_said_and_can_be_tried_again(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    air = bench.desk._airs._air
    air.radio_on = False
    async with flow_on(bench) as (flow, _):
        flow.start()
        state = await flow.until(lambda state: not state.searching)
        assert state.failure is not None
        assert state.failure.action
        air.radio_on = True
        flow.again()
        assert (await flow.until(lambda state: bool(state.found))).failure is None


async def test_no_permission_says_where_to_give_it(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.desk.start_simulated("omi-glass")
    denied = BleakBluetoothNotAvailableError("no", BleakBluetoothNotAvailableReason.DENIED_BY_USER)

    def refuse(*_: object) -> None:
        raise denied

    with monkeypatch.context() as strict:
        strict.setattr(bleak_backend, "_check_radio", refuse)
        async with flow_on(bench) as (flow, _):
            flow.start()
            state = await flow.until(lambda state: not state.searching)
            assert state.failure is not None
            assert "permission" in state.failure.what
            assert "privacy settings" in state.failure.action
            strict.undo()
            flow.again()
            assert (await flow.until(lambda state: bool(state.found))).failure is None


@pytest.mark.parametrize("leave", [PairingFlow.back, PairingFlow.cancel])
@pytest.mark.parametrize("stage", [Stage.CAUTIONS, Stage.CONNECTING, Stage.SECURING])
async def test_back_and_cancel_at_every_step(bench: Any, stage: Stage, leave: Callable[[PairingFlow], None]) -> None:
    """Nothing is enrolled, nobody stays connected, and the same glasses can be paired afterwards."""
    await bench.desk.start_simulated("omi-glass")
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        if stage is not Stage.CAUTIONS:
            flow.agree()
        await flow.until(lambda state: state.stage is stage)
        leave(flow)
        assert flow.state.stage is (Stage.LOOKING if leave is PairingFlow.back else Stage.CLOSED)
    assert bench.desk.known() == ()
    [twin] = bench.desk._airs._air.peripherals
    await until(lambda: not twin.connected)
    assert (await bench.desk.pair(await bench.found())).address


async def test_not_found_says_why(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.disconnect(known.address)
    await bench.desk.start_simulated("openglass")
    async with flow_on(bench, "F0:66:66:66:66:66", seconds=0.5) as (flow, _):
        flow.start()
        state = await flow.until(lambda state: not state.searching)
        assert state.found == ()
        assert "Nothing was heard of them" in str(state.failure)
    air = bench.desk._airs._air
    for twin in air.peripherals:
        if air.address_of(twin) == known.address:
            await bench.desk._airs.radio.run(air.remove(twin))
    async with flow_on(bench, known.address, seconds=0.5) as (flow, _):
        flow.start()
        state = await flow.until(lambda state: not state.searching)
        assert "simulated" in str(state.failure)


async def test_glasses_bonded_elsewhere_say_what_to_do(bench: Any, twins: Any) -> None:
    twins(lambda family: SimulatedFrame(pictures("frame"), faults=BrilliantFaults(bonded_elsewhere=True), pace=AT_ONCE))
    await bench.desk.start_simulated("frame")
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        state = await settled(flow)
        assert (state.stage, state.remedy) == (Stage.FAILED, Remedy.RETRY)
        assert state.failure is not None
        assert "pair again" in state.failure.action
        assert bench.desk.known() == ()


async def test_the_wrong_device_with_the_right_name(bench: Any, twins: Any) -> None:
    def necklace(_: str) -> SimulatedPeripheral:
        twin = make(NECKLACE, ())
        twin.name = "OMI Glass"
        return twin

    twins(necklace)
    await bench.desk.start_simulated("omi-glass")
    async with flow_on(bench) as (flow, _):
        flow.choose(await listed(flow))
        flow.agree()
        state = await settled(flow)
        assert (state.stage, state.remedy) == (Stage.FAILED, Remedy.OTHERS)
        flow.again()
        assert flow.state.stage is Stage.LOOKING


async def test_an_impostor_is_never_taken_for_the_enrolled_pair(bench: Any, twins: Any) -> None:
    """Same name, other address: the enrolled pair stays what it is, and the impostor gets nothing but a warning."""
    await bench.desk.start_simulated("omi-glass")
    mine = await bench.desk.pair(await bench.found())
    air = bench.desk._airs._air
    [twin] = air.peripherals
    await bench.desk._airs.radio.run(air.remove(twin))
    impostor = await bench.desk._airs.simulate("omi-glass")
    assert impostor != mine.address
    async with flow_on(bench) as (flow, _):
        address = await listed(flow)
        assert address == impostor
        assert not flow.state.found[0].known
        flow.choose(address)
        assert flow.state.namesake
        assert "these are others" in flow.state.cautions[0]
    await bench.desk.connect(mine.address)
    views = {view.known.address: view for view in bench.desk.known()}
    assert list(views) == [mine.address]
    assert views[mine.address].state is not LinkState.READY
    [fake] = air.peripherals
    assert not fake.connected


async def test_paired_glasses_are_only_connected(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.disconnect(known.address)
    async with flow_on(bench, known.address.lower()) as (flow, _):
        flow.choose(await listed(flow))
        assert (await settled(flow)).paired == known
