"""Locking by itself: idle time by two clocks, and what the system tells over D-Bus."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus
from PySide6.QtCore import QEvent
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from shiboken6 import isValid

from app.settings import IDLE_LOCK, LOCK_AWAY, NEVER
from app.vault.types import LockState
from ui.idle import Guard
from ui.lockwatch import LockWatch, macos, make_watch, windows
from ui.lockwatch.linux import DBusWatch, session_path


class Clocks:
    """Time that passes when told to: `steady` stands still in sleep, `wall` does not."""

    def __init__(self) -> None:
        self.steady, self.wall = 1000.0, 5_000_000.0

    def sleep(self, seconds: float) -> None:
        self.wall += seconds

    def wake(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds


@pytest.fixture
async def guard(services):
    """A guard on clocks of its own; `locked` counts."""
    clocks, locked = Clocks(), []
    made = Guard(services.settings, lambda: locked.append(True), LockWatch(), (lambda: clocks.steady, lambda: clocks.wall))
    made.clocks, made.locked = clocks, locked
    yield made
    made.stop()


@pytest.mark.parametrize("minutes", ["1", "5", "15", "30"])
async def test_it_locks_after_idle_minutes_and_not_before(guard, services, minutes) -> None:
    services.settings.set(IDLE_LOCK, minutes)
    guard.clocks.wake(60 * int(minutes) - 1)
    guard.check()
    assert not guard.locked
    guard.clocks.wake(1)
    guard.check()
    assert guard.locked


async def test_never_means_never(guard, services) -> None:
    services.settings.set(IDLE_LOCK, NEVER)
    guard.clocks.wake(10**7)
    guard.check()
    assert not guard.locked


async def test_sleep_counts_as_idle_though_the_steady_clock_stood_still(guard, services) -> None:
    services.settings.set(IDLE_LOCK, "5")
    guard.clocks.sleep(301)
    guard.check()
    assert guard.locked


async def test_a_clock_set_back_does_not_keep_it_open(guard, services) -> None:
    services.settings.set(IDLE_LOCK, "5")
    guard.clocks.sleep(-7200)
    guard.clocks.wake(300)
    guard.check()
    assert guard.locked


async def test_use_starts_the_time_anew_but_not_after_it_has_run_out(window, services) -> None:
    clocks, locked = Clocks(), []
    guard = Guard(services.settings, lambda: locked.append(True), LockWatch(), (lambda: clocks.steady, lambda: clocks.wall))
    services.settings.set(IDLE_LOCK, "1")
    guard.start()
    try:
        clocks.wake(50)
        QTest.mouseMove(window.windowHandle())
        QTest.keyClick(window.windowHandle(), "x")
        clocks.wake(50)
        guard.check()
        assert not locked
        clocks.sleep(3600)
        QTest.keyClick(window.windowHandle(), "x")
        assert locked, "the first key after a long sleep comes too late"
    finally:
        guard.stop()


async def test_writing_by_an_input_method_is_use(window, services, until) -> None:
    """It takes the keys for itself, and hands what was written to the focused widget."""
    clocks, locked = Clocks(), []
    guard = Guard(services.settings, lambda: locked.append(True), LockWatch(), (lambda: clocks.steady, lambda: clocks.wall))
    guard.start()
    try:
        field = QLineEdit(window)
        field.show()
        field.setFocus()
        await until(field.hasFocus)
        clocks.wake(30)
        QApplication.sendEvent(field, QInputMethodEvent("ni", []))
        assert guard.idle_seconds() == 0
        field.clearFocus()
        field.deleteLater()
        await until(lambda: not isValid(field))
    finally:
        guard.stop()


async def test_the_program_itself_is_no_use(window, guard) -> None:
    guard.clocks.wake(30)
    guard.eventFilter(window, QEvent(QEvent.Type.MouseMove))
    assert guard.idle_seconds() == 30


async def test_being_away_locks_the_window_at_once_and_closes_what_is_open(window, services, until) -> None:
    menu = QMenu(window)
    menu.addAction("a name")
    menu.popup(window.pos())
    await until(menu.isVisible)
    window.guard.watch.away.emit()
    assert window.rooms.currentWidget() is window.lock_page
    assert not menu.isVisible()
    await until(lambda: services.vault.state is LockState.LOCKED)


async def test_being_away_can_be_ignored(window, services) -> None:
    services.settings.set(LOCK_AWAY, False)
    window.guard.watch.away.emit()
    assert window.rooms.currentWidget() is window.inside


async def test_locking_is_chosen_in_the_settings(window, services, until) -> None:
    window.go("settings")
    idle, away = window.settings.rows["idle_lock"], window.settings.rows["lock_away"]
    assert idle.field.currentData() == "15"
    assert not idle.note.isVisible()
    idle.field.setCurrentIndex(idle.field.findData(NEVER))
    idle.field.activated.emit(idle.field.currentIndex())
    await until(lambda: services.settings.get(IDLE_LOCK) == NEVER)
    assert "can see everything" in idle.note.text()
    assert idle.note.isVisible()
    away.field.click()
    await until(lambda: not services.settings.get(LOCK_AWAY))
    assert "only idle time counts" in away.note.text()


# -- what Linux tells ----------------------------------------------------------------------------------------------------------


def test_session_ids_are_escaped_as_systemd_does() -> None:
    assert session_path("2").endswith("/session/_32")
    assert session_path("c1").endswith("/session/c1")
    assert session_path("12").endswith("/session/_312")
    assert session_path("a-b").endswith("/session/a_2db")


NAMES = itertools.count()


@pytest.fixture
def bus() -> Iterator[str]:
    """A message bus of this test's own."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("needs dbus-daemon")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    yield daemon.stdout.readline().strip()
    daemon.stdout.close()
    daemon.terminate()
    daemon.wait(10)


