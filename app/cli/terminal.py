"""Talking with a person, or a script, at a terminal: lines out, questions in, passphrases never shown nor taken as arguments."""

from __future__ import annotations

import enum
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.cli import prompt
from app.errors import EyelidError
from app.paths import Profile
from app.services import Services
from app.vault.errors import VaultLocked, WrongPassphrase, WrongRecoveryCode
from app.vault.types import LockState, SlotKind

_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would move the cursor, or turn the direction of writing: names of glasses and files are anybody's to choose."""


class Exit(enum.IntEnum):
    """What a command says to the shell; printed by `eyelid --help` (`app.cli.main.EPILOG`)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    KEPT_PRIVATE = 3
    LOCKED = 4
    DAMAGED = 5


class NeedsTerminal(EyelidError):
    """A question has to be answered by a person, and there is nobody to ask."""


class NoPassphrase(VaultLocked):
    """The vault needs its passphrase, or its recovery code, and none was given."""

    def __init__(self, why: str = "Nobody is at the terminal to type its passphrase.") -> None:
        EyelidError.__init__(self, "The vault is locked.", why, "Run the command in a terminal, or hand it over with --passphrase-fd.")


class Terminal:
    """Where a command's words go, and where its answers come from."""

    def __init__(self, *, json: bool = False, passphrase_fd: int | None = None, recovery: bool = False) -> None:
        """With `recovery`, the vault is unlocked with its recovery code instead of the passphrase."""
        self.json = json
        self.recovery = recovery
        self._passphrase_fd = passphrase_fd
        self._passphrase: str | None = None

    @property
    def given(self) -> bool:
        """Whether passphrases come by --passphrase-fd, and so in place of a person and of the keyring."""
        return self._passphrase_fd is not None

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty()

    def say(self, text: str = "") -> None:
        """A line for people; nothing when a script reads along."""
        self.part(f"{text}\n")

    def part(self, text: str) -> None:
        """A piece of a line, as it comes in. Control characters of a stranger's text do not reach the terminal."""
        if not self.json:
            print(_shown(text), end="", flush=True)

    def data(self, value: Any) -> None:
        """The result, for a script."""
        if self.json:
            print(json.dumps(value, indent=1, ensure_ascii=False, default=str), flush=True)

    def complain(self, text: str) -> None:
        print(f"eyelid: {_shown(text)}", file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, words: str = "") -> None:
        """How far a long command is, on one line of the screen, `words` about it behind; nothing where nobody looks."""
        if not self.json and sys.stderr.isatty():
            end = "\n" if done >= total else ""
            print("\r" + f"{done} of {total} {words}".ljust(70), end=end, file=sys.stderr, flush=True)

    async def confirm(self, question: str, word: str = "y", *, otherwise: str = "Nothing was sent.") -> bool:
        """Ask; only `word` (or, for "y", also "yes") means yes. Anything else, an end of input too, means no.

        `otherwise` says what did not happen, should there be nobody to ask.
        """
        return (await self.ask(question, otherwise=otherwise)).lower() in ({"y", "yes"} if word == "y" else {word})

    async def ask(self, question: str, *, otherwise: str = "Nothing was done.") -> str:
        """Return a line that a person typed, without spaces around it; empty at an end of input. Raises NeedsTerminal."""
        self._needs_a_person(otherwise)
        return (await prompt.typed(f"{_shown(question)} ")).strip()

    async def ask_hidden(self, question: str, *, otherwise: str = "Nothing was done.") -> str:
        """As `ask`, and what is typed is not shown."""
        self._needs_a_person(otherwise)
        return (await prompt.typed(f"{question} ", hidden=True)).strip()

    async def passphrase(self) -> str:
        """The vault's passphrase, asked for once: from --passphrase-fd, or by a prompt that does not show it. Raises NoPassphrase."""
        if self._passphrase is None:
            self._passphrase = await self._secret("Passphrase: ")
        return self._passphrase

    async def new_passphrase(self) -> str:
        """A passphrase that is to be added: the next line of --passphrase-fd, or asked for twice.

        Raises NoPassphrase, and EyelidError where the two differ.
        """
        first = await self._secret("New passphrase: ")
        if not self.given and await self._secret("Once more: ") != first:
            raise EyelidError("The two passphrases differ.", "", "Try again.")
        return first

    async def code(self) -> str:
        """The recovery code, from --passphrase-fd or by a prompt that does not show it. Raises NoPassphrase."""
        return await self._secret("Recovery code: ")

    async def _secret(self, question: str) -> str:
        if self._passphrase_fd is not None:
            return self._line_of_fd(self._passphrase_fd)
        if not self.interactive:
            raise NoPassphrase
        return await prompt.typed(question, hidden=True)

    @staticmethod
    def _line_of_fd(descriptor: int) -> str:
        """One line and no byte more, as another may be wanted later."""
        line = b""
        try:
            while len(line) < prompt.LONGEST and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
                line += byte
            return line.decode().rstrip("\r")
        except OSError as error:
            raise NoPassphrase(f"File descriptor {descriptor} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise NoPassphrase(f"What came from file descriptor {descriptor} is no text in UTF-8.") from error

    def _needs_a_person(self, otherwise: str) -> None:
        if not self.interactive:
            why = "This question must be answered by a person at a terminal."
            raise NeedsTerminal(otherwise, why, "Run the command in a terminal, or use the window.")

    @staticmethod
    def exit_for(error: Exception) -> Exit:
        return Exit.LOCKED if isinstance(error, VaultLocked | WrongPassphrase | WrongRecoveryCode) else Exit.FAILED


def _shown(text: str) -> str:
    return _UNSHOWN.sub("", text)


@asynccontextmanager
async def running(profile: Profile, *, sims: Sequence[str] = ()) -> AsyncIterator[Services]:
    """Eyelid, started, and stopped again whatever happens."""
    services = await Services.start(profile, sims=sims)
    try:
        yield services
    finally:
        await services.stop()


@asynccontextmanager
async def unlocked(profile: Profile, terminal: Terminal, *, sims: Sequence[str] = ()) -> AsyncIterator[Services]:
    """Eyelid with its vault unlocked: by the keyring where there is such a slot, else by the passphrase, or by the recovery code.

    What differs from when this computer last saw the vault is said, and a person is asked whether that is as it should be.
    """
    async with running(profile, sims=sims) as services:
        if services.vault.state is LockState.ABSENT:
            services.vault.vault  # noqa: B018  (says that there is no vault, and what to do)
        await _unlock(services, terminal)
        await services.library.catch_up()
        await notice(services, terminal)
        yield services


async def notice(services: Services, terminal: Terminal) -> None:
    """Say what is not as this computer left it. Restoring a backup on purpose is one answer away from silence."""
    notices = services.vault.notices()
    for each in notices:
        terminal.complain(each.text)
    ask = any(each.serious for each in notices) and terminal.interactive
    if ask and await terminal.confirm("Is that as it should be, for example after restoring a backup? [y/N]"):
        await services.vault.accept_notices()


async def _unlock(services: Services, terminal: Terminal) -> None:
    if terminal.recovery:
        await services.vault.unlock_with_recovery(await terminal.code())
        return
    if not terminal.given and any(slot.kind is SlotKind.KEYRING for slot in services.vault.slots()):
        try:
            await services.vault.unlock(None)
            return
        except EyelidError as error:
            terminal.complain(str(error))
    await services.vault.unlock(await terminal.passphrase())
