"""What a server gets, and what a lock keeps from it, through the window over the real services; the program's start and end.

The whole path from first run to receipt is walked in `path_walk`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.errors import EyelidError
from app.media.look.types import Part
from app.paths import Profile
from app.services import Services
from app.sharing.types import Outcome
from app.vault.types import ItemKind, LockState, NewItem, Origin
from tests.ui.eyes import real_window
from tests.ui.hands import press, shown, until
from tests.ui.plain_data import NOW, PASSPHRASE
from ui import main
from ui.approval import ApprovalDialog
from ui.dialogs import Question
from ui.main_window import MainWindow

SAMPLES = Path(__file__).parents[2] / "resources" / "samples"
CUP, HOPPER = SAMPLES / "frame" / "2-coffee.jpg", SAMPLES / "faces" / "hopper.jpg"


@pytest.fixture
async def real(tmp_path: Path, theme, quick_slots):
    """A window over real services on a fresh profile."""
    async with real_window(tmp_path, theme) as window:
        await until(window.isActiveWindow)
        yield window


async def make_vault(window: MainWindow, passphrase: str) -> None:
    press(window.welcome, "Continue")
    for field in (window.welcome._first, window.welcome._second):
        field._line.setText(passphrase)
    press(window.welcome, "Create my vault")
    sheet = window.welcome.recovery
    await until(sheet.isVisible)
    groups = sheet._groups
    press(sheet, "I wrote it down")
    for number, field in zip(sheet._wanted, sheet.fields, strict=True):
        field.setText(groups[number])
    press(sheet, "Check")
    press(window.welcome, "Skip the rest")
    await until(lambda: window.rooms.currentWidget() is window.inside)


async def asking(window: MainWindow, picture: Path, question: str) -> None:
    """In a new vault with this picture, asking about it."""
    services = window.context.services
    await make_vault(window, PASSPHRASE)
    new = NewItem(ItemKind.PHOTO, "image/jpeg", NOW, Origin("import", "", "Import"), 512, 600)
    item = services.vault.vault.add(picture.read_bytes(), new).id
    await services.library.arrived(item)
    await until(lambda: window.captures.model.rowCount() == 1)
    window.ask_about((item,))
    window.ask._question.setPlainText(question)


async def proposed(window: MainWindow) -> ApprovalDialog:
    window.ask.review()
    await until(lambda: shown(window, ApprovalDialog))
    dialog = shown(window, ApprovalDialog)[0]
    await until(lambda: dialog.proposal is not None)
    return dialog


async def send(window: MainWindow, dialog: ApprovalDialog) -> None:
    dialog._armed.setInterval(0)
    await until(lambda: dialog.armed)
    dialog.send.click()
    await until(lambda: not window.ask.busy)


async def test_locking_while_it_is_asked_keeps_private_and_the_book_says_so(real: MainWindow) -> None:
    services = real.context.services
    await asking(real, CUP, "What do you see?")
    await proposed(real)
    real.lock()
    await until(lambda: services.vault.state is LockState.LOCKED)
    assert real.rooms.currentWidget() is real.lock_page
    assert not shown(real, ApprovalDialog)

    real.lock_page._field._line.setText(PASSPHRASE)
    press(real.lock_page, "Unlock")
    await until(lambda: real.rooms.currentWidget() is real.inside)
    real.go("shared")
    await until(lambda: real.shared.model.rowCount() == 1)
    assert real.shared.model.index(0, 4).data() == "Kept private"


class Listener:
    """An OpenAI-compatible server on the loopback that remembers each body it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        self.bodies.append(await reader.readexactly(length))
        chunk = {"choices": [{"index": 0, "delta": {"content": "A cup of coffee."}, "finish_reason": "stop"}]}
        stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + stream.encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def listener():
    made = Listener()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield made
    server.close()
    await server.wait_closed()


async def turn_to(window: MainWindow, listener: Listener) -> None:
    """Have the question go to this server."""
    place = window.context.services.sharing.book.add_local("Mine", listener.url, "a-model").id
    window.ask.entered()
    await until(lambda: place in [each.id for each in window.ask._destinations])
    window.ask._to.choose(place)


async def test_what_was_shown_is_what_a_server_gets_and_nothing_before_a_yes(real: MainWindow, listener: Listener) -> None:
    services = real.context.services
    await asking(real, CUP, "What is this?")
    await turn_to(real, listener)
    dialog = await proposed(real)
    dialog.keep.click()
    await until(lambda: not real.ask.busy)
    assert listener.bodies == []
    assert [receipt.outcome for receipt in await services.sharing.receipts()] == [Outcome.REFUSED]
    assert real.captures.model.tile(0).status_words == "Private"

    dialog = await proposed(real)
    previewed = dialog.proposal.parcel.body
    assert listener.bodies == []
    await send(real, dialog)
    assert listener.bodies == [previewed]
    assert real.ask.conversation.turns[-1].answer.toPlainText() == "A cup of coffee."
    await until(lambda: real.captures.model.tile(0).status_words.startswith("Shared with"))
    report = await services.sharing.verify_receipts()
    assert (report.sound, report.count) == (True, 3)


async def test_a_face_covered_with_one_click_is_gone_from_what_a_server_gets(real: MainWindow, listener: Listener) -> None:
    await asking(real, HOPPER, "Who is this?")
    await turn_to(real, listener)
    dialog = await proposed(real)
    line = dialog.found.lines[Part.FACES]
    await until(lambda: line.words.text() == "1 face found")
    plain = dialog.proposal
    line.act.click()
    await until(lambda: dialog.proposal is not plain and line.words.text() == "1 face found, covered")
    picture = dialog.proposal.pictures[0]
    assert (len(picture.covered), picture.faces) == (1, 0)
    await send(real, dialog)
    assert [base64.b64encode(picture.jpeg) in body for body in listener.bodies] == [True]


async def test_the_program_starts_and_stops_in_order(tmp_path: Path, qapp: QApplication) -> None:
    running = asyncio.ensure_future(main.run(qapp, Profile(tmp_path), (), asyncio.get_running_loop()))
    await until(lambda: [window for window in qapp.topLevelWidgets() if isinstance(window, MainWindow) and window.isVisible()])
    next(window for window in qapp.topLevelWidgets() if isinstance(window, MainWindow) and window.isVisible()).close()
    assert await running == 0


async def test_a_start_that_fails_is_told_in_words(tmp_path: Path, qapp: QApplication, monkeypatch) -> None:
    async def start(profile, *, sims=(), outside, begin):
        await outside.close()
        raise EyelidError("The vault is in use.", "Another Eyelid has it open.", "Close that one first.")

    monkeypatch.setattr(Services, "start", start)
    running = asyncio.ensure_future(main.run(qapp, Profile(tmp_path), (), asyncio.get_running_loop()))
    await until(lambda: [one for one in qapp.topLevelWidgets() if isinstance(one, Question) and one.isVisible()])
    dialog = next(one for one in qapp.topLevelWidgets() if isinstance(one, Question) and one.isVisible())
    assert dialog.windowTitle() == "The vault is in use."
    assert "Close that one first." in dialog.accessibleDescription()
    dialog.close()
    assert await running == 1
