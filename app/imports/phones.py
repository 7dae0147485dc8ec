"""Phones and cameras that the system shows as folders: Android over MTP and iPhones over PTP where gvfs mounts them, cards and drives with
a DCIM folder anywhere. Reads names of folders only. Where a system has no such way, `by_hand` says which steps to take.
"""

from __future__ import annotations

import os
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_PICTURES = ("DCIM", "Pictures", "Movies", "Download/Meta AI", "Download/Meta View")
"""Folders of a phone in which the glasses' apps and the camera put their files; the last two are Meta's on Android."""
_MOUNTS = ("mtp:", "gphoto2:", "afc:")


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone, camera or card that is plugged in. `folders` are those with pictures and films, all there."""

    label: str
    folders: tuple[Path, ...]


def phones(roots: list[Path] | None = None) -> tuple[Phone, ...]:
    """What is plugged in and can be read as folders now. Blocking: a sleepy phone may take seconds to answer."""
    found = []
    for label, root in _places() if roots is None else [(root.name, root) for root in roots]:
        folders = tuple(dict.fromkeys(folder for store in _stores(root) for folder in _with_pictures(store)))
        if folders:
            found.append(Phone(label, folders))
    return tuple(found)


def _places() -> Iterator[tuple[str, Path]]:
    if sys.platform == "win32":
        yield from ((f"Drive {letter}:", Path(f"{letter}:/")) for letter in string.ascii_uppercase[3:])
        return
    if sys.platform == "darwin":
        yield from ((path.name, path) for path in _children(Path("/Volumes")))
        return
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    for path in _children(runtime / "gvfs"):
        if path.name.startswith(_MOUNTS):
            yield _named(path.name), path
    for media in (Path("/media") / os.environ.get("USER", "-"), Path("/run/media") / os.environ.get("USER", "-")):
        yield from ((path.name, path) for path in _children(media))


def _named(mount: str) -> str:
    """What gvfs calls the device; a bare number of the device or of its place on the bus is no name for a person."""
    kind, _, host = mount.partition("host=")
    if kind.startswith("afc:"):
        return "iPhone or iPad"
    name = unquote(host).replace("_", " ")
    return name if name and not name.startswith("[") else "Phone or camera"


def _stores(root: Path) -> Iterator[Path]:
    """A phone's stores ("Internal shared storage", "SD card") are folders of their own; cards are not divided."""
    yield root
    if root.name.startswith(_MOUNTS):
        yield from _children(root)


def _with_pictures(store: Path) -> Iterator[Path]:
    for name in _PICTURES:
        try:
            if (folder := store / name).is_dir():
                yield folder
        except OSError:
            continue


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def by_hand(platform: str = sys.platform) -> str:
    """What a person can do where a phone is not shown as a folder."""
    if platform == "win32":
        return (
            "Windows shows phones in the Explorer, but not as folders that programs can open. Copy the phone's DCIM folder to this "
            "computer there, and import the copy."
        )
    if platform == "darwin":
        return "Connect the phone, open “Image Capture”, choose “Import to: Other…”, and import that folder into Eyelid."
    return (
        "Unlock the phone and allow file access (Android: choose “File transfer” in the USB notification; iPhone: tap “Trust”). "
        "If it still does not appear, open it in the file manager once. Where that does not help (in KDE, for example), copy the phone's "
        "DCIM folder to this computer with the file manager, and import the copy."
    )
