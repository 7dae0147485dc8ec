"""Talking with a person, or a script, at a terminal: lines out, questions in, passphrases never shown nor taken as arguments."""

from __future__ import annotations

import asyncio
import enum
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.errors import EyelidError
from app.paths import Profile
from app.services import Services
from app.vault.errors import VaultLocked, WrongPassphrase, WrongRecoveryCode
from app.vault.types import LockState, SlotKind

LONGEST_PASSPHRASE = 4096


class Exit(enum.IntEnum):
    """What a command says to the shell; printed by `eyelid --help`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    KEPT_PRIVATE = 3
    LOCKED = 4
    DAMAGED = 5


class NeedsTerminal(EyelidError):
    """A question has to be answered by a person, and there is nobody to ask."""


class Terminal:
    """Where a command's words go, and where its answers come from."""

    def __init__(self, *, json: bool = False, passphrase_fd: int | None = None, recovery: bool = False) -> None:
        """With `recovery`, the vault is unlocked with its recovery code instead of the passphrase."""
        self.json = json
        self.recovery = recovery
        self._passphrase_fd = passphrase_fd
        self._passphrase: str | None = None

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty()

    def say(self, text: str = "") -> None:
        """A line for people; nothing when a script reads along."""
        if not self.json:
            print(text, flush=True)

    def part(self, text: str) -> None:
        """A piece of a line, as it comes in. Control characters of a stranger's text do not reach the terminal."""
        if not self.json:
            print("".join(c for c in text if c.isprintable() or c in "\n\t"), end="", flush=True)

    def data(self, value: Any) -> None:
        """The result, for a script."""
        if self.json:
            print(json.dumps(value, indent=1, ensure_ascii=False, default=str), flush=True)

    def complain(self, text: str) -> None:
        print(f"eyelid: {text}", file=sys.stderr, flush=True)

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
        if not self.interactive:
            raise NeedsTerminal(
                otherwise,
                "This question must be answered by a person at a terminal.",
                "Run the command in a terminal, or use the window.",
            )
        try:
            return (await asyncio.to_thread(input, f"{question} ")).strip()
        except EOFError:
            return ""

    def passphrase(self, *, new: bool = False) -> str:
        """The passphrase, from --passphrase-fd or by a prompt that does not show it; asked twice when `new`."""
        if self._passphrase is None:
            self._passphrase = self._read_passphrase(new)
        return self._passphrase

    def new_passphrase(self) -> str:
        """A passphrase that is to be added: the next line of --passphrase-fd, or asked for twice."""
        return self._read_passphrase(new=True)

    def code(self) -> str:
        """The recovery code, from --passphrase-fd or by a prompt that does not show it."""
        return self._line_of_fd() if self._passphrase_fd is not None else self._hidden("Recovery code: ")

    def _line_of_fd(self) -> str:
        """One line and no byte more, as another may be wanted later."""
        assert self._passphrase_fd is not None
        line = bytearray()
        while len(line) < LONGEST_PASSPHRASE and (byte := os.read(self._passphrase_fd, 1)) not in (b"", b"\n"):
            line += byte
        return line.decode("utf-8", "strict").rstrip("\r")

    def _hidden(self, prompt: str) -> str:
        if not self.interactive:
            raise VaultLocked
        return getpass.getpass(prompt)

    def _read_passphrase(self, new: bool) -> str:
        if self._passphrase_fd is not None:
            return self._line_of_fd()
        if not self.interactive:
            raise VaultLocked
        first = getpass.getpass("New passphrase: " if new else "Passphrase: ")
        if new and getpass.getpass("Once more: ") != first:
            raise EyelidError("The two passphrases differ.", "", "Try again.")
        return first

    @staticmethod
    def exit_for(error: Exception) -> Exit:
        return Exit.LOCKED if isinstance(error, VaultLocked | WrongPassphrase | WrongRecoveryCode) else Exit.FAILED


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
        await services.vault.unlock_with_recovery(terminal.code())
        return
    if terminal._passphrase_fd is None and any(slot.kind is SlotKind.KEYRING for slot in services.vault.slots()):
        try:
            await services.vault.unlock(None)
            return
        except EyelidError as error:
            terminal.complain(str(error))
    await services.vault.unlock(terminal.passphrase())
