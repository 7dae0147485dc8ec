"""`eyelid receipts` over a real book, without the processes around it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.cli import receipts as commands
from app.cli.main import parser
from app.cli.terminal import Exit, Terminal
from app.errors import EyelidError
from app.paths import Profile
from app.sharing.types import Outcome


@pytest.fixture
async def book(room: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs a command; returns its exit code and what it printed, as data."""

    @asynccontextmanager
    async def unlocked(profile: Profile, terminal: Terminal) -> AsyncIterator[Any]:
        yield SimpleNamespace(sharing=room.desk)

    monkeypatch.setattr(commands, "unlocked", unlocked)
    for destination in ("mirror", room.local.id):
        proposal = await room.proposal(destination)
        async for _ in room.desk.send(proposal, await room.desk.approve(proposal)):
            pass
        room.clock.pass_(days=1)
    await room.desk.refuse(await room.proposal())

    async def run(*words: str) -> tuple[Exit, Any]:
        said: list[Any] = []
        terminal = Terminal(json=True)
        monkeypatch.setattr(terminal, "data", said.append)
        arguments = parser().parse_args(["receipts", *words])
        return await arguments.command(Profile(tmp_path), arguments, terminal), said[-1]

    return SimpleNamespace(run=run, room=room, folder=tmp_path)


async def test_a_list_with_filters(book: Any) -> None:
    async def numbers(*words: str) -> list[int]:
        exit_code, lines = await book.run("list", *words)
        assert exit_code is Exit.DONE
        return [line["number"] for line in lines]

    assert await numbers() == [1, 2, 3, 4, 5]
    assert await numbers("--destination", "local server") == [3, 4]
    assert await numbers("--outcome", "refused", "--outcome", "answered") == [2, 4, 5]
    assert await numbers("--item", book.room.item[:6], "--since", "2026-11-25T00:00+00:00") == [5]
    assert await numbers("--until", "2026-11-24T00:00+00:00", "--kind", "parcel") == [1, 2]
    assert await numbers("--kind", "live") == []
    with pytest.raises(SystemExit):
        await book.run("list", "--since", "yesterday")


async def test_copies_to_keep_and_their_checks(book: Any) -> None:
    kept, later = book.folder / "book.json", book.folder / "page.html"
    assert (await book.run("export", "--json", "--to", str(kept)))[0] is Exit.DONE
    assert (await book.run("export", "--html", "--to", str(later), "--destination", "Mirror"))[0] is Exit.DONE
    assert b"3 of 5 lines are shown" in later.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    with pytest.raises(EyelidError, match="Nothing is written over it"):
        await book.run("export", "--json", "--to", str(kept))
    exit_code, found = await book.run("verify", "--file", str(kept))
    assert (exit_code, found["count"], found["sound"]) == (Exit.DONE, 5, True)
    assert (await book.run("verify", "--against", str(kept)))[1]["sound"]
    spoiled = json.loads(kept.read_text())
    spoiled["records"][5] = spoiled["records"][5].replace("kept private", "kept in private")
    kept.write_text(json.dumps(spoiled))
    assert (await book.run("verify", "--file", str(kept)))[0] is Exit.DAMAGED
    exit_code, found = await book.run("verify", "--against", str(kept))
    assert (exit_code, found["faults"]) == (
        Exit.DAMAGED,
        ["Receipt 5 of the earlier export is not in the book any more, or is another one."],
    )
    for option in ("--file", "--against"):
        with pytest.raises(EyelidError, match="no export"):
            await book.run("verify", option, str(later))
    with pytest.raises(EyelidError, match="whole book"):
        await book.run("export", "--json", "--to", str(kept), "--item", "ab")


async def test_deletion_at_the_command_line(book: Any) -> None:
    _, (text,) = await book.run("deletion", "4")
    assert "deleted in it" in text
    with pytest.raises(EyelidError, match="no such receipt"):
        await book.run("deletion", "77")


async def test_lines_for_people(book: Any) -> None:
    receipts = await book.room.desk.receipts()
    line = commands.line_of(receipts[1])
    assert "1 picture to Mirror (this computer, no AI)" in line
    assert "under the grant" not in line
    assert commands.receipt_data(receipts[1])["outcome"] == Outcome.ANSWERED.value