@pytest.fixture
async def told(bus: str):
    """(watch, how often it told, a way to emit a signal on the bus as the owner of a name)."""
    names = [f"watch-{next(NAMES)}", f"owner-{next(NAMES)}"]
    here, there = (QDBusConnection.connectToBus(bus, name) for name in names)
    watch, count = DBusWatch(here, here, "2"), []
    watch.away.connect(lambda: count.append(True))

    def emit(owner: str, path: str, interface: str, name: str, *values: object) -> None:
        assert there.registerService(owner)
        message = QDBusMessage.createSignal(path, interface, name)
        message.setArguments(list(values))
        assert there.send(message)

    yield watch, count, emit
    watch.stop()
    for name in names:
        QDBusConnection.disconnectFromBus(name)


MANAGER = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep")
MINE = ("org.freedesktop.login1", "/org/freedesktop/login1/session/_32", "org.freedesktop.login1.Session", "Lock")
OTHERS = (MINE[0], "/org/freedesktop/login1/session/_33", *MINE[2:])
GNOME = ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", "ActiveChanged")


async def test_sleep_lock_and_screen_savers_are_heard(told, until) -> None:
    watch, count, emit = told
    watch.start()
    assert "login service" in watch.words()
    emit(*MANAGER, False)
    emit(*OTHERS)
    emit(*GNOME, False)
    for number, said in enumerate(((*MANAGER, True), MINE, (*GNOME, True)), 1):
        emit(*said)
        await until(lambda number=number: len(count) == number)
    assert len(count) == 3


