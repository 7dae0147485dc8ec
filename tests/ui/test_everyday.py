"""Everyday things: one window a profile, tray, notifications, start at login, shortcuts, a window that is never lost."""

from __future__ import annotations

import plistlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus
from PySide6.QtCore import QSettings, Qt
from PySide6.QtDBus import QDBusConnection
from PySide6.QtWidgets import QApplication, QLabel, QSystemTrayIcon

from app.events import CaptureSealed
from app.paths import Profile
from app.settings import AI_OFF, NOTIFY, START_AT_LOGIN, TRAY
from app.vault.types import LockState
from ble.types import LinkState
from ui import single
from ui.autostart import DesktopFile, LaunchAgent, RunKey, make_autostart, own_command
from ui.everyday import Everyday
from ui.notify import portal, said
from ui.shortcuts import ShortcutsDialog
from ui.tray import status

ROOT = Path(__file__).parents[2]
ADDRESS = "AA:BB:CC:DD:EE:01"


# -- one window a profile ------------------------------------------------------------------------------------------------------


def test_a_second_start_finds_the_profile_taken_until_the_first_ends(tmp_path) -> None:
    first = single.claim(tmp_path)
    assert first is not None
    assert single.claim(tmp_path) is None
    first.release()
    again = single.claim(tmp_path)
    assert again is not None
    again.release()


async def test_a_second_start_wakes_the_first(qapp, tmp_path, until) -> None:
    """From a process of its own, as in life."""
    bell, rung = single.Bell(tmp_path), []
    bell.rung.connect(rung.append)
    code = f"from pathlib import Path; from ui import single; raise SystemExit(not single.ring(Path({str(tmp_path)!r})))"
    second = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={"PATH": "", "XDG_ACTIVATION_TOKEN": "leave-1"})
    await until(lambda: rung)
    assert second.wait(20) == 0
    assert rung == ["leave-1"]
    assert not (tmp_path / "bell" / "ring").exists()


def test_nobody_answering_is_no_success_and_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    passed = []
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "\udcff")  # what is no text in an environment comes in as this
    assert not single.ring(tmp_path, pause=passed.append, clock=lambda: sum(passed))
    assert sum(passed) >= single.ANSWER_SECONDS
    assert list((tmp_path / "bell").iterdir()) == []


async def test_what_is_no_ring_wakes_nobody(qapp, tmp_path, until) -> None:
    bell, rung = single.Bell(tmp_path), []
    bell.rung.connect(rung.append)
    (tmp_path / "bell" / "ring").write_bytes(b"\xff\xfe")
    bell._look()
    (tmp_path / "bell" / "ring").unlink()
    bell._look()
    assert rung == []


# -- tray and a window that is never lost --------------------------------------------------------------------------------------


@pytest.fixture
def tray_there(monkeypatch):
    """A desktop with a tray, as long as `there` says so."""
    desktop = SimpleNamespace(there=True, messages=[])
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: desktop.there))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda self, title, text, icon: desktop.messages.append(text))
    return desktop


@pytest.fixture
async def everyday(window, services, fake, tmp_path, tray_there):
    services.glasses.put(fake.view())
    made = Everyday(window, DesktopFile(tmp_path / "autostart", ["eyelid", "--hidden"]), bell=False)
    yield made
    made.stop()


async def test_the_tray_says_how_the_glasses_are_and_can_do_the_few_things(everyday, window, services, until) -> None:
    tray = everyday.tray
    await until(lambda: tray.status.text() == "Omi Glass: Connected")
    everyday.tray._photos.actions()[0].trigger()
    await until(lambda: services.glasses.calls == [("photo", ADDRESS)])
    tray._ai.trigger()
    await until(lambda: services.settings.get(AI_OFF))
    tray._lock.trigger()
    await until(lambda: services.vault.state is LockState.LOCKED and tray.status.text() == "Locked")
    assert "Omi" not in tray.icon.toolTip(), "locked names nobody's glasses"
    assert not tray._photos.isEnabled()


async def test_closing_hides_only_where_a_tray_can_bring_it_back(everyday, window, services, tray_there) -> None:
    services.settings.set(TRAY, True)
    window.close()
    assert not window.isVisible()
    assert not window.closed.is_set()
    everyday.tray.shown.emit()
    assert window.isVisible()
    window.close()
    tray_there.there = False
    everyday._look()
    assert window.isVisible(), "the tray went away, so the window came back"
    assert window.isMinimized()
    window.close()
    assert window.closed.is_set(), "without a tray, closing ends it"


async def test_closing_ends_it_unless_the_person_wants_the_tray(everyday, window) -> None:
    window.close()
    assert window.closed.is_set()


async def test_quit_ends_it_also_with_a_tray(everyday, window, services) -> None:
    services.settings.set(TRAY, True)
    everyday.tray.leave.emit()
    assert window.closed.is_set()


async def test_another_start_brings_it_forward_from_anywhere(everyday, window, services, until) -> None:
    services.settings.set(TRAY, True)
    window.close()
    everyday._rung("")
    assert window.isVisible()
    window.showMinimized()
    everyday._rung("")
    await until(lambda: not window.isMinimized())


def test_several_pairs_are_told_in_one_line(fake) -> None:
    assert status(()) == "No glasses paired"
    assert status((fake.view(LinkState.WAITING), fake.view())) == "Omi Glass: Connected, and 1 more"


# -- notifications -------------------------------------------------------------------------------------------------------------


