"""Ground rules of every test: no display, no network beyond this computer, no real keyring, no real home folder."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import keyring
import keyring.backends.fail
import pytest

from app.separation import Separation
from app.sharing.courier_link import CourierLink
from app.sharing.errors import CourierGone
from app.vault.keys import Slots

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# The same examples each time, so that what passed fails only when something was changed; `make test-long` looks for new ones.
# How long an example takes says how busy the computer is, and nothing of the program.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("same", _PATIENT, derandomize=True, database=None)
hypothesis.settings.register_profile("new", _PATIENT, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("same")

collect_ignore = ["bluez"] if "EYELID_BLUEZ_GUEST" not in os.environ else []


class OffLoopback(AssertionError):
    """A test tried to reach beyond this computer."""


def _check(address: Any) -> None:
    if isinstance(address, tuple) and not ipaddress.ip_address(address[0].partition("%")[0]).is_loopback:
        raise OffLoopback(f"a connection to {address[0]} was tried")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting anywhere but to this computer fails the test, whichever library tries."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: Any) -> None:
        _check(address)
        return connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture(autouse=True)
def no_real_keyring() -> Iterator[None]:
    """The person's own keyring is never touched; a test that wants one brings its own."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever forgets --profile lands in a folder of the test's own."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture(autouse=True)
def sockets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process gives up it never gets back, and the tests share one. Those who start the program as it is see it given up."""
    monkeypatch.setattr(Separation, "begin", Separation)


class _NoCourier:
    """In the place of a `CourierLink`: nothing can be sent."""

    mirror = None
    pid = None

    async def ready(self) -> Any:
        raise CourierGone

    async def cancel(self, parcel_id: str) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
def no_courier(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that send nothing: the process that would carry it is most of what starting Eyelid costs."""

    async def start(departure: object = None) -> _NoCourier:
        return _NoCourier()

    monkeypatch.setattr(CourierLink, "start", start)


@pytest.fixture
def quick_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases cost next to nothing: at the real price, trying each on every slot takes the most of a minute."""
    make = Slots.make_passphrase
    monkeypatch.setattr(Slots, "make_passphrase", lambda self, identity, passphrase, work_factor: make(self, identity, passphrase, 1))
