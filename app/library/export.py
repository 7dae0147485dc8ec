"""Captures leave the vault for a folder of the person's choice, readable by whoever can read that folder.

Owns the names and the way of writing: whole or not at all, never over another file. The one place in Eyelid that writes media in the
clear, and only because a person asked for exactly that.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import EyelidError
from app.media.exif import with_orientation
from app.media.strip import only_picture
from app.media.types import MediaType
from app.vault.errors import VaultLocked
from app.vault.types import ItemId, ItemMeta
from app.vault.vault import Vault
from app.vault.words import local_time

_PIECE = 1 << 20
_NAMES = 10_000
Progress = Callable[[int, int], None]
"""Called with how many were tried, of how many; may raise to stop, and then the files written so far stay."""
_SHOWN = 12
"""Letters of an id that tell a capture from the others."""


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A capture that could not be written, and why."""

    item: ItemId
    why: EyelidError


class ExportFailed(EyelidError):
    """Not all captures were written. Those in `written` are whole; of the others nothing is left behind.

    `left` are those that could not be read, or not as was asked for. `refused` is what the computer said when it took no more files; those
    behind were not tried then.
    """

    def __init__(self, written: tuple[Path, ...], left: tuple[NotWritten, ...], wanted: int, refused: str = "") -> None:
        self.written = written
        self.left = left
        self.refused = refused
        reasons = [f"{each.item[:_SHOWN]}: {each.why}" for each in left]
        super().__init__(
            f"{len(written)} of {wanted} captures were written.",
            "\n".join([*reasons, f"The computer said: {refused}."] if refused else reasons),
            "Check the folder and its free space, and export the rest." if refused else "",
        )


@dataclass(frozen=True, slots=True)
class ExportAs:
    """How files leave. The picture itself is never changed.

    `upright`: JPEGs from glasses that are worn turned get an EXIF block with orientation and time. `without_location`: JPEGs lose
    everything but the picture, its orientation and its time; other kinds, of which Eyelid can't be sure, are not written.
    `by_date`: into folders of year and day (2026/2026-05-12).
    """

    upright: bool = False
    without_location: bool = False
    by_date: bool = False


AS_THEY_CAME = ExportAs()


class LocationStays(EyelidError):
    """A capture was to be written without location, and that can't be promised for its kind."""

    def __init__(self) -> None:
        super().__init__(
            "Location can be taken out of JPEG pictures only, and this is another kind of file.",
            "",
            "Export it on its own, with whatever it says.",
        )


def export(
    vault: Vault,
    items: Sequence[ItemId],
    folder: Path,
    how: ExportAs = AS_THEY_CAME,
    *,
    progress: Progress | None = None,
    wrote: Callable[[ItemId], object] = lambda _: None,
) -> tuple[Path, ...]:
    """Write each item's original bytes into `folder` (made if missing) and return the files, in order.

    One that can't be read keeps no other from being written: all are tried, and ExportFailed names it at the end. That is raised at once
    where the disk refuses. Raises VaultLocked, too. No half file is left in any case. `wrote` is called with each item whose file is there.
    """
    written: list[Path] = []
    left: list[NotWritten] = []
    for tried, item in enumerate(items, 1):
        try:
            written.append(_export_one(vault, item, folder, how))
            wrote(item)
        except VaultLocked:
            raise
        except EyelidError as error:
            left.append(NotWritten(item, error))
        except OSError as error:
            refused = error.strerror or type(error).__name__
            raise ExportFailed(tuple(written), tuple(left), len(items), refused) from error
        if progress is not None:
            progress(tried, len(items))
    if left:
        raise ExportFailed(tuple(written), tuple(left), len(items))
    return tuple(written)


def _export_one(vault: Vault, item: ItemId, folder: Path, how: ExportAs) -> Path:
    """Raises LocationStays, OSError, and the vault's errors."""
    meta = vault.meta(item)
    if how.without_location and meta.new.media_type != MediaType.JPEG:
        raise LocationStays
    place = folder / f"{local_time(meta.new.taken_at):%Y/%Y-%m-%d}" if how.by_date else folder
    place.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(_pieces(vault, meta, how)) as pieces:
        return _write(place, meta, pieces)


def _pieces(vault: Vault, meta: ItemMeta, how: ExportAs) -> Generator[bytes, None, None]:
    """The bytes to write, a piece at a time; raises at the end if they are not what was sealed for this item."""
    if how.without_location:
        yield only_picture(vault.read(meta.id), meta.new.orientation, local_time(meta.new.taken_at))
        return
    if how.upright and meta.new.media_type == MediaType.JPEG and meta.new.orientation != 1:
        yield with_orientation(vault.read(meta.id), meta.new.orientation, local_time(meta.new.taken_at))
        return
    digest = hashlib.sha256()
    with vault.open_media(meta.id) as media:
        while piece := media.read(_PIECE):
            digest.update(piece)
            yield piece
    if meta.sha256 and digest.hexdigest() != meta.sha256:
        raise EyelidError("This capture is not what was sealed.", "Its digest differs.", "Run “verify”, and put it back from a backup.")


def _write(folder: Path, meta: ItemMeta, pieces: Generator[bytes, None, None]) -> Path:
    """Write beside the target, then take a free name and move there; whatever goes wrong, nothing stays behind."""
    temporary = folder / f".eyelid-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError, OverflowError):  # a disk that keeps no times is no reason to fail
            taken = meta.new.taken_at.timestamp()
            os.utime(temporary, (taken, taken))
        target = _take_name(folder, meta)
        try:
            temporary.replace(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target
    finally:
        temporary.unlink(missing_ok=True)


def _take_name(folder: Path, meta: ItemMeta) -> Path:
    """Create an empty file under the first free name, so that nobody else can take it meanwhile."""
    stem, suffix = name_of(meta)
    for number in range(1, _NAMES):
        target = folder / (f"{stem}{suffix}" if number == 1 else f"{stem} ({number}){suffix}")
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            continue
        return target
    raise EyelidError("The folder is too full.", f"It holds {_NAMES} captures of the same second.", "Choose an empty folder.")


def name_of(meta: ItemMeta) -> tuple[str, str]:
    """Stem and ending of an exported file: local time of the capture, and the family of glasses.

    Nothing that glasses or an imported file chose reaches the name but letters, digits and dashes.
    """
    family = re.sub(r"[^A-Za-z0-9]+", "-", meta.new.origin.family).strip("-")[:40] or "capture"
    try:
        suffix = MediaType(meta.new.media_type).suffix
    except ValueError:
        suffix = ".bin"
    return f"{local_time(meta.new.taken_at):%Y-%m-%d %H.%M.%S} {family}", suffix
