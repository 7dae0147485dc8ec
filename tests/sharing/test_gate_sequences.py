"""Whatever people, clocks, locks and terms do in whatever order: no byte without a yes for it, and none before its line in the book."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.courier.pipe import Ending as Carried
from app.courier.pipe import Send
from app.lanes import Lanes
from app.sharing.approval import Approval
from app.sharing.types import Draft, Outcome, Proposal, Sending
from app.vault.types import LockState
from tests.sharing.gate_world import GateWorld

PICK = st.integers(0, 3)
SENDING = st.tuples(st.sampled_from(["send", "send", "send and cancel", "send and leave"]), PICK, PICK)
YES_OR_NO = st.tuples(st.sampled_from(["approve", "approve", "refuse"]), PICK)
LOOK = st.tuples(st.just("draft"), st.sampled_from(["mirror", "local", "away"]))
# What may happen at the worst of moments: after the yes was spent, and after the line of intent was written, just before the first byte.
WORST = st.tuples(
    st.just("send meanwhile"),
    PICK,
    st.sampled_from(["spent", "intended", "key read"]),
    st.sampled_from(["expires", "ai off", "lock", "terms", "model", "place", "nothing"]),
)
TURN = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([60, 299, 301])),
    st.tuples(st.sampled_from(["lock", "unlock"])),
    st.tuples(st.just("terms change"), st.sampled_from(["mirror", "local-server"])),
    st.tuples(st.just("ai"), st.booleans()),
    st.tuples(st.just("model"), st.sampled_from(["llava", "other"])),
    st.tuples(st.just("courier"), st.sampled_from([Carried.DONE, Carried.BROKEN, Carried.UNREACHABLE])),
    st.tuples(st.just("disk full"), st.booleans()),
)
# Two looks and a yes come first, so that most rounds have something to go wrong with.
STEPS = st.lists(st.one_of(SENDING, TURN, YES_OR_NO, LOOK, WORST), min_size=2, max_size=14).map(
    lambda steps: [("draft", "mirror"), ("draft", "local"), ("approve", 0), ("approve", 1), *steps]
)


class MeddledLanes(Lanes):
    """Lanes where something happens right after a call, before whoever waited for it goes on."""

    def __init__(self) -> None:
        super().__init__(1)
        self.meddle: Callable[[Any, tuple[Any, ...]], None] = lambda work, values: None

    async def vault(self, work: Any, *values: Any) -> Any:
        found = await super().vault(work, *values)
        self.meddle(work, values)
        return found

    async def work(self, work: Any, *values: Any) -> Any:
        found = await super().work(work, *values)
        self.meddle(work, values)
        return found


class World(GateWorld):
    """A person, a desk and a courier that checks everything it is handed."""

    lanes: MeddledLanes

    def __init__(self, folder: Path, tools: Any) -> None:
        super().__init__(folder, tools, MeddledLanes())
        self.proposals: list[Proposal] = []
        self.approvals: list[Approval] = []
        self.yes: dict[str, tuple[Proposal, Approval]] = {}

    def allowed_to_go(self, order: Send) -> None:
        proposal, approval = self.yes.pop(order.approval_id)  # said yes to, and not used before
        assert order.body == proposal.parcel.body
        assert (order.parcel_id, order.origin) == (proposal.parcel.id, proposal.parcel.destination.origin)
        assert self.clock() < approval.expires_at
        assert self.vault.state is LockState.UNLOCKED
        assert not self.desk.ai_off
        assert self.desk.card(proposal.parcel.draft.destination_id) == proposal.parcel.card
        lines = self.desk._receipts.all()
        assert [line.outcome for line in lines if line.parcel_id == order.parcel_id][-1] is Outcome.INTENDED

    async def do_draft(self, destination: str) -> None:
        where = {"local": self.local, "away": self.away}.get(destination, destination)
        self.proposals.append(await self.desk.prepare(Draft((self.item,), "q", where)))

    async def do_approve(self, which: int) -> None:
        if self.proposals:
            proposal = self.proposals[which % len(self.proposals)]
            approval = await self.desk.approve(proposal)
            self.approvals.append(approval)
            self.yes[approval.id] = (proposal, approval)

    async def do_refuse(self, which: int) -> None:
        if self.proposals:
            await self.desk.refuse(self.proposals[which % len(self.proposals)])

    async def do_send(self, which: int, by: int, then: str = "") -> None:
        if not (self.proposals and self.approvals):
            return
        proposal, approval = self.proposals[which % len(self.proposals)], self.approvals[by % len(self.approvals)]
        # A courier that reaches nobody tells of no progress that one could cancel at.
        self.courier.hold = asyncio.Event() if then and self.courier.sent != 0 else None
        try:
            events = self.desk.send(proposal, approval)
            async for event in events:
                if isinstance(event, Sending) and then == "cancel":
                    await self.desk.cancel(proposal.parcel.id)
                elif isinstance(event, Sending) and then == "leave":
                    await events.aclose()  # type: ignore[attr-defined]
        finally:
            if self.courier.hold is not None:
                self.courier.hold.set()

    async def do_send_and_cancel(self, which: int, by: int) -> None:
        await self.do_send(which, by, "cancel")

    async def do_send_and_leave(self, which: int, by: int) -> None:
        await self.do_send(which, by, "leave")

    async def do_send_meanwhile(self, which: int, moment: str, happens: str) -> None:
        """A sending with its own look and yes, in which something happens at the worst of moments."""
        proposal = await self.desk.prepare(Draft((self.item,), "q", [self.local, self.away, "mirror", self.away][which]))
        approval = await self.desk.approve(proposal)
        self.proposals.append(proposal)
        self.approvals.append(approval)
        self.yes[approval.id] = (proposal, approval)
        left = {"key read": 2}.get(moment, 1)

        def meddle(work: Any, values: tuple[Any, ...]) -> None:
            nonlocal left
            now = {"spent": self.desk._approvals.spend, "intended": self.desk._receipts.add, "key read": self.book.keys.get}[moment]
            if work == now and left:
                left -= 1
                if not left:
                    self.happen(happens, proposal)

        self.lanes.meddle = meddle
        self.courier.hold = None
        before = len(self.courier.orders)
        try:
            async for _ in self.desk.send(proposal, approval):
                pass
        finally:
            self.lanes.meddle = lambda work, values: None
            if happens != "nothing" and not left:
                assert len(self.courier.orders) == before, f"sent although: {happens}, when {moment}"

    def happen(self, what: str, proposal: Proposal) -> None:
        """All at once, without giving anybody else a turn: the gate has to see it for itself."""
        if what == "expires":
            self.clock.pass_(seconds=300)
        elif what == "ai off":
            self.desk._gate.ai_off = True
        elif what == "lock":
            self.vault.lock()
        elif what == "terms":
            file = self.cards / f"{proposal.parcel.card.id}.toml"
            file.write_bytes(file.read_bytes() + b"#\n")
        elif what == "model":
            for each in (self.local, self.away):
                self.book.set_model(each, f"another-{len(self.proposals)}")  # another than the last time it was changed
            mirror = self.courier.mirror
            self.courier.mirror = replace(mirror, mirror_path=mirror.mirror_path + "x")
        elif what == "place":
            self.desk.region = "US-IL" if self.desk.region != "US-IL" else "US-TX"

    async def do_lock(self) -> None:
        await self.lanes.vault(self.vault.lock)

    async def do_unlock(self) -> None:
        await self.lanes.vault(self.vault.unlock_with_passphrase, self.tools.PASSPHRASE)

    async def do_ai(self, off: bool) -> None:
        self.desk.ai_off = off

    async def do_model(self, model: str) -> None:
        self.book.set_model(self.local, model)

    async def do_disk_full(self, full: bool) -> None:
        self.files.full = full

    async def finish(self) -> None:
        """In the end nothing was broken, the book tells of every byte, and the photo of every sending."""
        assert self.broken == []
        self.files.full = False
        if self.vault.state is LockState.UNLOCKED:
            await self.step("lock")
        await self.step("unlock")
        lines = await self.desk.receipts()
        intents = Counter(line.parcel_id for line in lines if line.outcome is Outcome.INTENDED)
        handed = Counter(order.parcel_id for order in self.courier.orders)
        assert all(count == 1 for count in handed.values())
        assert handed.keys() <= intents.keys()
        for parcel_id in intents:
            assert [line.outcome for line in lines if line.parcel_id == parcel_id].count(Outcome.INTENDED) == 1
            ends = [line for line in lines if line.parcel_id == parcel_id and line.bytes_sent]
            if parcel_id in handed and self.courier.sent is None:
                assert len(ends) <= 1
        told = {line.number for line in lines if line.bytes_sent}
        assert {share.receipt for share in self.vault.meta(self.item).shares} == told
        assert {line.parcel_id for line in lines if line.bytes_sent} <= intents.keys()
        assert (await self.desk.verify_receipts()).sound


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_no_byte_without_a_yes(steps: list[tuple[Any, ...]], tools: Any) -> None:
    asyncio.run(World.play(steps, tools))


@pytest.mark.parametrize("happens", ["expires", "ai off", "lock", "terms", "model", "place"])
@pytest.mark.parametrize("moment", ["spent", "intended", "key read"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_last_look_counts(which: int, moment: str, happens: str, tools: Any) -> None:
    """Each thing that may happen in the last moment, each alone: nothing but the gate's own look stands between it and the first byte."""
    asyncio.run(World.play([("send meanwhile", which, moment, happens)], tools))


def test_when_nothing_happens_it_is_sent(tools: Any) -> None:
    world = asyncio.run(World.play([("send meanwhile", which, "intended", "nothing") for which in (0, 1, 2)], tools))
    assert len(world.courier.orders) == 3


def test_the_steps_do_send(tools: Any) -> None:
    """The property would be worth little if its steps never got through."""
    world = asyncio.run(World.play([("draft", "local"), ("approve", 0), ("send", 0, 0), ("send", 0, 0)], tools))
    assert len(world.courier.orders) == 1
