"""Whatever people, clocks, locks and terms do in whatever order: no byte without a yes for it, and none before its line in the book."""

from __future__ import annotations

import asyncio
import tempfile
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
from app.errors import EyelidError
from app.events import EventHub
from app.lanes import Lanes
from app.sharing.approval import Approval
from app.sharing.cards import CardBook
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.sharing.keys import MemoryKeys
from app.sharing.types import Draft, Outcome, Proposal, Sending
from app.vault.types import LockState
from app.vault.vault import Vault

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


class World:
    """A person, a desk and a courier that checks everything it is handed."""

    def __init__(self, folder: Path, tools: Any) -> None:
        self.tools = tools
        self.files = tools.QuickFiles()
        self.vault = Vault.create(folder / "vault", passphrase=tools.PASSPHRASE, keyring=False, work_factor=1, files=self.files)
        self.item = self.vault.add(tools.photo(), tools.new_item()).id
        self.clock = tools.Clock()
        self.cards = folder / "policies"
        self.cards.mkdir()
        for file in (Path(__file__).parent.parent.parent / "resources" / "policies").glob("*.toml"):
            (self.cards / file.name).write_bytes(file.read_bytes())
        self.lanes = MeddledLanes()
        self.courier = tools.FakeCourier(watch=self.handed_over)
        self.book = DestinationBook(folder, MemoryKeys())
        self.local = self.book.add_local("L", "http://127.0.0.1:1/v1", "llava").id
        self.away = self.book.add_custom("A", "Somebody", "https://ai.example/v1", "llava").id
        self.book.keys.set(self.away, "sk-1")
        events = EventHub(asyncio.get_running_loop())
        cards = CardBook(self.cards, self.clock.today)
        self.desk = SharingDesk(self.vault, self.lanes, self.courier, events, self.book, cards, self.clock)  # type: ignore[arg-type]
        self.broken: list[str] = []
        self.proposals: list[Proposal] = []
        self.approvals: list[Approval] = []
        self.yes: dict[str, tuple[Proposal, Approval]] = {}

    def handed_over(self, order: Send) -> None:
        """Note what is broken: an exception would be swallowed by the gate, which has to come to an end whatever a courier does."""
        try:
            self._all_holds(order)
        except (AssertionError, KeyError) as error:
            self.broken.append(repr(error))

    def _all_holds(self, order: Send) -> None:
        """The invariants, at the moment of no return."""
        proposal, approval = self.yes.pop(order.approval_id)  # said yes to, and not used before
        assert order.body == proposal.parcel.body
        assert (order.parcel_id, order.origin) == (proposal.parcel.id, proposal.parcel.destination.origin)
        assert self.clock() < approval.expires_at
        assert self.vault.state is LockState.UNLOCKED
        assert not self.desk.ai_off
        assert self.desk.card(proposal.parcel.draft.destination_id) == proposal.parcel.card
        lines = self.desk._receipts.all()
        assert [line.outcome for line in lines if line.parcel_id == order.parcel_id][-1] is Outcome.INTENDED

    async def settle(self) -> None:
        await asyncio.sleep(0)
        while tasks := self.desk._tasks | self.desk._gate._tasks:
            await asyncio.wait(tuple(tasks))
        await asyncio.sleep(0)

    async def step(self, name: str, *values: Any) -> None:
        act = getattr(self, name.replace(" ", "_"))
        try:
            await act(*values)
        except (EyelidError, OSError):
            pass
        await self.settle()

    async def draft(self, destination: str) -> None:
        where = {"local": self.local, "away": self.away}.get(destination, destination)
        self.proposals.append(await self.desk.prepare(Draft((self.item,), "q", where)))

    async def approve(self, which: int) -> None:
        if self.proposals:
            proposal = self.proposals[which % len(self.proposals)]
            approval = await self.desk.approve(proposal)
            self.approvals.append(approval)
            self.yes[approval.id] = (proposal, approval)

    async def refuse(self, which: int) -> None:
        if self.proposals:
            await self.desk.refuse(self.proposals[which % len(self.proposals)])

    async def send(self, which: int, by: int, then: str = "") -> None:
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

    async def send_and_cancel(self, which: int, by: int) -> None:
        await self.send(which, by, "cancel")

    async def send_and_leave(self, which: int, by: int) -> None:
        await self.send(which, by, "leave")

    async def send_meanwhile(self, which: int, moment: str, happens: str) -> None:
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

    async def wait(self, seconds: int) -> None:
        self.clock.pass_(seconds=seconds)

    async def lock(self) -> None:
        await self.lanes.vault(self.vault.lock)

    async def unlock(self) -> None:
        await self.lanes.vault(self.vault.unlock_with_passphrase, self.tools.PASSPHRASE)

    async def terms_change(self, card: str) -> None:
        file = self.cards / f"{card}.toml"
        file.write_bytes(file.read_bytes() + b"#\n")

    async def ai(self, off: bool) -> None:
        self.desk.ai_off = off

    async def model(self, model: str) -> None:
        self.book.set_model(self.local, model)

    async def disk_full(self, full: bool) -> None:
        self.files.full = full

    async def _courier(self, ending: Carried) -> None:
        self.courier.ending = ending
        self.courier.sent = 0 if ending is Carried.UNREACHABLE else None

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

    async def close(self) -> None:
        await self.desk.close()
        await asyncio.sleep(0)
        self.lanes.close()
        self.vault.close()


async def play(steps: list[tuple[Any, ...]], tools: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), tools)
        try:
            for name, *values in steps:
                await world.step("_courier" if name == "courier" else name, *values)
            await world.finish()
        finally:
            await world.close()
        await asyncio.sleep(0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_no_byte_without_a_yes(steps: list[tuple[Any, ...]], tools: Any) -> None:
    asyncio.run(play(steps, tools))


@pytest.mark.parametrize("happens", ["expires", "ai off", "lock", "terms", "model", "place"])
@pytest.mark.parametrize("moment", ["spent", "intended", "key read"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_last_look_counts(which: int, moment: str, happens: str, tools: Any) -> None:
    """Each thing that may happen in the last moment, each alone: nothing but the gate's own look stands between it and the first byte."""
    asyncio.run(play([("send meanwhile", which, moment, happens)], tools))


def test_when_nothing_happens_it_is_sent(tools: Any) -> None:
    async def all_of_them() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder), tools)
            for which in (0, 1, 2):
                await world.send_meanwhile(which, "intended", "nothing")
            assert len(world.courier.orders) == 3
            await world.finish()
            await world.close()

    asyncio.run(all_of_them())


def test_the_steps_do_send(tools: Any) -> None:
    """The property would be worth little if its steps never got through."""

    async def once() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder), tools)
            for step in [("draft", "local"), ("approve", 0), ("send", 0, 0), ("send", 0, 0)]:
                await world.step(*step)
            assert len(world.courier.orders) == 1
            await world.finish()
            await world.close()

    asyncio.run(once())
