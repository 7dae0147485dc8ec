"""A person's whole path in words, for whoever has hands: keys alone, accessible names alone, or another program's AT-SPI.

Pair, receive, find by day, refuse, approve, read the receipt, lock, unlock. Nothing here knows a widget; everything is found by its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

PASSPHRASE = "river stone candle harbour"
QUESTION = "What do you see?"


class Hands(Protocol):
    """Each waits until it can be done. Names may be given by how they begin."""

    async def press(self, name: str) -> None:
        """Press the button of this name, once it can be pressed."""

    async def write(self, name: str, text: str) -> None:
        """Write `text` into the field of this name."""

    async def see(self, part: str) -> str:
        """The whole of a name that has `part` in it, once there is one on the screen."""

    async def names(self, begin: str, *, fields: bool = False) -> list[str]:
        """The names on the screen that begin so; with `fields`, of what can be written into."""

    async def go(self, page: str) -> None:
        """To a page of the sidebar."""

    async def pick(self, part: str) -> None:
        """Select the item of the list in front that has `part` in its name."""

    async def lock(self) -> None:
        """Lock the vault."""


async def walk(hands: Hands, earlier: Callable[[], Awaitable[str]] | None = None) -> None:
    """`earlier` puts a capture of an earlier day into the vault and returns the words of that day."""
    await make_vault(hands)
    await pair(hands)
    await hands.go("Captures")
    await hands.see("Photo, Today")
    if earlier is not None:
        day = await earlier()
        await hands.pick(day)
    else:
        await hands.pick("Photo, Today")
    await ask(hands)
    await read_receipts(hands)
    await hands.lock()
    await hands.see("Eyelid is locked")
    assert not await hands.names("Photo"), "locked shows nothing"
    await hands.write("Passphrase", PASSPHRASE)
    await hands.press("Unlock")
    await hands.see("Photo, Today")


async def make_vault(hands: Hands) -> None:
    """The first run, to its end."""
    await hands.press("Continue")
    await hands.write("Passphrase", PASSPHRASE)
    await hands.write("The same passphrase again", PASSPHRASE)
    await hands.press("Create my vault")
    await hands.see("Your recovery code")
    groups = {}
    for name in await hands.names("Group "):
        number, _, letters = name.partition(":")
        groups[number] = letters.replace(" ", "")
    assert len(groups) == 13, groups
    await hands.press("I wrote it down")
    await hands.see("Is it on paper?")
    wanted = await hands.names("Group ", fields=True)
    assert len(wanted) == 2, wanted
    for name in wanted:
        await hands.write(name, groups[name])
    await hands.press("Check")
    await hands.see("Where the key lies")
    await hands.press("Continue")
    await hands.see("Why Eyelid asks for Bluetooth")
    await hands.press("Continue")
    await hands.press("Pair or try glasses")


async def pair(hands: Hands) -> None:
    await hands.press("Start simulated Omi Glass")
    await hands.press("Pair OMI Glass")
    await hands.see("not encrypted")
    await hands.press("Pair these glasses")
    await hands.see("is paired")
    await hands.press("Take a first photo")


async def ask(hands: Hands) -> None:
    """Ask once and keep it private; ask again and send it, to the mirror on this computer."""
    await hands.press("Ask…")
    await hands.write("Your question", QUESTION)
    await hands.press("Review what would be sent…")
    await hands.see("Exactly this would leave")
    await hands.press("Keep private")
    await hands.press("Review what would be sent…")
    await hands.see("Exactly this would leave")
    await hands.press("Send 1 photo to Mirror")
    await hands.see("mirror on your own computer")


async def read_receipts(hands: Hands) -> None:
    await hands.go("Shared")
    await hands.see("Receipts, newest first")
    await hands.see("Sent and answered")
    await hands.see("Kept private")
