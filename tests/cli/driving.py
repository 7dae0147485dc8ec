"""How the tests of the command line drive it: in this process, as a process of its own, and at a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli import main
from app.cli.main import parser
from app.cli.terminal import Exit, Terminal
from app.paths import Profile
from app.services import Services
from app.vault.vault import Vault

ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery staple"
Answer = str | Callable[[str], str]


def with_vault(folder: Path) -> Path:
    """A profile in `folder` whose vault opens with PASSPHRASE, and does so quickly."""
    Profile(folder).make()
    Vault.create(Profile(folder).vault, passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
    return folder


# -- as a script meets it


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def eyelid(profile: Path, *arguments: str, secrets: str | bytes | None = PASSPHRASE) -> Done:
    """Run a command in this process with nobody at the terminal; passphrases or codes come through a pipe, one a line."""
    out, err = io.StringIO(), io.StringIO()
    with _handed_over(secrets) as (extra, _), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["--profile", str(profile), *extra, *arguments])
        except SystemExit as usage:
            code = int(usage.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def data(profile: Path, *arguments: str, secrets: str | None = PASSPHRASE, code: int = 0) -> Any:
    """What a command prints for scripts; it must end with this exit code."""
    done = eyelid(profile, "--json", *arguments, secrets=secrets)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def as_a_process(*arguments: str, secrets: str | None = PASSPHRASE) -> Done:
    """The same as a process of its own, as it is installed: start, separation and end are the real ones."""
    with _handed_over(secrets) as (extra, descriptors):
        done = subprocess.run(
            [sys.executable, "-m", "ui", *extra, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            pass_fds=descriptors,
            env=environment(),
            timeout=50,
            check=False,
        )
    return Done(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def _handed_over(secrets: str | bytes | None) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Options and descriptors that hand these lines over; none for None."""
    if secrets is None:
        yield [], ()
        return
    read, write = os.pipe()
    try:
        os.write(write, (secrets.encode() if isinstance(secrets, str) else secrets) + b"\n")
        os.close(write)
        yield ["--passphrase-fd", str(read)], (read,)
    finally:
        os.close(read)


def environment() -> dict[str, str]:
    """No display, and no keyring."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


# -- as a person meets it


def at_terminal(profile: Path, *arguments: str, answers: Sequence[tuple[str, Answer]]) -> tuple[int, str]:
    """Run a command in this process, whose input is a terminal; each answer is typed when its prompt comes, in this order.

    Returns the exit code and what was on the screen.
    """
    import pty

    master, slave = pty.openpty()
    screen = _Screen()
    person = threading.Thread(target=_answer, args=(screen, master, answers), daemon=True)
    with os.fdopen(slave) as terminal, contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        before, sys.stdin = sys.stdin, terminal
        person.start()
        try:
            code = main(["--profile", str(profile), *arguments])
        finally:
            sys.stdin = before
            screen.over()
            person.join()
            os.close(master)
    assert not screen.missed, f"“{screen.missed}” was not asked:\n{screen.getvalue()}"
    return code, screen.getvalue()


class _Screen(io.StringIO):
    """What was printed, for whoever waits for something to be."""

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()
        self._over = False
        self.missed = ""

    def write(self, text: str) -> int:
        with self._news:
            self._news.notify_all()
            return super().write(text)

    def over(self) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()

    def shows(self, pattern: str, start: int) -> int | None:
        """Wait until this is there, behind `start`; returns where it ends, None when it never came."""
        with self._news:
            while not (found := re.compile(pattern).search(self.getvalue(), start)):
                if self._over:
                    self.missed = pattern
                    return None
                self._news.wait()
            return found.end()


def _answer(screen: _Screen, master: int, answers: Sequence[tuple[str, Answer]]) -> None:
    at: int | None = 0
    for prompt, answer in answers:
        if (at := screen.shows(prompt, at or 0)) is None:
            return
        os.write(master, (answer if isinstance(answer, str) else answer(screen.getvalue())).encode() + b"\n")


class OwnTerminal:
    """A command as a process of its own, at a terminal."""

    def __init__(self, *arguments: str) -> None:
        import pty

        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment(), start_new_session=True
        )
        os.close(slave)
        self.screen = ""

    def shows(self, pattern: str) -> None:
        """Wait until this is on the screen."""
        while not re.search(pattern, self.screen):
            assert self._more(), f"it ended before “{pattern}”:\n{self.screen}"

    def types(self, text: str) -> None:
        os.write(self._master, text.encode() + b"\n")

    def _more(self) -> bool:
        import select

        ready, _, _ = select.select([self._master], [], [], 50)
        assert ready, f"nothing more came after:\n{self.screen}"
        try:
            piece = os.read(self._master, 4096)
        except OSError:  # the other side is closed
            piece = b""
        self.screen += piece.decode(errors="replace")
        return bool(piece)

    def ends(self) -> int:
        """Wait for its end; returns the exit code."""
        while self._more():
            pass
        os.close(self._master)
        return self.process.wait(50)


# -- on services that run already


class Talk(Terminal):
    """A terminal that gives `answers` in turn, and remembers what was asked."""

    def __init__(self, *answers: str, json: bool = False) -> None:
        super().__init__(json=json)
        self.answers = list(answers)
        self.asked: list[str] = []

    @property
    def interactive(self) -> bool:
        return True

    async def ask(self, question: str, *, otherwise: str = "Nothing was done.") -> str:
        self.asked.append(question)
        return self.answers.pop(0)


async def run(services: Services, talk: Terminal, *arguments: str) -> Exit:
    """Run a command on `services`; see the fixture of that name."""
    parsed = parser().parse_args(arguments)
    code = await parsed.command(services.profile, parsed, talk)
    assert isinstance(code, Exit)
    return code
