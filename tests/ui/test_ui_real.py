"""The main job through the window over the real services: first run, simulated glasses, capture, look, ask, receipt, lock, unlock."""

from __future__ import annotations

import asyncio
import base64
import gc
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
from ble.types import LinkState
from tests.ui.hands import press, shown
from ui import main
from ui.approval import ApprovalDialog
from ui.dialogs import Question
from ui.main_window import MainWindow


@pytest.fixture
async def real(tmp_path: Path, theme, until):
    """A window over real services on a fresh profile."""
    services = await Services.start(Profile(tmp_path / "profile"))
    window = MainWindow(services, theme, asyncio.get_running_loop())
    window.show()
    await until(window.isActiveWindow)
    yield window
    window.close()
    await window.tasks.stop()
    await services.stop()
    window.deleteLater()
    await asyncio.sleep(0)
    gc.collect()


async def wait(condition) -> None:
    async with asyncio.timeout(25):
        while not condition():
            await asyncio.sleep(0.01)


async def make_vault(window: MainWindow, passphrase: str) -> None:
    press(window.welcome, "Continue")
    for field in (window.welcome._first, window.welcome._second):
        field._line.setText(passphrase)
    press(window.welcome, "Create my vault")
    sheet = window.welcome.recovery
    await wait(sheet.isVisible)
    groups = sheet._groups
    press(sheet, "I wrote it down")
    for number, field in zip(sheet._wanted, sheet.fields, strict=True):
        field.setText(groups[number])
    press(sheet, "Check")
    press(window.welcome, "Skip the rest")
    await wait(lambda: window.rooms.currentWidget() is window.inside)


async def pair_simulated(window: MainWindow) -> str:
    services = window.context.services
    press(window.captures, "Pair glasses")
    panel = window.glasses.pairing
    await wait(lambda: panel.look.offered)
    press(panel, "Start simulated Omi Glass")
    await wait(lambda: panel.look.rows())
    panel.choose(panel.look.rows()[0].found.address)
    press(panel, "Pair these glasses")
    await wait(lambda: services.glasses.known() and services.glasses.known()[0].state is LinkState.READY)
    return services.glasses.known()[0].known.address


async def test_the_main_job_from_first_run_to_receipt(real: MainWindow, fake) -> None:
    services = real.context.services
    assert real.rooms.currentWidget() is real.welcome
    await make_vault(real, fake.PASSPHRASE)
    address = await pair_simulated(real)

    real.go("captures")
    real.glasses.take_photo(address)
    await wait(lambda: real.captures.model.rowCount() >= 1)
    item = real.captures.model.tile(0).id
    real.view(item)
    await wait(lambda: not real.viewer.picture.empty)

    real.viewer.ask()
    real.ask._question.setPlainText("What do you see?")
    real.ask.review()
    await wait(lambda: shown(real, ApprovalDialog))
    dialog = shown(real, ApprovalDialog)[0]
    dialog._armed.setInterval(0)
    await wait(lambda: dialog.armed)
    dialog.send.click()
    await wait(lambda: not real.ask.busy)
    said = real.ask.conversation.turns[-1].answer.toPlainText()
    assert "mirror on your own computer" in said, [str(banner.said) for banner in real.banners.shown()]

    real.ask._question.setPlainText("And what else?")
    real.ask._question.setPlainText("And what else?")
    real.ask.review()
    await wait(lambda: shown(real, ApprovalDialog))
    real.lock()
    await wait(lambda: services.vault.state is LockState.LOCKED)
    assert real.rooms.currentWidget() is real.lock_page
    assert not shown(real, ApprovalDialog)

    real.lock_page._field._line.setText(fake.PASSPHRASE)
    press(real.lock_page, "Unlock")
    await wait(lambda: real.rooms.currentWidget() is real.inside)
    real.go("shared")
    await wait(lambda: real.shared.model.rowCount() >= 2)
    outcomes = {real.shared.model.index(row, 4).data() for row in range(real.shared.model.rowCount())}
    assert {"Sent and answered", "Kept private"} <= outcomes