async def test_sleep_waits_until_the_lock_page_is_shown(bus, until, monkeypatch) -> None:
    """logind is played by somebody who hands out one end of a pipe, and sees when it is closed."""
    monkeypatch.setattr("ui.lockwatch.linux.PAINT_MS", 0)
    login = await MessageBus(bus_address=bus, negotiate_unix_fd=True).connect()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    asked = []

    def answer(message: Message) -> Message | None:
        if message.member != "Inhibit":
            return None
        asked.append(message.body)
        return Message.new_method_return(message, "h", [0], [writing])

    login.add_message_handler(answer)
    await login.request_name("org.freedesktop.login1")
    name = f"watch-{next(NAMES)}"
    here = QDBusConnection.connectToBus(bus, name)
    watch, away = DBusWatch(here, here, ""), []
    watch.away.connect(lambda: away.append(watch._delay.held))
    watch.start()
    await until(lambda: watch._delay.held)
    os.close(writing)
    assert (asked[0][0], asked[0][3]) == ("sleep", "delay")
    with pytest.raises(BlockingIOError):
        os.read(reading, 1)  # still open: sleep would wait
    watch.sleeps(True)
    assert away == [True], "locked before sleep is let on"
    await until(lambda: not watch._delay.held and closed(reading))
    watch.stop()
    QDBusConnection.disconnectFromBus(name)
    login.disconnect()
    await login.wait_for_disconnect()
    os.close(reading)


def closed(reading: int) -> bool:
    """Whether nobody holds the other end of the pipe any more."""
    try:
        return os.read(reading, 1) == b""
    except BlockingIOError:
        return False


# -- what Windows tells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "wparam", "away"),
    [
        (windows.WM_WTSSESSION_CHANGE, 0x7, True),  # WTS_SESSION_LOCK
        (windows.WM_WTSSESSION_CHANGE, 0x8, False),  # WTS_SESSION_UNLOCK
        (windows.WM_WTSSESSION_CHANGE, 0x2, True),  # WTS_CONSOLE_DISCONNECT: another user in front
        (windows.WM_WTSSESSION_CHANGE, 0x1, False),
        (windows.WM_POWERBROADCAST, 0x4, True),  # PBT_APMSUSPEND
        (windows.WM_POWERBROADCAST, 0x12, False),  # PBT_APMRESUMEAUTOMATIC
        (0x0010, 0x7, False),
    ],
)
def test_windows_messages_that_mean_away(message: int, wparam: int, away: bool) -> None:
    assert windows.means_away(message, wparam) is away


def test_a_windows_message_is_read_where_it_lies(qapp) -> None:
    watch, count = windows.WindowsWatch(), []
    watch.away.connect(lambda: count.append(True))
    said = windows.Message(0, windows.WM_WTSSESSION_CHANGE, 0x7, 0)
    assert windows._Filter(watch).nativeEventFilter(b"windows_generic_MSG", ctypes.addressof(said)) == (False, 0)
    assert count == [True]


async def test_another_user_in_front_counts_as_away(told, until) -> None:
    watch, count, _ = told
    watch.changed("org.freedesktop.login1.Session", {"Active": True}, [])
    watch.changed("org.freedesktop.login1.User", {"Active": False}, [])
    assert not count
    watch.changed("org.freedesktop.login1.Session", {"Active": False}, [])
    watch.changed("org.freedesktop.login1.Session", {"LockedHint": True}, [])
    assert len(count) == 2


async def test_nothing_is_heard_after_stop(told, until) -> None:
    watch, count, emit = told
    watch.start()
    emit(*GNOME, True)
    await until(lambda: count)
    watch.stop()
    emit(*GNOME, True)
    watch.start()
    emit(*MANAGER, True)
    await until(lambda: len(count) == 2)
    await asyncio.sleep(0)
    assert len(count) == 2


def test_where_nobody_tells_it_says_so(qapp, monkeypatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan 9")
    watch = make_watch()
    watch.start()
    assert "only idle time counts" in watch.words()
    watch.stop()
    for system, kind in (("Linux", DBusWatch), ("Windows", windows.WindowsWatch), ("Darwin", macos.MacWatch)):
        monkeypatch.setattr("platform.system", lambda system=system: system)
        assert type(make_watch()) is kind
