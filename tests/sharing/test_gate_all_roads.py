"""Every road to the street at once: a yes, grants, live looks, and whatever happens in between, watched by somebody who trusts nobody.

The watcher keeps its own account of what the person allowed, and of what took it back. At each order to the courier it asks: was exactly
this allowed, is it still, and does the book (or, of a live look, the capture) say so already?
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.courier.pipe import Ending as Carried
from app.courier.pipe import Send
from app.lanes import Lanes
from app.sharing.grants import GrantSpan, GrantWish
from app.sharing.live_types import LiveDraft
from app.sharing.types import Draft, Outcome, ReceiptKind
from app.vault.types import ItemId, LockState
from tests.sharing.gate_world import GateWorld

PLACES = st.sampled_from(["mirror", "local", "kept", "trains"])
WISHES = st.sampled_from([None, GrantWish(GrantSpan.CONVERSATION, 5, 2), GrantWish(GrantSpan.UNTIL_OFF)])
ASK = st.tuples(st.just("ask"), PLACES, WISHES)
UNDER = st.tuples(st.just("under"), PLACES, st.integers(0, 3))
LIVE = st.tuples(st.just("look"), PLACES)
TURN = st.one_of(
    st.tuples(st.just("frame")),
    st.tuples(st.just("frame")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("link lost")),
    st.tuples(st.just("replay"), st.integers(0, 3)),
    st.tuples(st.just("revoke"), st.integers(0, 3)),
    st.tuples(st.just("sleep")),
    st.tuples(st.just("wait"), st.sampled_from([60, 301])),
    st.tuples(st.just("lock")),
    st.tuples(st.just("ai off")),
    st.tuples(st.just("terms change"), st.sampled_from(["local-server", "openrouter"])),
    st.tuples(st.just("model"), st.sampled_from(["llava", "other"])),
    st.tuples(st.just("host changes")),
    st.tuples(st.just("courier"), st.sampled_from([Carried.DONE, Carried.DONE, Carried.BROKEN, Carried.REDIRECT, Carried.UNREACHABLE])),
)


def roads_from(place: str) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """A grant and a look come first, and more goes to the same place, so that most rounds have something to go wrong with."""
    first = [("ask", place, GrantWish(GrantSpan.CONVERSATION, 5, 2)), ("look", place)]
    there: tuple[Any, ...] = ("under", place, 0)
    # Something happens, and then somebody tries whether what was allowed before is good for more.
    tried = TURN.flatmap(lambda turn: st.sampled_from([[turn, there], [turn, there], [turn, ("frame",)], [turn]]))
    alone = st.one_of(ASK, UNDER, LIVE).map(lambda step: [step])
    return st.lists(st.one_of(alone, tried, tried), min_size=1, max_size=7).map(
        lambda parts: [*first, *(each for part in parts for each in part)]
    )


STEPS = PLACES.flatmap(roads_from)


@dataclass
class Allowed:
    """What a person allowed, as the watcher remembers it."""

    where: str
    until: datetime
    left: int
    largest: int | None = None
    void: bool = False


class Roads(GateWorld):
    """A person, a desk, glasses, and a courier that checks everything it is handed."""

    def __init__(self, folder: Path, tools: Any) -> None:
        super().__init__(folder, tools, Lanes(1))
        self.book.set_model("openrouter", "llava")
        self.book.keys.set("openrouter", "sk-1")
        self.places = {"mirror": "mirror", "local": self.local, "kept": "openrouter", "trains": self.away}
        self.desk.live.source = self
        self.queue: asyncio.Queue[ItemId | None] = asyncio.Queue()
        self.yes: dict[str, tuple[str, datetime]] = {}
        self.allowed: dict[str, Allowed] = {}
        self.spent: list[tuple[Any, Any]] = []
        self.frames_sent = 0

    # -- the glasses

    def check(self, glasses: str) -> None: ...

    async def frames(self, glasses: str, every: int) -> AsyncGenerator[ItemId, None]:
        while (item := await self.queue.get()) is not None:
            yield item

    # -- the watcher

    def allowed_to_go(self, order: Send) -> None:
        assert self.vault.state is LockState.UNLOCKED
        assert not self.desk.ai_off
        lines = self.desk._receipts.all()
        own = [line for line in lines if line.parcel_id == order.parcel_id]
        digest = hashlib.sha256(order.body).hexdigest()
        if not own:
            self._frame_holds(order, lines)
            return
        assert [line.outcome for line in own] == [Outcome.INTENDED], "written before, and once"
        assert own[0].body_sha256 == digest
        assert own[0].origin == order.origin
        if own[0].grant:
            self._use(own[0].grant, order, len(own[0].item_digests))
        else:
            shown, until = self.yes.pop(order.parcel_id)
            assert shown == digest
            assert self.clock() < until

    def _frame_holds(self, order: Send, lines: Any) -> None:
        looks = [line for line in lines if line.kind is ReceiptKind.LIVE]
        (intent,) = [line for line in looks if [each.parcel_id for each in looks].count(line.parcel_id) == 1]
        assert intent.outcome is Outcome.INTENDED
        self._use(intent.parcel_id, order, 1)
        marked = [item for item in self.vault.ids() if any(share.receipt == intent.number for share in self.vault.meta(item).shares)]
        used = intent.frames - self.allowed[intent.parcel_id].left
        assert len(marked) >= used, "marked before the first byte"
        self.frames_sent += 1

    def _use(self, name: str, order: Send, count: int) -> None:
        allowed = self.allowed[name]
        assert not allowed.void
        assert self.clock() < allowed.until
        assert order.origin == allowed.where.split(" ")[0]
        assert allowed.largest is None or len(order.body) <= allowed.largest
        allowed.left -= count
        assert allowed.left >= 0

    def take_back(self, *which: str) -> None:
        """The person, or something that happened, took these back, or all."""
        for name in which or tuple(self.allowed):
            self.allowed[name].void = True

    # -- steps

    async def settle(self) -> None:
        for _ in range(2):
            await super().settle()
        look = self.desk.live._look
        if look is not None and look.view.why:
            await look.ended.wait()

    def _where(self, proposal: Any) -> str:
        place = proposal.destination if hasattr(proposal, "destination") else proposal.parcel.destination
        return f"{place.origin} {place.path}"

    async def do_ask(self, place: str, wish: GrantWish | None) -> None:
        """The person is asked, says yes, perhaps for more than this, and it is sent."""
        proposal = await self.desk.prepare(Draft((self.item,), "q", self.places[place]))
        known = {grant.id for grant in self.desk.grants()}
        approval = await self.desk.approve(proposal, wish)
        self.yes[proposal.parcel.id] = (hashlib.sha256(proposal.parcel.body).hexdigest(), self.clock() + timedelta(minutes=5))
        for grant in self.desk.grants():
            if grant.id not in known:
                assert place != "trains"
                assert grant.span is GrantSpan.CONVERSATION or place in ("local", "mirror")
                until = self.clock() + (timedelta(minutes=5) if grant.span is GrantSpan.CONVERSATION else timedelta(days=365))
                self.allowed[grant.id] = Allowed(self._where(proposal), until, 2 if grant.span is GrantSpan.CONVERSATION else 10**6)
        await self._send(proposal, approval)

    async def _send(self, proposal: Any, approval: Any) -> None:
        self.spent.append((proposal, approval))
        async for _ in self.desk.send(proposal, approval):
            pass

    async def do_under(self, place: str, which: int) -> None:
        """Nobody is asked: under a grant that is there, or was."""
        proposal = await self.desk.prepare(Draft((self.item,), "q", self.places[place]))
        fitting = self.desk.grant_for(proposal)
        names = [fitting.id] if fitting else list(self.allowed)
        if names:
            await self._send(proposal, await self.desk.approve_under(proposal, names[which % len(names)]))

    async def do_replay(self, which: int) -> None:
        if self.spent:
            await self._send(*self.spent[which % len(self.spent)])

    async def do_look(self, place: str) -> None:
        proposal = await self.desk.live.prepare(LiveDraft("G", "q", self.places[place], frames=2, minutes=5, cover_faces=False))
        self.queue = asyncio.Queue()
        self.allowed[proposal.id] = Allowed(self._where(proposal), self.clock() + timedelta(minutes=5), 2, proposal.frame_bytes)
        await self.desk.live.start(proposal)

    async def do_frame(self) -> None:
        """A photo arrives; whatever becomes of it, the look comes to rest."""
        before = self.desk.live.view
        self.queue.put_nowait(self.vault.add(self.tools.photo(), self.tools.new_item()).id)
        while (
            before is not None
            and self.desk.live.running
            and self.desk.live.view.frames + self.desk.live.view.skipped == (before.frames + before.skipped)
        ):
            await asyncio.sleep(0)

    async def do_stop(self) -> None:
        if view := self.desk.live.view:
            self.take_back(view.id)
        await self.desk.live.stop()

    async def do_link_lost(self) -> None:
        if self.desk.live.running:
            self.take_back(self.desk.live.view.id)  # type: ignore[union-attr]
            self.queue.put_nowait(None)
            while self.desk.live.running:
                await asyncio.sleep(0)

    async def do_revoke(self, which: int) -> None:
        if grants := self.desk.grants():
            self.take_back(grants[which % len(grants)].id)
            await self.desk.revoke(grants[which % len(grants)].id)

    async def do_sleep(self) -> None:
        self.clock.sleep(seconds=90)
        self.take_back()

    async def do_lock(self) -> None:
        self.take_back()
        self.yes.clear()
        await self.lanes.vault(self.vault.lock)
        await self.settle()
        await self.lanes.vault(self.vault.unlock_with_passphrase, self.tools.PASSPHRASE)

    async def do_ai_off(self) -> None:
        self.take_back()
        self.yes.clear()
        self.desk.ai_off = True
        await self.settle()
        self.desk.ai_off = False

    async def do_terms_change(self, card: str) -> None:
        await super().do_terms_change(card)
        self._changed("local" if card == "local-server" else "kept")

    async def do_model(self, model: str) -> None:
        if self.desk._destination(self.places["local"]).model != model:  # type: ignore[union-attr]
            self.book.set_model(self.places["local"], model)
            self._changed("local")

    async def do_host_changes(self) -> None:
        """What an edited file of destinations would come to: the same name, another host."""
        self._changed("trains")
        own = self.book._own[self.places["trains"]]
        self.book._own[own.id] = replace(own, origin=f"https://ai{len(self.spent)}.elsewhere.example")

    def _changed(self, place: str) -> None:
        where = f"{self.desk._destination(self.places[place]).origin} "  # type: ignore[union-attr]
        for name in [name for name, each in self.allowed.items() if each.where.startswith(where)]:
            self.take_back(name)

    async def finish(self) -> None:
        """In the end: nothing was broken, each handed parcel had its lines or its look, and the captures tell the same as the book."""
        await self.step("stop")
        await self.step("lock")
        assert self.broken == []
        lines = await self.desk.receipts()
        for intent in [line for line in lines if line.outcome is Outcome.INTENDED]:
            others = [line for line in lines if line.parcel_id == intent.parcel_id and line is not intent]
            # A replay that was turned away says so, too, under the same parcel: what left is told once.
            assert others[0].number > intent.number, "an end, and after the intent"
            assert {line.outcome for line in others[1:]} <= {Outcome.NOT_SENT}
        for item in self.vault.ids():
            told = {line.number for line in lines if line.bytes_sent and item in line.items}
            assert {share.receipt for share in self.vault.meta(item).shares} == told
        if self.courier.sent is None:
            assert sum(line.frames for line in lines if line.kind is ReceiptKind.LIVE and line.bytes_sent) <= self.frames_sent
        assert sum(line.bytes_sent for line in lines) <= sum(len(order.body) for order in self.courier.orders)
        assert (await self.desk.verify_receipts()).sound


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_no_byte_that_was_not_allowed(steps: list[tuple[Any, ...]], tools: Any) -> None:
    asyncio.run(Roads.play(steps, tools))


def test_the_steps_do_send(tools: Any) -> None:
    """The property would be worth little if its steps never got through: a yes, twice under its grant, and two frames."""
    wish = GrantWish(GrantSpan.CONVERSATION, 5, 2)
    steps = [("ask", "local", wish), ("under", "local", 0), ("under", "local", 0), ("under", "local", 0)]
    roads = asyncio.run(Roads.play([*steps, ("look", "kept"), ("frame",), ("frame",), ("frame",)], tools))
    assert (len(roads.courier.orders), roads.frames_sent) == (5, 2)


def test_the_watcher_is_awake(tools: Any) -> None:
    """It has to notice what a gate without its checks would let through."""

    async def asleep() -> list[str]:
        async with Roads.made(tools) as roads:
            await roads.step("ask", "local", GrantWish(GrantSpan.CONVERSATION, 5, 2))
            roads.take_back()  # taken back, and the desk was not told
            await roads.step("under", "local", 0)
            await roads.step("look", "local")
            roads.take_back()
            await roads.step("frame")
            await roads.step("stop")
            return roads.broken

    assert len(asyncio.run(asleep())) == 2
