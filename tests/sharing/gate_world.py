"""The desk with all that is around it, for tests that let anything happen in any order: a person's steps, and a courier that is watched."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from app.courier.pipe import Ending as Carried
from app.courier.pipe import Send
from app.errors import EyelidError
from app.events import EventHub
from app.lanes import Lanes
from app.sharing.cards import CardBook
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.sharing.keys import MemoryKeys
from app.vault.vault import Vault

POLICIES = Path(__file__).parent.parent.parent / "resources" / "policies"


class GateWorld:
    """A vault with a photo, cards that can change, a desk, and a courier. Steps are methods; what must hold is in `allowed_to_go`.

    `broken` tells what did not hold: an exception would be swallowed by the gate, which has to come to an end whatever a courier does.
    """

    def __init__(self, folder: Path, tools: Any, lanes: Lanes) -> None:
        self.tools = tools
        self.files = tools.QuickFiles()
        self.vault = Vault.create(folder / "vault", passphrase=tools.PASSPHRASE, keyring=False, work_factor=1, files=self.files)
        self.item = self.vault.add(tools.photo(), tools.new_item()).id
        self.clock = tools.Clock()
        self.cards = folder / "policies"
        self.cards.mkdir()
        for file in POLICIES.glob("*.toml"):
            (self.cards / file.name).write_bytes(file.read_bytes())
        self.lanes = lanes
        self.courier = tools.FakeCourier(watch=self._handed_over)
        self.book = DestinationBook(folder, MemoryKeys())
        self.local = self.book.add_local("L", "http://127.0.0.1:1/v1", "llava").id
        self.away = self.book.add_custom("A", "Somebody", "https://ai.example/v1", "llava").id
        self.book.keys.set(self.away, "sk-1")
        events = EventHub(asyncio.get_running_loop())
        cards = CardBook(self.cards, self.clock.today)
        parts = (self.vault, self.lanes, self.courier, events, self.book, cards, self.clock)
        self.desk = SharingDesk(*parts, None, self.clock.elapsed)  # type: ignore[arg-type]
        self.broken: list[str] = []

    @classmethod
    @asynccontextmanager
    async def made(cls, tools: Any) -> AsyncIterator[Self]:
        with tempfile.TemporaryDirectory() as folder:
            world = cls(Path(folder), tools)  # type: ignore[call-arg]
            try:
                yield world
            finally:
                await world.close()
            await asyncio.sleep(0)

    @classmethod
    async def play(cls, steps: list[tuple[Any, ...]], tools: Any) -> Self:
        """Go these steps, to their end."""
        async with cls.made(tools) as world:
            for name, *values in steps:
                await world.step(name, *values)
            await world.finish()
        return world

    def _handed_over(self, order: Send) -> None:
        try:
            self.allowed_to_go(order)
        except Exception as error:
            self.broken.append(repr(error))

    def allowed_to_go(self, order: Send) -> None:
        """The invariants, at the moment of no return."""
        raise NotImplementedError

    async def finish(self) -> None:
        """What must hold in the end."""
        raise NotImplementedError

    async def settle(self) -> None:
        await asyncio.sleep(0)
        while tasks := self.desk._tasks | self.desk._gate._tasks:
            await asyncio.wait(tuple(tasks))
        await asyncio.sleep(0)

    async def step(self, name: str, *values: Any) -> None:
        act = getattr(self, f"do_{name.replace(' ', '_')}")
        try:
            await act(*values)
        except (EyelidError, OSError):
            pass
        await self.settle()

    # -- steps that all know

    async def do_wait(self, seconds: int) -> None:
        self.clock.pass_(seconds=seconds)

    async def do_terms_change(self, card: str) -> None:
        file = self.cards / f"{card}.toml"
        file.write_bytes(file.read_bytes() + b"#\n")

    async def do_courier(self, ending: Carried) -> None:
        self.courier.ending = ending
        self.courier.sent = 0 if ending is Carried.UNREACHABLE else None

    async def close(self) -> None:
        await self.desk.close()
        await asyncio.sleep(0)
        self.lanes.close()
        self.vault.close()
