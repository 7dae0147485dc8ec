"""Locking by itself: idle time by two clocks, and what the system tells over D-Bus."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.settings import IDLE_LOCK, LOCK_AWAY, NEVER
from app.vault.types import LockState
from ui.idle import Guard
from ui.lockwatch import LockWatch, make_watch
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
    page = window.settings
    assert page._idle.currentData() == "15"
    assert not page._never.isVisible()
    page._idle.setCurrentIndex(page._idle.findData(NEVER))
    page._idle.activated.emit(page._idle.currentIndex())
    await until(lambda: services.settings.get(IDLE_LOCK) == NEVER)
    assert page._never.isVisible()
    page._away.click()
    await until(lambda: not services.settings.get(LOCK_AWAY))
    assert "only idle time counts" in page._noticed.text()


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
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert isinstance(make_watch(), DBusWatch)