async def test_arrivals_are_told_by_their_number_and_locked_not_even_that(everyday, services, until, tray_there, monkeypatch) -> None:
    monkeypatch.setattr(QApplication, "activeWindow", staticmethod(lambda: None))  # nobody looks at the window
    for _ in range(3):
        services.events.publish(CaptureSealed(ADDRESS))
    await until(lambda: everyday.notifier._count == 3)
    everyday.notifier.tell()
    assert tray_there.messages == ["3 new captures are in the vault."]
    services.vault.become(LockState.LOCKED)
    everyday.notifier.arrived()
    everyday.notifier.tell()
    assert tray_there.messages[1:] == ["New captures were sealed into the vault."]
    services.settings.set(NOTIFY, False)
    everyday.notifier.arrived()
    everyday.notifier.tell()
    assert len(tray_there.messages) == 2


async def test_who_looks_at_the_window_has_it_read_out_instead(everyday, window, tray_there, monkeypatch) -> None:
    heard = []
    monkeypatch.setattr("ui.everyday.announce", lambda widget, text: heard.append(text))
    assert window.isActiveWindow()
    everyday.notifier.arrived()
    everyday.notifier.tell()
    assert heard == ["1 new capture is in the vault."]
    assert tray_there.messages == []


async def test_where_there_is_no_tray_the_portal_shows_it(until) -> None:
    """The portal of the desktop is played by somebody who writes down what is asked of it."""
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"], stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    desktop = await MessageBus(bus_address=address).connect()
    asked = []

    def answer(message: Message) -> Message | None:
        if message.member != "AddNotification":
            return None
        asked.append(message.body)
        return Message.new_method_return(message)

    desktop.add_message_handler(answer)
    await desktop.request_name("org.freedesktop.portal.Desktop")
    portal(QDBusConnection.connectToBus(address, "portal-test"))("Eyelid", "1 new capture is in the vault.")
    await until(lambda: asked)
    [name, said_] = asked[0]
    assert (name, {key: value.value for key, value in said_.items()}) == (
        "captures",
        {"title": "Eyelid", "body": "1 new capture is in the vault."},
    )
    QDBusConnection.disconnectFromBus("portal-test")
    desktop.disconnect()
    await desktop.wait_for_disconnect()
    daemon.stdout.close()
    daemon.terminate()
    daemon.wait(10)


def test_a_notification_says_a_number_and_nothing_else() -> None:
    assert said(1, locked=False) == ("Eyelid", "1 new capture is in the vault.")
    assert "1" not in " ".join(said(1, locked=True))


# -- start at login ------------------------------------------------------------------------------------------------------------


async def test_starting_at_login_is_a_setting(everyday, services, tmp_path) -> None:
    services.settings.set(START_AT_LOGIN, True)
    entry = (tmp_path / "autostart" / "eyelid.desktop").read_text("utf-8")
    assert 'Exec="eyelid" "--hidden"' in entry
    services.settings.set(START_AT_LOGIN, False)
    assert not everyday._autostart.on


async def test_what_was_switched_at_the_terminal_counts_from_the_next_start_on(window, services, tmp_path, tray_there, monkeypatch) -> None:
    monkeypatch.setattr(Profile, "default", classmethod(lambda cls: services.profile))
    entry = DesktopFile(tmp_path / "autostart", ["eyelid", "--hidden"])
    for on in (True, False):
        services.settings.set(START_AT_LOGIN, on)
        Everyday(window, entry, bell=False).stop()
        assert entry.on is on


def test_odd_paths_survive_the_desktop_file(tmp_path) -> None:
    """As the Desktop Entry Specification has it: quoting for the command line, then escaping for the file."""
    entry = DesktopFile(tmp_path, ["/a b/100%/$x`\\", 'say "hi"'])
    entry.switch(True)
    line = next(line for line in (tmp_path / "eyelid.desktop").read_text("utf-8").splitlines() if line.startswith("Exec="))
    assert line == r'Exec="/a b/100%%/\\$x\\`\\\\" "say \\"hi\\""'


def test_the_launch_agent_and_the_run_key(tmp_path) -> None:
    agent = LaunchAgent(tmp_path, ["eyelid", "--hidden"])
    agent.switch(True)
    [file] = tmp_path.iterdir()
    assert plistlib.loads(file.read_bytes())["ProgramArguments"] == ["eyelid", "--hidden"]
    agent.switch(False)
    assert not agent.on
    key = RunKey([r"C:\Program Files\eyelid.exe", "--hidden"], QSettings(str(tmp_path / "run.ini"), QSettings.Format.IniFormat))
    key.switch(True)
    assert key._place.value("eyelid") == r'"C:\Program Files\eyelid.exe" --hidden'
    key.switch(False)
    assert not key.on


def test_each_system_has_its_way(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert isinstance(make_autostart([], "darwin"), LaunchAgent)
    linux = make_autostart(["eyelid"], "linux")
    linux.switch(True)
    assert (tmp_path / "autostart" / "eyelid.desktop").exists()
    assert own_command(Path("/x"))[-3:] == ["--hidden", "--profile", "/x"]


# -- shortcuts -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [Qt.Key.Key_F1, Qt.Key.Key_Question])
async def test_the_keys_are_listed_where_nothing_is_typed(window, qtbot, until, key) -> None:
    qtbot.keyClick(window, key)
    await until(lambda: [one for one in window.findChildren(ShortcutsDialog) if one.isVisible()])
    dialog = window.findChildren(ShortcutsDialog)[0]
    names = [label.accessibleName() for label in dialog.findChildren(QLabel)]
    assert "Ctrl+L: Lock the vault" in names
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    await until(lambda: not dialog.isVisible())
