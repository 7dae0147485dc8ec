"""Carries out what `app.glasses.pairing` decides: searches, pairs, asks for the comparison of codes, and tells each new state.

Owns one task at a time and the answer that is waited for. Lives on the app's loop; knows no screen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

from app.errors import Explanation, EyelidError, explain
from app.events import EventHub, GlassesChanged
from app.glasses import pairing
from app.glasses.pairing import CODES_DIFFER, OTHERS_SPEAK, Effect, Event, PairingState, Remedy, Stage, remedy_for, step
from app.glasses.types import FoundGlasses, GlassesView, KnownGlasses
from app.glasses.unseen import Census, explain_unseen
from ble.errors import GlassesError
from ble.types import LinkState

SEARCH_SECONDS = 20.0


class Desk(Protocol):
    """What of `app.glasses.desk.GlassesDesk` the flow needs."""

    def known(self) -> tuple[GlassesView, ...]: ...

    def scan(self, seconds: float = ..., census: Census | None = ...) -> AsyncGenerator[FoundGlasses, None]: ...

    async def held_here(self, address: str) -> bool: ...

    def cautions(self, family: str) -> tuple[str, ...]: ...

    def pair(
        self, found: FoundGlasses, *, continuous: bool = ..., compare: Callable[[str], Awaitable[bool]] | None = ...
    ) -> Awaitable[KnownGlasses]: ...


class PairingFlow:
    """One person pairing one pair. `state` is what to show; `on_change` is called after each change, and `until` waits for one.

    With `wanted`, only the glasses with this address are listed. `close` (or `cancel`) at the end.
    """

    def __init__(
        self,
        desk: Desk,
        events: EventHub,
        *,
        wanted: str | None = None,
        seconds: float = SEARCH_SECONDS,
        on_change: Callable[[PairingState], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._wanted = wanted.upper() if wanted else None
        self._seconds = seconds
        self._on_change = on_change
        self._works: list[asyncio.Task[None]] = []
        """What is under way, and before it what was broken off and is still ending."""
        self._answer: asyncio.Future[bool] | None = None
        self._refused = False
        self._others: dict[str, FoundGlasses] = {}
        self._news = asyncio.Event()
        self.state = PairingState()
        self._unsubscribe = events.subscribe(GlassesChanged, self._link_changed)

    # -- what a person does ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to search."""
        self._happen(pairing.Begin())

    def choose(self, address: str) -> None:
        """Pair the found glasses with this address; their cautions come first, if there are any."""
        family = next((found.family for found in self.state.found if found.address == address), "")
        known = tuple(view.known for view in self._desk.known())
        self._happen(pairing.Choose(address, self._desk.cautions(family), known))

    def agree(self) -> None:
        """The cautions were read."""
        self._happen(pairing.Agree())

    def answer(self, same: bool) -> None:
        """Whether the glasses show the same code."""
        self._happen(pairing.CodeAnswered(same))

    def again(self) -> None:
        """The one action after a failure, or another search."""
        self._happen(pairing.Again())

    def back(self) -> None:
        """One screen back; what is under way is broken off."""
        self._happen(pairing.Back())

    def cancel(self) -> None:
        """Leave. Nothing is enrolled unless it was paired already."""
        self._happen(pairing.Cancel())

    async def close(self) -> None:
        """`cancel`, and return when nothing is under way any more."""
        self.cancel()
        self._unsubscribe()
        if self._works:
            await asyncio.wait(self._works)

    async def until(self, fits: Callable[[PairingState], bool]) -> PairingState:
        """The first state from now on that fits."""
        while not fits(self.state):
            self._news.clear()
            await self._news.wait()
        return self.state

    # -- what happens ---------------------------------------------------------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        before = self.state
        self.state, effect = step(before, event)
        if effect is not None:
            self._carry_out(effect)
        if self.state != before:
            self._news.set()
            self._on_change(self.state)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Effect.SEARCH:
                self._begin(self._search)
            case Effect.PAIR:
                self._begin(self._pair)
            case Effect.STOP:
                self._begin(None)
            case Effect.SAME | Effect.DIFFERENT:
                self._tell(effect is Effect.SAME)

    def _begin(self, work: Callable[[], Awaitable[None]] | None) -> None:
        """End what is under way, then do `work`."""
        if self._works:
            self._works[-1].cancel()  # those before it were told already, and are not to be disturbed as they end
        before = [each for each in self._works if not each.done()]
        self._tell(False)

        async def after() -> None:
            if before:
                await asyncio.wait(before)
            if work is not None:
                await work()

        self._works = [*before, asyncio.ensure_future(after())]

    def _tell(self, same: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            self._refused = not same
            answer.set_result(same)

    async def _search(self) -> None:
        self._others.clear()
        census = Census()
        try:
            async with contextlib.aclosing(self._desk.scan(self._seconds, census)) as heard:
                async for found in heard:
                    if self._wanted in (None, found.address.upper()):
                        self._happen(pairing.Heard(found))
                    else:
                        self._others[found.address] = found
        except (GlassesError, EyelidError) as error:
            self._happen(pairing.SearchEnded(explain(error)))
        else:
            self._happen(pairing.SearchEnded(await self._why_unseen(census)))

    async def _why_unseen(self, census: Census) -> Explanation:
        view = next((view for view in self._desk.known() if view.known.address.upper() == self._wanted), None)
        held = self._wanted is not None and await self._desk.held_here(self._wanted)
        return explain_unseen(view, seconds=self._seconds, census=census, held_here=held, others=self._others.values())

    async def _pair(self) -> None:
        chosen = self.state.chosen
        assert chosen is not None, "only chosen glasses are paired"
        self._refused = False
        if chosen.code and not chosen.known and not await self._compare(chosen.code):
            return self._happen(pairing.Failed(OTHERS_SPEAK, Remedy.OTHERS))
        try:
            known = await self._desk.pair(chosen, compare=self._compare)
        except Exception as error:  # whatever it is, a person reads it
            why = CODES_DIFFER if self._refused else explain(error)
            self._happen(pairing.Failed(why, remedy_for(error)))
        else:
            self._happen(pairing.Paired(known))
        return None

    async def _compare(self, code: str) -> bool:
        """Ask the person. Who said no once is not asked again for the same try."""
        if self._refused:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._happen(pairing.CodeShown(code))
        return await answer

    def _link_changed(self, event: GlassesChanged) -> None:
        chosen = self.state.chosen
        if chosen is not None and event.view.known.address == chosen.address and event.view.state is LinkState.SECURING:
            self._happen(pairing.Linked())


def is_settled(state: PairingState) -> bool:
    """Whether a person, or nobody, has to act next."""
    return state.stage in (Stage.CAUTIONS, Stage.READY, Stage.FAILED, Stage.CLOSED) or bool(state.code)
