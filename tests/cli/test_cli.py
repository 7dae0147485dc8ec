"""The command line as a person and a script meet it: a process of its own, a terminal where a question is asked, exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery staple"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="drives a POSIX terminal")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def eyelid(*arguments: str, passphrase: str | None = PASSPHRASE) -> subprocess.CompletedProcess[str]:
    """Run a command with nobody at the terminal; the passphrase comes through a pipe."""
    extra: list[str] = []
    fds: tuple[int, ...] = ()
    if passphrase is not None:
        read, write = os.pipe()
        os.write(write, passphrase.encode() + b"\n")
        os.close(write)
        extra, fds = ["--passphrase-fd", str(read)], (read,)
    try:
        return subprocess.run(
            [sys.executable, "-m", "ui", *extra, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            pass_fds=fds,
            env=environment(),
            timeout=50,
            check=False,
        )
    finally:
        for fd in fds:
            os.close(fd)


def at_terminal(*arguments: str, answers: dict[str, str]) -> tuple[int, str]:
    """Run a command at a terminal, answering each prompt that matches; returns exit code and what was on the screen."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ui", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment(), start_new_session=True
    )
    os.close(slave)
    screen, waiting = "", dict(answers)
    while True:
        ready, _, _ = select.select([master], [], [], 50)
        assert ready, f"nothing more came after:\n{screen}"
        try:
            piece = os.read(master, 4096).decode(errors="replace")
        except OSError:  # the other side is closed
            piece = ""
        if not piece:
            break
        screen += piece
        for prompt in [prompt for prompt in waiting if re.search(prompt, screen)]:
            os.write(master, waiting.pop(prompt).encode() + b"\n")
    os.close(master)
    return process.wait(50), screen


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A profile with a vault, simulated glasses, and one photo."""
    folder = str(tmp_path_factory.mktemp("profile"))
    for command in (["vault", "create"], ["glasses", "pair", "--sim", "omi-glass"], ["glasses", "capture"]):
        done = eyelid("--profile", folder, *command)
        assert done.returncode == 0, done.stderr
    return folder


def run(profile: str, *arguments: str) -> Any:
    done = eyelid("--profile", profile, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_a_display_the_main_job_runs_in_the_terminal() -> None:
    done = eyelid(passphrase=None)
    assert done.returncode == 0, done.stderr
    assert "No display was found" in done.stdout
    assert "Nothing left this computer" in done.stdout
    assert "Receipts: 2, sound. Captures: 1, sound." in done.stdout


@pytest.mark.parametrize(("answer", "code", "said"), [("y", 0, "answered"), ("n", 3, "Kept private"), ("", 3, "Kept private")])
def test_the_demo_asks_and_only_yes_sends(answer: str, code: int, said: str) -> None:
    exit_code, screen = at_terminal("demo", answers={r"\[y/N\]": answer})
    assert exit_code == code, screen
    assert said in screen


def test_list_and_export_give_back_the_very_bytes(profile: str, tmp_path: Path) -> None:
    from app.media.samples import pictures

    [item, *_] = run(profile, "list")
    assert item["status"] == "Private"
    [path] = run(profile, "export", item["id"][:8], "--to", str(tmp_path / "out"))
    assert Path(path).read_bytes() in pictures("omi-glass")


def test_ask_the_mirror_and_the_receipts(profile: str) -> None:
    [item, *_] = run(profile, "list")
    answer = run(profile, "ask", item["id"], "--question", "What is this?", "--yes")
    assert answer["outcome"] == "answered"
    assert "What is this?" in answer["answer"]
    receipts = run(profile, "receipts", "list")
    assert [receipt["outcome"] for receipt in receipts][-2:] == ["intended", "answered"]
    assert run(profile, "receipts", "verify")["sound"]
    assert run(profile, "vault", "verify")["sound"]


def test_no_option_answers_for_a_person(profile: str) -> None:
    [item, *_] = run(profile, "list")
    place = run(profile, "destinations", "add", "http://127.0.0.1:9/v1", "--label", "Mine", "--model", "m")["id"]
    with_yes = eyelid("--profile", profile, "ask", item["id"], "--to", place, "--question", "x", "--yes")
    assert with_yes.returncode == 1
    assert "mirror only" in with_yes.stderr
    assert run(profile, "receipts", "list")[-1]["outcome"] == "refused"
    unasked = eyelid("--profile", profile, "ask", item["id"], "--question", "x")
    assert unasked.returncode == 1
    assert "answered by a person" in unasked.stderr


@pytest.mark.parametrize(
    ("arguments", "passphrase", "code", "said"),
    [
        (["list"], "wrong", 4, "passphrase"),
        (["list"], None, 4, "lock"),
        (["export", "zzzz", "--to", "x"], PASSPHRASE, 1, "eyelid list"),
        (["ask", "00", "--question", "x", "--to", "nowhere"], PASSPHRASE, 1, ""),
        (["frobnicate"], PASSPHRASE, 2, "invalid choice"),
        (["glasses", "pair", "--sim", "monocle"], PASSPHRASE, 1, "omi-glass"),
    ],
)
def test_errors_say_what_to_do(profile: str, arguments: list[str], passphrase: str | None, code: int, said: str) -> None:
    done = eyelid("--profile", profile, *arguments, passphrase=passphrase)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_vault_is_explained(tmp_path: Path) -> None:
    done = eyelid("--profile", str(tmp_path / "new"), "list")
    assert done.returncode == 1
    assert "Create one first" in done.stderr


def test_two_at_once_are_told_apart(profile: str) -> None:
    """The second process is told that the first one has the vault."""
    master, slave = pty.openpty()
    first = subprocess.Popen(
        [sys.executable, "-m", "ui", "--profile", profile, "list"], stdin=slave, stdout=slave, stderr=slave, env=environment()
    )
    os.close(slave)
    screen = ""
    while "Passphrase:" not in screen:
        screen += os.read(master, 4096).decode(errors="replace")
    second = eyelid("--profile", profile, "list")
    first.kill()
    first.wait()
    os.close(master)
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    assert eyelid("--profile", profile, "list").returncode == 0


def test_doctor_names_no_addresses(profile: str) -> None:
    done = eyelid("--profile", profile, "doctor")
    assert done.returncode == 0, done.stderr
    assert "bluetooth" in done.stdout
    assert not re.search(r"([0-9A-F]{2}:){5}", done.stdout)


def test_status_of_simulated_glasses(profile: str) -> None:
    [view] = run(profile, "glasses", "status")
    assert (view["state"], view["family"], view["battery"]) == ("ready", "omi-glass", 100)
