"""Importing over the glasses' own Wi-Fi: invite, look, bring everything in, and close their Wi-Fi again whatever happens.

Owns the order of the steps. The captures themselves come in as all others do: as offers that the companion takes to the vault.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from app.errors import Explanation, EyelidError, explain
from app.glasses.companion import Companion
from app.glasses.intake import Outcome
from ble.errors import GlassesError, LinkLost
from ble.http_port import WifiGlasses
from ble.types import LinkState

LOOK_SECONDS = 90.0
"""How long a network may take to come up once somebody said that this computer is on it."""
QUIET_SECONDS = 10.0
"""Nothing happens for so long: what is missing is looked for again."""
MOST_LOOKS = 3
"""What failed is tried again, so often in all."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """This computer has to be on the network `name`. Asking for the next step says that it is. Nothing to join if `simulated`."""

    name: str
    password: str = field(repr=False)
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """The glasses are being looked for on the network, and asked what they hold."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` captures were dealt with; the total may still grow."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """The glasses' Wi-Fi is closed again. `brought` are new in the vault, `known` were there, `failed` can be tried another time."""

    brought: int
    known: int
    failed: int


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """The import ended early, and why; the glasses' Wi-Fi is closed, if they could still be told. What arrived is safe."""

    explanation: Explanation


WifiStep = Invitation | Looking | Progress | Done | BrokenOff


async def import_over_wifi(companion: Companion, *, own_network: bool) -> AsyncGenerator[WifiStep, None]:
    """The steps, one after the other; the last is Done or BrokenOff. Closing the generator early breaks the import off."""
    try:
        if companion.importing.locked():
            raise EyelidError("These glasses are being imported from already.", "", "Wait until that is done.")
        async with companion.importing:
            wifi = await companion.wifi()
            outing = _Outing(companion, wifi)
            try:
                async with contextlib.aclosing(outing.steps(own_network)) as steps:
                    async for step in steps:
                        yield step
            finally:
                companion.outcomes = None
                await _close(companion, wifi)
        yield outing.result()
    except (GlassesError, EyelidError) as error:
        yield BrokenOff(explain(error))


async def _close(companion: Companion, wifi: WifiGlasses) -> None:
    """Have the glasses end it, also when whoever wanted the import has gone."""

    async def close() -> None:
        with contextlib.suppress(GlassesError):
            await companion.on_radio(wifi.close_wifi())

    await asyncio.shield(asyncio.ensure_future(close()))


class _Outing:
    """One import. `outcomes`: the last word on each offer."""

    def __init__(self, companion: Companion, wifi: WifiGlasses) -> None:
        self._companion = companion
        self._wifi = wifi
        self._outcomes: dict[str, Outcome] = {}
        self._left = 0

    def _count(self, *outcomes: Outcome) -> int:
        return sum(outcome in outcomes for outcome in self._outcomes.values())

    @property
    def _setbacks(self) -> int:
        return self._count(Outcome.FAILED, Outcome.DAMAGED, Outcome.UNKEPT)

    def result(self) -> Done:
        return Done(self._count(Outcome.SEALED), self._count(Outcome.KNOWN), self._setbacks + self._left)

    async def steps(self, own_network: bool) -> AsyncGenerator[WifiStep, None]:
        invitation = await self._companion.on_radio(self._wifi.open_wifi(own_network=own_network))
        if invitation is not None:
            yield Invitation(invitation.name, invitation.password, self._companion.known.simulated)
        yield Looking()
        self._companion.outcomes = self._outcomes
        for _ in range(MOST_LOOKS):
            skip = await self._companion.settled_captures()
            await self._companion.on_radio(self._wifi.look_over_wifi(LOOK_SECONDS, skip=skip))
            async with contextlib.aclosing(self._bring_in()) as steps:
                async for step in steps:
                    yield step
            if not self._left and not self._setbacks:
                return

    async def _bring_in(self) -> AsyncGenerator[WifiStep, None]:
        """Until all that is to come was dealt with, or nothing happens any more. Raises LinkLost."""
        told, clock = Progress(-1, 0), asyncio.get_running_loop()
        until = clock.time() + QUIET_SECONDS
        while True:
            changes = self._companion.changes
            self._left = await self._companion.on_radio(self._still_to_come())
            busy = self._companion.busy
            done = len(self._outcomes) - self._setbacks
            progress = Progress(done, max(told.total, done + self._left))
            if busy or progress != told:  # what else is news of the glasses (their battery) is none of the import
                until = clock.time() + QUIET_SECONDS
            if progress != told:
                yield (told := progress)
            if not busy and (self._left == 0 or not self._linked() or clock.time() >= until):
                break
            await self._companion.until_changed(changes, QUIET_SECONDS if busy else until - clock.time())
        if not self._linked():
            raise LinkLost("The import was interrupted.", "The link to the glasses was lost.", "Bring the glasses closer and import again.")

    def _linked(self) -> bool:
        return self._companion.view.state is LinkState.READY

    async def _still_to_come(self) -> int:
        return self._wifi.left_over_wifi()
