"""The command line as a person and a script meet it: a terminal where a question is asked, exit codes, and processes of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from app.cli.main import _stoppable, parser
from app.cli.terminal import Exit
from app.media.samples import pictures
from ble.drivers import families
from tests.cli.driving import PASSPHRASE, OwnTerminal, as_a_process, data, eyelid, with_vault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="drives a POSIX terminal")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile with a vault, simulated glasses, and one photo; made by processes of their own."""
    folder = with_vault(tmp_path_factory.mktemp("profile"))
    for command in (["pair", "--sim", "omi-glass"], ["capture"]):
        done = as_a_process("--profile", str(folder), "glasses", *command)
        assert done.returncode == 0, done.stderr
    return folder


# -- in this process


def test_list_and_export_give_back_the_very_bytes(profile: Path, tmp_path: Path) -> None:
    [item, *_] = data(profile, "list")
    assert item["status"] == "Private"
    [path] = data(profile, "export", item["id"][:8], "--to", str(tmp_path / "out"))
    assert Path(path).read_bytes() in pictures("omi-glass")


def test_ask_the_mirror_and_the_receipts(profile: Path) -> None:
    [item, *_] = data(profile, "list")
    answer = data(profile, "ask", item["id"], "--question", "What is this?", "--yes")
    assert answer["outcome"] == "answered"
    assert "What is this?" in answer["answer"]
    receipts = data(profile, "receipts", "list")
    assert [receipt["outcome"] for receipt in receipts][-2:] == ["intended", "answered"]
    assert data(profile, "receipts", "verify")["sound"]
    assert data(profile, "vault", "verify")["sound"]


def test_no_option_answers_for_a_person(profile: Path) -> None:
    [item, *_] = data(profile, "list")
    place = data(profile, "destinations", "add", "http://127.0.0.1:9/v1", "--label", "Mine", "--model", "m")["id"]
    with_yes = eyelid(profile, "ask", item["id"], "--to", place, "--question", "x", "--yes")
    assert with_yes.returncode == 1
    assert "mirror only" in with_yes.stderr
    assert data(profile, "receipts", "list")[-1]["outcome"] == "refused"
    unasked = eyelid(profile, "ask", item["id"], "--question", "x")
    assert unasked.returncode == 1
    assert "answered by a person" in unasked.stderr


@pytest.mark.parametrize(
    ("arguments", "passphrase", "code", "said"),
    [
        (["list"], "wrong", 4, "passphrase"),
        (["list"], None, 4, "--passphrase-fd"),
        (["--passphrase-fd", "999", "list"], None, 4, "999 cannot be read"),
        (["export", "zzzz", "--to", "x"], PASSPHRASE, 1, "eyelid list"),
        (["ask", "00", "--question", "x", "--to", "nowhere"], PASSPHRASE, 1, "No capture has an id"),
        (["frobnicate"], PASSPHRASE, 2, "invalid choice"),
        (["receipts", "list", "--since", "yesterday"], PASSPHRASE, 2, "a day like 2026-11-01"),
        (["destinations", "key", "openai"], PASSPHRASE, 1, "No key was kept"),
        (["receipts", "verify", "--file", "/nowhere/book.json"], None, 1, "not there"),
    ],
)
def test_errors_say_what_to_do(profile: Path, arguments: list[str], passphrase: str | None, code: int, said: str, no_courier: None) -> None:
    done = eyelid(profile, *arguments, secrets=passphrase)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "inside Eyelid" not in done.stderr


def test_a_passphrase_that_is_no_text(profile: Path, no_courier: None) -> None:
    done = eyelid(profile, "list", secrets=b"\xff\xfe")
    assert done.returncode == 4
    assert "no text in UTF-8" in done.stderr


def test_a_missing_vault_is_explained(tmp_path: Path, no_courier: None) -> None:
    done = eyelid(tmp_path / "new", "list")
    assert done.returncode == 1
    assert "Create one first" in done.stderr


def test_damaged_destinations_are_told(profile: Path, tmp_path: Path, no_courier: None) -> None:
    (with_vault(tmp_path) / "destinations.json").write_text("{")
    done = eyelid(tmp_path, "destinations", "list")
    assert done.returncode == 0
    assert "Your own destinations cannot be read." in done.stderr


def test_status_of_simulated_glasses(profile: Path, no_courier: None) -> None:
    [view] = data(profile, "glasses", "status")
    assert (view["state"], view["family"], view["battery"]) == ("ready", "omi-glass", 100)


def test_every_family_is_named_where_one_can_be_chosen() -> None:
    from ble.sim.catalogue import FAMILIES

    assert set(families()) == {family for family, _ in FAMILIES}
    assert ", ".join(families()) in " ".join(parser().format_help().split())


# -- as a process of its own: the real start, separation and end


def test_without_a_display_the_main_job_runs_in_the_terminal() -> None:
    done = as_a_process(secrets=None)
    assert done.returncode == 0, done.stderr
    assert "No display was found" in done.stdout
    assert "Nothing left this computer" in done.stdout
    assert "Receipts: 2, sound. Captures: 1, sound." in done.stdout


@pytest.mark.parametrize(("answer", "code", "said"), [("y", 0, "answered"), ("", 3, "Kept private")])
def test_the_demo_asks_and_only_yes_sends(answer: str, code: int, said: str) -> None:
    terminal = OwnTerminal("demo")
    terminal.shows(r"\[y/N\]")
    terminal.types(answer)
    assert terminal.ends() == code, terminal.screen
    assert said in terminal.screen


def test_simulated_glasses_that_nobody_knows(profile: Path) -> None:
    """The paired ones are looked for meanwhile, and that is called off."""
    done = as_a_process("--profile", str(profile), "glasses", "pair", "--sim", "monocle")
    assert done.returncode == 1
    assert "omi-glass" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_at_a_question_ends_it_at_once(profile: Path) -> None:
    terminal = OwnTerminal("--profile", str(profile), "list")
    terminal.shows("Passphrase:")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ends() == 1
    assert "Stopped." in terminal.screen
    assert "Traceback" not in terminal.screen


def test_a_command_that_is_told_to_end_ends_in_order() -> None:
    ended: list[bool] = []

    async def work() -> Exit:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return Exit.DONE

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_stoppable(work()))
    assert ended


def test_two_at_once_are_told_apart(profile: Path) -> None:
    """The second one is told that the first one has the vault."""
    first = OwnTerminal("--profile", str(profile), "list")
    first.shows("Passphrase:")
    second = eyelid(profile, "list")
    first.process.kill()
    first.ends()
    assert second.returncode == 1
    assert "another Eyelid" in second.stderr
    assert eyelid(profile, "list").returncode == 0


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    """As `eyelid policies list | head -1` does."""
    import os
    import subprocess

    from tests.cli.driving import environment

    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "ui", "policies", "list"], stdout=write, stderr=subprocess.PIPE, env=environment(), timeout=50, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_doctor_names_no_addresses(profile: Path) -> None:
    done = as_a_process("--profile", str(profile), "doctor")
    assert done.returncode == 0, done.stderr
    assert "bluetooth" in done.stdout
    assert not re.search(r"([0-9A-F]{2}:){5}", done.stdout)
    if sys.platform == "linux":
        assert re.search("ok  memory +no core dumps", done.stdout)
