"""Live looks from simulated glasses to a server on this computer: nothing is replaced, every connection is watched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.cli.live import look
from app.cli.paired import first_found
from app.cli.terminal import Exit, Terminal
from app.events import LiveChanged
from app.library.types import Query
from app.services import Services
from app.sharing.live_types import LiveDraft
from app.sharing.types import Outcome, ReceiptKind


async def test_frames_from_the_glasses_until_the_link_is_lost(eyelid: Services, assistant: Any, street: Any) -> None:
    await eyelid.glasses.start_simulated("openglass")
    pair = await eyelid.glasses.pair(await first_found(eyelid))
    server = eyelid.sharing.book.add_local("My server", f"{assistant.origin}/v1", "a-model").id
    proposal = await eyelid.sharing.live.prepare(LiveDraft(pair.address, "What is ahead?", server, frames=5, minutes=1, every=1))
    assert street.read_text() == "", "nothing leaves by looking"
    over, one = asyncio.Event(), asyncio.Event()

    def heard(event: LiveChanged) -> None:
        if event.view.answer == "A cup of coffee on a table.":
            one.set()
        if not event.view.running:
            over.set()

    eyelid.events.subscribe(LiveChanged, heard)
    await eyelid.sharing.live.start(proposal)
    await one.wait()
    await eyelid.glasses.disconnect(pair.address)
    await over.wait()

    view = eyelid.sharing.live.view
    assert view is not None
    assert view.why == "The glasses are no longer connected."
    assert view.frames == len(assistant.bodies) >= 1
    assert view.bytes_sent == sum(map(len, assistant.bodies))
    end = (await eyelid.sharing.receipts())[-1]
    assert (end.kind, end.outcome, end.frames, end.bytes_sent) == (ReceiptKind.LIVE, Outcome.CANCELLED, view.frames, view.bytes_sent)
    shared = [tile.id for tile in await eyelid.library.tiles(Query()) if tile.status_words.startswith("Shared with")]
    assert set(shared) == set(end.items)
    assert set(street.read_text().splitlines()) == {f"('127.0.0.1', {assistant.port})"}
    assert (await eyelid.sharing.verify_receipts()).sound


async def test_a_live_look_at_the_terminal(eyelid: Services, assistant: Any, street: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await eyelid.glasses.start_simulated("openglass")
    pair = await eyelid.glasses.pair(await first_found(eyelid))
    server = eyelid.sharing.book.add_local("My server", f"{assistant.origin}/v1", "a-model").id
    draft = LiveDraft(pair.address, "What is ahead?", server, frames=1, minutes=1, every=1)
    terminal = Terminal()
    answers, said, asked = ["n", "y"], [], []

    async def ask(question: str, *, otherwise: str = "") -> str:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(terminal, "ask", ask)
    monkeypatch.setattr(terminal, "say", said.append)
    monkeypatch.setattr(terminal, "part", said.append)
    assert await look(eyelid, draft, terminal) is Exit.KEPT_PRIVATE
    assert street.read_text() == ""
    assert await look(eyelid, draft, terminal) is Exit.DONE
    assert asked == ["Send up to 1 photo to Local server (this computer)? [y/N]"] * 2
    text = "".join(said)
    for part in (
        "at most 1 photo in 1 minute,",
        "frame 1 of at most 1",
        "A cup of coffee on a table.",
        "All its frames were sent.",
        "answered",
    ):
        assert part in text
    assert len(assistant.bodies) == 1
