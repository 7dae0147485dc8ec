"""`eyelid glasses` with glasses that have Wi-Fi: each command in a process of its own, over the virtual air and the twins' web server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.glasses import _show_step
from app.cli.terminal import NeedsTerminal, Terminal
from app.glasses.over_wifi import Done, Invitation
from app.media.samples import pictures

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hands the passphrase over a pipe")


def eyelid(*arguments: str) -> subprocess.CompletedProcess[str]:
    read, write = os.pipe()
    os.write(write, b"correct horse battery staple\n")
    os.close(write)
    kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    try:
        return subprocess.run(
            [sys.executable, "-m", "ui", "--passphrase-fd", str(read), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            pass_fds=(read,),
            env=environment,
            timeout=55,
            check=False,
        )
    finally:
        os.close(read)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A profile with a vault and a pair that has Wi-Fi."""
    folder = str(tmp_path_factory.mktemp("wifi"))
    for command in (["vault", "create"], ["glasses", "pair", "--sim", "mentra-live"]):
        done = eyelid("--profile", folder, *command)
        assert done.returncode == 0, done.stderr
    return folder


def run(profile: str, *arguments: str) -> Any:
    done = eyelid("--profile", profile, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_brings_everything_once(profile: str) -> None:
    done = eyelid("--profile", profile, "glasses", "import")
    assert done.returncode == 0, done.stderr
    assert "nothing has to be joined" in done.stdout
    assert "2 captures are new in the vault; 0 were there already." in done.stdout
    outcome = run(profile, "glasses", "import")  # other twins, which took the same pictures at another time
    assert (outcome["brought"], outcome["known"], outcome["failed"]) == (0, 2, 0)
    assert len(run(profile, "list")) == len(pictures("mentra-live")[:2])


def test_status_says_what_the_glasses_hold(profile: str) -> None:
    done = eyelid("--profile", profile, "glasses", "status")
    assert done.returncode == 0, done.stderr
    assert "battery 87 %  holds 2 photos" in done.stdout


def test_scan_lists_every_family_with_name_signal_and_state(profile: str) -> None:
    from ble.sim.catalogue import FAMILIES

    others = [argument for family, _ in FAMILIES if family != "mentra-live" for argument in ("--sim", family)]
    done = eyelid("--profile", profile, "glasses", "scan", "--seconds", "4", *others)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for family, _ in FAMILIES:
        if family != "mentra-live":  # linked glasses are not to be heard
            [line] = [line for line in lines if f"  {family}  " in line]
            assert line.endswith(" dBm  new")


class Person(Terminal):
    """Somebody who presses Enter, or nobody."""

    def __init__(self, *, there: bool) -> None:
        super().__init__()
        self._there = there
        self.heard: list[str] = []

    @property
    def interactive(self) -> bool:
        return self._there

    def say(self, text: str = "") -> None:
        self.heard.append(text)

    async def ask(self, question: str, *, otherwise: str = "") -> str:
        if not self._there:
            return await super().ask(question, otherwise=otherwise)
        self.heard.append(question)
        return ""


async def test_a_person_joins_the_network_and_says_so() -> None:
    person = Person(there=True)
    await _show_step(Invitation("MentraLive-0001", "secret-0001"), person)
    assert "MentraLive-0001" in person.heard[0]
    assert "secret-0001" in person.heard[0]
    assert "press Enter" in person.heard[1]
    await _show_step(Done(3, 1, 2), person)
    assert "3 captures are new" in person.heard[2]
    assert "2 could not be had" in person.heard[2]


async def test_where_nobody_can_join_nothing_is_imported() -> None:
    with pytest.raises(NeedsTerminal):
        await _show_step(Invitation("MentraLive-0001", "secret-0001"), Person(there=False))
