"""How this computer and this Eyelid are, in lines a person can read before passing them on. No names, no addresses, no file names."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import platform
import secrets
import shutil
import sys
from dataclasses import dataclass, replace
from importlib import metadata

from app import __version__
from app.confine.memory import report
from app.errors import explain
from app.glasses.types import GlassesView
from app.glasses.unseen import Census, explain_unseen
from app.paths import Profile
from app.separation import InForce
from app.services import Services
from app.vault.types import LockState
from ble.errors import RadioUnavailable
from ble.types import LinkState

PACKAGES = ("bleak", "bumble", "cryptography", "httpx2", "apsw-sqlite3mc", "keyring", "pillow", "av", "PySide6-Essentials", "qasync")
"""Named in the report with their versions, where they are installed."""
LISTEN_SECONDS = 5.0
"""For so long the radio is listened to for glasses that nobody looked for."""
UNSEEN = frozenset({LinkState.IDLE, LinkState.SCANNING, LinkState.WAITING, LinkState.LOST})


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `fine` is None for plain information."""

    name: str
    text: str
    fine: bool | None = None


def of_computer(profile: Profile) -> list[Finding]:
    """What can be said before anything of Eyelid runs."""
    return [*_system(), _space(profile)]


async def of_services(services: Services) -> list[Finding]:
    """What a running Eyelid finds; listens on the radio for a moment."""
    found = [await _keyring(services), _vault(services), await _radio(services), *await _glasses(services), _hardening()]
    return found + separation(await services.in_force())


async def _glasses(services: Services) -> list[Finding]:
    """Whether the paired glasses are here, and if not, why they can't be seen. By number and family: nobody's names or addresses.

    The address is hashed with a salt of this report: pairs can be told apart in it, and none found again.
    """
    salt = secrets.token_bytes(16)
    views = await asyncio.gather(*(_explained(services, view) for view in services.glasses.known()))
    names = ["glasses"] if len(views) == 1 else [f"glasses {number}" for number in range(1, len(views) + 1)]
    return [of_pair(name, view, salt) for name, view in zip(names, views, strict=True)]


async def _explained(services: Services, view: GlassesView) -> GlassesView:
    """The same with a reason, if nobody looked for these glasses long enough to give one."""
    if view.trouble is not None or view.state not in UNSEEN:
        return view
    census = Census()
    try:
        async with contextlib.aclosing(services.glasses.scan(LISTEN_SECONDS, census)) as heard:
            others = [found async for found in heard]
    except RadioUnavailable as error:
        return replace(view, trouble=explain(error))
    if any(found.address == view.known.address for found in others):
        return view
    held = await services.glasses.held_here(view.known.address)
    why = explain_unseen(view, seconds=LISTEN_SECONDS, census=census, held_here=held, others=others)
    return replace(view, trouble=why)


def of_pair(name: str, view: GlassesView, salt: bytes) -> Finding:
    """One pair of glasses, as it is now."""
    mark = hashlib.sha256(salt + view.known.address.encode()).hexdigest()[:8]
    about = f"{view.known.family}{', simulated' if view.known.simulated else ''}, id {mark}"
    if view.state is LinkState.READY:
        return Finding(name, f"the link is up ({about})", True)
    return Finding(name, f"{view.trouble or 'They did not answer in time. Bring them closer.'} ({about})", False)


def _system() -> list[Finding]:
    versions = []
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{package} {metadata.version(package)}")
    return [
        Finding("eyelid", __version__),
        Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}, Python {sys.version.split()[0]}"),
        Finding("packages", ", ".join(versions)),
    ]


def _space(profile: Profile) -> Finding:
    place = next(folder for folder in (profile.root, *profile.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Finding("disk", f"{free / 1e9:.1f} GB free where the vault lies", free > 1_000_000_000)


async def _keyring(services: Services) -> Finding:
    found = await services.vault.keyring_report()
    return Finding("keyring", f"{found.name}: {found.text}", found.trusted)


def _hardening() -> Finding:
    found = report()
    return Finding("memory", found.text(), found.whole)


def separation(found: InForce, system: str = sys.platform) -> list[Finding]:
    """What keeps each process to its own, in words. Where the system has nothing that Eyelid knows to ask for, that is no fault."""
    kernel = "this kernel does not help with that" if system == "linux" else "this system is not asked for help with that"
    not_asked = False if system == "linux" else None
    built = f"opens no socket to the internet, but only by how it is built; {kernel}"
    main = "the kernel refuses it, and all that it starts, sockets to the internet" if found.main else built
    look = "the kernel refuses it sockets, programs and writing" if found.look else built
    return [
        Finding("main", main, found.main or not_asked),
        Finding("courier", _courier(found, kernel), (found.courier_calls and found.courier_files > 0) or not_asked),
        Finding("look worker", look, found.look or not_asked),
    ]


def _courier(found: InForce, kernel: str) -> str:
    if not found.courier_calls:
        return f"holds no keys; it leaves your files alone, but only by how it is built; {kernel}"
    refused = "the kernel refuses it programs, local sockets and writing"
    if not found.courier_files:
        return f"{refused}; it leaves your files alone, but only by how it is built: this kernel has no Landlock"
    return f"{refused}, and hides your files from it (Landlock, version {found.courier_files})"


def _vault(services: Services) -> Finding:
    if services.vault.state is LockState.ABSENT:
        return Finding("vault", "none yet")
    return Finding("vault", f"format age v1, opens with: {', '.join(slot.kind.value for slot in services.vault.slots())}", True)


async def _radio(services: Services) -> Finding:
    try:
        await services.glasses.check_radio()
    except Exception as error:
        return Finding("bluetooth", str(explain(error)), False)
    return Finding("bluetooth", "the adapter is on and may be used", True)
