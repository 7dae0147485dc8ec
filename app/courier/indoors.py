"""What the courier gives up before it hears of anything: files, programs, and every door but the one to the street.

A courier that a server managed to take over would have the network, and so must have nothing worth carrying off: no file of the person's,
no other program to ask (the keyring, the screen and the session bus are behind local sockets, which it can't open), nowhere to write.
"""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.confine.calls import INET, INET6, NETLINK, Kept, keep_only
from app.confine.files import read_only
from app.confine.memory import end_with_parent, harden

_SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/app", "/nix/store", "/gnu/store")
"""Libraries, certificates, and how names are resolved; nothing there is anybody's own. All of /etc, as resolv.conf is replaced at times."""
_RESOLVERS = ("/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/connman", "/run/nscd", "/mnt/wsl")
"""Where /etc/resolv.conf may point to."""


@dataclass(frozen=True, slots=True)
class Indoors:
    """What the kernel enforces now. `calls`: no programs, no local sockets, no writing. `files`: Landlock's version, 0 for none."""

    calls: bool
    files: int


UNCONFINED = Indoors(calls=False, files=0)


def stay_indoors() -> Indoors:
    """Give it all up, for this process and what comes of it. To be called before any second thread begins. Never raises."""
    end_with_parent()
    harden()
    _write_nothing()
    files = read_only(_places())
    return Indoors(keep_only(Kept((INET, INET6, NETLINK))), files)


def _places() -> list[str]:
    """What Python may still import, what TLS trusts, and what names are resolved by."""
    trusted = ssl.get_default_verify_paths()
    rooms, packages = Path(__file__).parents[1], str(Path(httpx2.__file__).parents[1])
    packaged = [sys.executable] if getattr(sys, "frozen", False) else []  # the program itself holds the modules then
    found = [sys.prefix, sys.base_prefix, packages, *packaged, str(rooms / "courier"), str(rooms / "confine"), *_SYSTEM, *_RESOLVERS]
    return [*found, *(place for place in (trusted.cafile, trusted.capath) if place), os.path.realpath("/etc/resolv.conf")]


def _write_nothing() -> None:
    """No file may grow by a byte. A no-op on Windows."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
