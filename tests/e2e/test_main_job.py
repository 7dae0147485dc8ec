"""The main job as one path: simulated glasses, vault, approval, courier, receipt. Only the socket layer is watched; nothing is replaced."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from app.cli.paired import capture, first_found
from app.errors import EyelidError
from app.library.types import Query, ThumbSize, Tile
from app.media.samples import pictures
from app.services import Services
from app.sharing.approval import Approval
from app.sharing.types import AnswerText, Draft, Ended, Outcome, Proposal, Receipt, SendEvent
from tests.waiting import until

QUESTION = "Which plant is this, marker-question-5141?"


async def photograph(eyelid: Services, family: str = "omi-glass") -> Tile:
    """Pair simulated glasses and take a photo."""
    await eyelid.glasses.start_simulated(family)
    pair = await eyelid.glasses.pair(await first_found(eyelid))
    return await capture(eyelid, pair.address)


def local(eyelid: Services, origin: str) -> str:
    return eyelid.sharing.book.add_local("My server", f"{origin}/v1", "a-model").id


async def sent(eyelid: Services, proposal: Proposal, approval: Approval) -> tuple[str, Receipt, list[SendEvent]]:
    events = [event async for event in eyelid.sharing.send(proposal, approval)]
    assert isinstance(events[-1], Ended)
    return "".join(event.text for event in events if isinstance(event, AnswerText)), events[-1].receipt, events


async def test_from_the_glasses_to_the_answer(eyelid: Services, assistant: Any, street: Any) -> None:
    tile = await photograph(eyelid)
    assert tile.status_words == "Private"
    assert await eyelid.library.picture(tile.id) in pictures("omi-glass")

    proposal = await eyelid.sharing.prepare(Draft((tile.id,), QUESTION, local(eyelid, assistant.origin)))
    assert street.read_text() == ""
    answer, receipt, _ = await sent(eyelid, proposal, await eyelid.sharing.approve(proposal))

    assert assistant.bodies == [proposal.parcel.body]
    assert base64.b64encode(proposal.pictures[0].jpeg) in proposal.parcel.body
    assert answer == "A cup of coffee on a table."
    assert (receipt.outcome, receipt.bytes_sent, receipt.body_sha256) == (
        Outcome.ANSWERED,
        len(proposal.parcel.body),
        proposal.parcel.sha256,
    )
    assert (await eyelid.library.tiles(Query()))[0].status_words.startswith("Shared with")
    report = await eyelid.sharing.verify_receipts()
    assert report.sound
    assert [line.outcome for line in await eyelid.sharing.receipts()] == [Outcome.INTENDED, Outcome.ANSWERED]
    assert street.read_text().splitlines() == [f"('127.0.0.1', {assistant.port})"]


async def test_kept_private_means_that_nothing_is_even_tried(eyelid: Services, assistant: Any, street: Any) -> None:
    tile = await photograph(eyelid)
    proposal = await eyelid.sharing.prepare(Draft((tile.id,), QUESTION, local(eyelid, assistant.origin)))
    receipt = await eyelid.sharing.refuse(proposal)
    assert receipt.outcome is Outcome.REFUSED
    with pytest.raises(EyelidError):
        await eyelid.sharing.approve(proposal)
    assert street.read_text() == ""
    assert assistant.requests == []
    assert (await eyelid.library.tiles(Query()))[0].status_words == "Private"


async def test_an_approval_holds_once(eyelid: Services, assistant: Any, street: Any) -> None:
    tile = await photograph(eyelid)
    proposal = await eyelid.sharing.prepare(Draft((tile.id,), QUESTION, local(eyelid, assistant.origin)))
    approval = await eyelid.sharing.approve(proposal)
    await sent(eyelid, proposal, approval)
    with pytest.raises(EyelidError):
        await sent(eyelid, proposal, approval)
    assert len(assistant.requests) == 1
    assert len(street.read_text().splitlines()) == 1


async def test_a_redirect_is_not_followed(eyelid: Services, assistant: Any, street: Any) -> None:
    other = type(assistant)()
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    assistant.redirect_to = f"{other.origin}/v1/chat/completions"
    tile = await photograph(eyelid)
    proposal = await eyelid.sharing.prepare(Draft((tile.id,), QUESTION, local(eyelid, assistant.origin)))
    _, receipt, _ = await sent(eyelid, proposal, await eyelid.sharing.approve(proposal))
    server.close()
    await server.wait_closed()
    assert receipt.outcome is Outcome.FAILED
    assert other.requests == []
    assert len(street.read_text().splitlines()) == 1


async def test_ai_off_and_lock_close_the_gate(eyelid: Services, assistant: Any, street: Any) -> None:
    tile = await photograph(eyelid)
    draft = Draft((tile.id,), QUESTION, local(eyelid, assistant.origin))
    proposal = await eyelid.sharing.prepare(draft)
    approval = await eyelid.sharing.approve(proposal)
    await eyelid.vault.lock()
    with pytest.raises(EyelidError):
        await sent(eyelid, proposal, approval)
    await eyelid.vault.unlock("correct horse battery staple")
    eyelid.sharing.ai_off = True
    with pytest.raises(EyelidError):
        await eyelid.sharing.approve(await eyelid.sharing.prepare(draft))
    assert street.read_text() == ""


async def test_captures_arrive_while_the_vault_is_locked(eyelid: Services) -> None:
    await photograph(eyelid)
    before = len(await eyelid.library.tiles(Query()))
    await eyelid.vault.lock()
    view = eyelid.glasses.known()[0]
    on_disk = set(eyelid.vault.vault.ids())
    await eyelid.glasses.take_photo(view.known.address)
    await until(lambda: set(eyelid.vault.vault.ids()) != on_disk)
    await eyelid.vault.unlock("correct horse battery staple")
    await eyelid.library.catch_up()
    assert len(await eyelid.library.tiles(Query())) == before + 1


async def test_nothing_unsealed_on_the_disk(eyelid: Services, assistant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    tile = await photograph(eyelid)
    await eyelid.library.set_note(tile.id, "marker-note-9265")
    proposal = await eyelid.sharing.prepare(Draft((tile.id,), QUESTION, local(eyelid, assistant.origin)))
    await sent(eyelid, proposal, await eyelid.sharing.approve(proposal))
    original = await eyelid.library.picture(tile.id)
    thumbnail = await eyelid.library.thumbnail(tile.id, ThumbSize.LARGE)
    assert thumbnail is not None
    await eyelid.stop()

    markers = [QUESTION.encode(), b"marker-note-9265", b"A cup of coffee", b"JFIF"]
    for picture in (original, proposal.pictures[0].jpeg, thumbnail):
        markers += [picture[start : start + 24] for start in range(200, len(picture) - 24, len(picture) // 20)]
    markers.append(base64.b64encode(original)[400:440])
    files = [path for folder in (eyelid.profile.root, temporary) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 8
    for path in files:
        content = path.read_bytes()
        assert not [marker for marker in markers if marker in content], path


@pytest.mark.skipif(shutil.which("age") is None, reason="needs the age program (make test installs it on Debian)")
async def test_any_age_program_opens_an_object(eyelid: Services, tmp_path: Path) -> None:
    tile = await photograph(eyelid)
    identity = tmp_path / "identity.txt"
    identity.write_text(eyelid.vault.vault.identity() + "\n")
    [object_file] = list(eyelid.profile.vault.rglob(f"{tile.id}.age"))
    opened = await asyncio.to_thread(subprocess.run, ["age", "-d", "-i", str(identity), str(object_file)], capture_output=True, check=True)
    assert opened.stdout == await eyelid.library.picture(tile.id)
    assert opened.stdout in pictures("omi-glass")
