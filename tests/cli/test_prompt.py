"""Questions at a terminal: what means yes, what is shown, and that the terminal is left as it was however a question ends."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Iterator

import pytest

from app.cli import prompt
from app.cli.terminal import NeedsTerminal, Terminal

pty = pytest.importorskip("pty", reason="a POSIX terminal")
termios = pytest.importorskip("termios", reason="a POSIX terminal")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a person types: the other end of the terminal that is standard input."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield master
    os.close(master)


def shown() -> bool:
    """Whether the terminal shows what is typed."""
    return bool(termios.tcgetattr(sys.stdin.fileno())[3] & termios.ECHO)


@pytest.mark.parametrize(
    ("typed", "yes"), [(b"y\n", True), (b" YES \n", True), (b"n\n", False), (b"\n", False), (b"yeah\n", False), (b"\x04", False)]
)
async def test_only_yes_is_yes(person: int, typed: bytes, yes: bool) -> None:
    os.write(person, typed)
    assert await Terminal().confirm("Send it? [y/N]") is yes


async def test_two_lines_are_two_answers(person: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(person, b"one\ntw\xc3\xb6\n")
    terminal = Terminal(json=True)
    assert [await terminal.ask("First?"), await terminal.ask("Second?\x1b[2J")] == ["one", "twö"]
    out, err = capsys.readouterr()
    assert (out, err) == ("", "First? Second?[2J "), "questions are none of a script's business, and move no cursor"


async def test_what_is_hidden_is_not_shown_and_the_terminal_is_left_as_it_was(person: int) -> None:
    asking = asyncio.create_task(prompt.typed("Passphrase: ", hidden=True))
    while shown():
        await asyncio.sleep(0)
    os.write(person, b"secret\n")
    assert await asking == "secret"
    assert shown()
    assert not select.select([person], [], [], 0)[0], "nothing was shown"


async def test_a_question_that_is_called_off(person: int, capsys: pytest.CaptureFixture[str]) -> None:
    asking = asyncio.create_task(prompt.typed("Passphrase: ", hidden=True))
    while shown():
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert shown()
    assert capsys.readouterr().err == "Passphrase: \n", "what is said next stands on a line of its own"


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nobody:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", nobody)
        with pytest.raises(NeedsTerminal, match="Nothing was done"):
            await Terminal().ask_hidden("Key:")
