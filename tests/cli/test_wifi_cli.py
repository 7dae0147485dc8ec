"""`eyelid glasses` with glasses that have Wi-Fi, over the virtual air and the twins' web server."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli.glasses import _show_step
from app.cli.terminal import NeedsTerminal, Terminal
from app.doctor import of_pair
from app.errors import Explanation
from app.glasses.companion import Companion
from app.glasses.desk import GlassesDesk
from app.glasses.over_wifi import Done, Invitation
from app.glasses.types import FoundGlasses, KnownGlasses
from app.glasses.unseen import Census
from app.media.samples import pictures
from ble.drivers import families
from ble.types import LinkState
from ble.unseen import Facts, why_unseen
from tests.cli.driving import as_a_process, data, eyelid, with_vault

BORN = datetime(2026, 5, 12, tzinfo=UTC)
KNOWN = KnownGlasses("F0:11:22:33:44:55", "omi-glass", "Secret", BORN)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hands the passphrase over a pipe")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile with a vault and a pair that has Wi-Fi."""
    folder = with_vault(tmp_path_factory.mktemp("wifi"))
    done = as_a_process("--profile", str(folder), "glasses", "pair", "--sim", "mentra-live")
    assert done.returncode == 0, done.stderr
    return folder


def test_import_brings_everything_once(profile: Path) -> None:
    done = eyelid(profile, "glasses", "import")
    assert done.returncode == 0, done.stderr
    assert "nothing has to be joined" in done.stdout
    assert "2 captures are new in the vault; 0 were there already." in done.stdout
    outcome = data(profile, "glasses", "import")  # other twins, which took the same pictures at another time
    assert (outcome["brought"], outcome["known"], outcome["failed"]) == (0, 2, 0)
    assert len(data(profile, "list")) == len(pictures("mentra-live")[:2])


def test_status_says_what_the_glasses_hold(profile: Path) -> None:
    done = eyelid(profile, "glasses", "status")
    assert done.returncode == 0, done.stderr
    assert "battery 87 %  holds 2 photos" in done.stdout


@pytest.fixture
def until_all_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan ends as soon as every family was heard, however long that takes."""
    scan = GlassesDesk.scan

    async def short(self: GlassesDesk, seconds: float, census: Census | None = None) -> AsyncGenerator[FoundGlasses, None]:
        heard = set()
        async with contextlib.aclosing(scan(self, 50, census)) as found:
            async for glasses in found:
                yield glasses
                heard.add(glasses.family)
                if heard | {"mentra-live"} == set(families()):
                    return

    monkeypatch.setattr(GlassesDesk, "scan", short)


def test_scan_lists_every_family_at_once_with_name_signal_and_state(profile: Path, until_all_are_heard: None, no_courier: None) -> None:
    assert len(families()) >= 6
    others = [argument for family in families() if family != "mentra-live" for argument in ("--sim", family)]
    done = eyelid(profile, "glasses", "scan", *others)
    assert done.returncode == 0, done.stderr
    listed = [
        re.fullmatch(r"([0-9A-F:]{17})  (.+)  ([a-z-]+)  (-\d+|-) dBm  (new|paired|connected)", line) for line in done.stdout.splitlines()
    ]
    assert None not in listed
    seen = {line[3]: (line[4], line[5]) for line in listed if line}
    assert len(listed) == len(families())
    assert seen.keys() == set(families())
    assert seen.pop("mentra-live")[1] != "new"  # on a busy computer they may be on their way to "connected" still
    assert all(int(signal) < 0 and state == "new" for signal, state in seen.values())


def test_doctor_says_how_the_paired_glasses_are(profile: Path) -> None:
    findings = data(profile, "doctor")
    [found] = [finding for finding in findings if finding["name"] == "glasses"]
    assert found["fine"] is True
    assert found["text"].startswith("the link is up (mentra-live, simulated, id ")
    assert "MENTRA" not in str(findings)


def test_doctor_says_why_glasses_are_not_seen() -> None:
    trouble = Explanation(*why_unseen(Facts(seconds=15, now=BORN, last_battery=3)))
    unseen = dataclasses.replace(Companion.unkept(KNOWN), state=LinkState.WAITING, trouble=trouble)
    finding = of_pair("glasses", unseen, b"")
    assert finding.fine is False
    assert finding.text.startswith(str(trouble))
    assert "Charge the glasses." in finding.text
    assert KNOWN.name not in finding.text
    assert of_pair("glasses", Companion.unkept(KNOWN), b"").text  # nothing is known yet, and that is said


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