class Listener:
    """An OpenAI-compatible server on the loopback that remembers each body it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        self.bodies.append(await reader.readexactly(length))
        chunk = {"choices": [{"index": 0, "delta": {"content": "A cup of coffee."}, "finish_reason": "stop"}]}
        stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + stream.encode())
        await writer.drain()
        writer.close()


async def proposed(window: MainWindow) -> ApprovalDialog:
    window.ask.review()
    await wait(lambda: shown(window, ApprovalDialog))
    dialog = shown(window, ApprovalDialog)[0]
    await wait(lambda: dialog.proposal is not None)
    return dialog


async def test_what_was_shown_is_what_a_server_gets_and_nothing_before_a_yes(real: MainWindow, fake) -> None:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    services = real.context.services
    await make_vault(real, fake.PASSPHRASE)
    address = await pair_simulated(real)
    real.glasses.take_photo(address)
    await wait(lambda: real.captures.model.rowCount() >= 1)
    real.view(real.captures.model.tile(0).id)
    place = services.sharing.book.add_local("Mine", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "a-model").id
    real.viewer.ask()
    real.ask._question.setPlainText("What is this?")
    await wait(lambda: place in [each.id for each in real.ask._destinations])
    real.ask._to.choose(place)

    dialog = await proposed(real)
    dialog.keep.click()
    await wait(lambda: not real.ask.busy)
    assert listener.bodies == []
    assert [receipt.outcome for receipt in await services.sharing.receipts()] == [Outcome.REFUSED]
    assert real.captures.model.tile(0).status_words == "Private"

    dialog = await proposed(real)
    previewed = dialog.proposal.parcel.body
    dialog._armed.setInterval(0)
    await wait(lambda: dialog.armed)
    assert listener.bodies == []
    dialog.send.click()
    await wait(lambda: not real.ask.busy)
    assert listener.bodies == [previewed]
    assert real.ask.conversation.turns[-1].answer.toPlainText() == "A cup of coffee."
    await wait(lambda: real.captures.model.tile(0).status_words.startswith("Shared with"))
    report = await services.sharing.verify_receipts()
    assert (report.sound, report.count) == (True, 3)
    server.close()
    await server.wait_closed()


async def test_a_face_covered_with_one_click_is_gone_from_what_a_server_gets(real: MainWindow, fake) -> None:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    services = real.context.services
    await make_vault(real, fake.PASSPHRASE)
    data = (Path(__file__).parents[2] / "resources" / "samples" / "faces" / "hopper.jpg").read_bytes()
    item = services.vault.vault.add(data, NewItem(ItemKind.PHOTO, "image/jpeg", fake.NOW, Origin("import", "", "Import"), 512, 600)).id
    await services.library.arrived(item)
    place = services.sharing.book.add_local("Mine", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "a-model").id
    real.ask_about((item,))
    real.ask._question.setPlainText("Who is this?")
    await wait(lambda: place in [each.id for each in real.ask._destinations])
    real.ask._to.choose(place)
    dialog = await proposed(real)
    line = dialog.found.lines[Part.FACES]
    await wait(lambda: line.words.text() == "1 face found")
    plain = dialog.proposal
    line.act.click()
    await wait(lambda: dialog.proposal is not plain)
    assert line.words.text() == "1 face found, covered"
    picture = dialog.proposal.pictures[0]
    assert (len(picture.covered), picture.faces) == (1, 0)
    dialog._armed.setInterval(0)
    await wait(lambda: dialog.armed)
    dialog.send.click()
    await wait(lambda: not real.ask.busy)
    assert [base64.b64encode(picture.jpeg) in body for body in listener.bodies] == [True]
    server.close()
    await server.wait_closed()


async def test_the_program_starts_and_stops_in_order(tmp_path: Path, qapp: QApplication, until) -> None:
    running = asyncio.ensure_future(main.run(qapp, Profile(tmp_path), (), asyncio.get_running_loop()))
    await wait(lambda: [window for window in qapp.topLevelWidgets() if isinstance(window, MainWindow) and window.isVisible()])
    next(window for window in qapp.topLevelWidgets() if isinstance(window, MainWindow) and window.isVisible()).close()
    assert await running == 0


async def test_a_start_that_fails_is_told_in_words(tmp_path: Path, qapp: QApplication, until, monkeypatch) -> None:
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
