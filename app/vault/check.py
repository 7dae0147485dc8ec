"""Verify: every sealed file of a vault read and authenticated, and an interrupted run that goes on where it stopped.

Owns `verify.age`, the sealed note of how far a run came; it carries a code under a key of the identity, since anybody could seal one. Reads
only; what to do about a fault is for `repair`, or for a backup.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.vault.age import open_bytes, seal_bytes
from app.vault.config import Config
from app.vault.errors import VaultError, VaultLocked
from app.vault.files import read_small, write_durably
from app.vault.header import AgeError
from app.vault.keys import LARGEST_SLOT
from app.vault.sealed import HISTORY, QUARANTINE
from app.vault.session import NO_MATCH, Session
from app.vault.store import Found, ObjectStore
from app.vault.stream import PayloadError
from app.vault.types import FileFault, ItemId, ObjectFault, VerifyReport

NAME = "verify.age"
KEEP = timedelta(days=7)
"""An interrupted run goes on if it was begun within this time; a drive may have gone bad since an older one."""
_SAVE_EVERY = 5.0
"""Seconds between two notes of how far the run came."""
_LARGEST = 4 << 20

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Run:
    """How far a run came: all items up to `last`, in order of id."""

    started: str
    last: str = ""
    checked: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> bytes:
        table = {"started": self.started, "last": self.last, "checked": self.checked, "faults": self.faults}
        return json.dumps(table, sort_keys=True).encode("ascii")


def verify(
    store: ObjectStore, session: Session, settings: Config, progress: Progress | None = None, *, resume: bool = False
) -> VerifyReport:
    """Read everything; `progress` gets how many captures are done, of how many. With `resume`, go on with an interrupted run.

    Raises VaultLocked, also when locked meanwhile; what was done until then is remembered.
    """
    return _Check(store, session, settings, progress or (lambda done, total: None)).run(resume)


class _Check:
    def __init__(self, store: ObjectStore, session: Session, settings: Config, progress: Progress) -> None:
        self._store = store
        self._session = session
        self._settings = settings
        self._progress = progress
        self._key = session.cache_key("verify")

    def run(self, resume: bool) -> VerifyReport:
        strays: list[Path] = []
        everything = sorted(self._store.found(strays), key=lambda found: found.id)
        run = (self._load() if resume else None) or _Run(datetime.now(UTC).isoformat())
        left = [found for found in everything if found.id > run.last]
        resumed, run.checked = len(everything) - len(left), len(everything) - len(left)
        self._captures(run, left, len(everything))
        files, records = self._others()
        self._store.files.remove(self._store.folder / NAME)
        faults = tuple(ObjectFault(ItemId(item), what) for item, what in run.faults if self._store.has_any(ItemId(item)))
        return VerifyReport(len(everything), faults, tuple(files), records, tuple(self._notes(strays)), resumed)

    def _captures(self, run: _Run, left: list[Found], total: int) -> None:
        saved = time.monotonic()
        try:
            for found in left:
                self._progress(run.checked, total)
                whats = list(item_faults(self._store, self._session, found))
                if self._store.has_any(found.id):  # else it was deleted meanwhile
                    run.faults += [(found.id, what) for what in whats]
                run.last, run.checked = found.id, run.checked + 1
                if time.monotonic() - saved > _SAVE_EVERY:
                    self._save(run)
                    saved = time.monotonic()
        except BaseException:
            self._save(run)
            raise
        self._progress(total, total)

    # -- files besides the captures

    def _others(self) -> tuple[list[FileFault], int]:
        faults = list(self._slots())
        count = 0
        records = self._store.records
        for folder in records.folders():
            for number in records.numbers(folder):
                count += 1
                with self._noting(faults, f"{folder}/{number}.age"):
                    records.open(folder, number, self._session.identity)
            for _, path in records.branches(folder):
                count += 1
                with self._noting(faults, f"{folder}/{path.name}"):
                    records.open_at(path, self._session.identity)
        return faults, count

    @contextlib.contextmanager
    def _noting(self, faults: list[FileFault], name: str) -> Iterator[None]:
        try:
            yield
        except VaultLocked:
            raise
        except VaultError as error:
            faults.append(FileFault(name, str(error)))

    def _slots(self) -> Iterator[FileFault]:
        """The content of a slot opens only with its own key; that its bytes are those that were written can be told without."""
        for slot in self._settings.slots:
            try:
                sealed = read_small(self._store.files, self._store.folder / slot.file, LARGEST_SLOT)
            except OSError:
                yield FileFault(slot.file, "This way to open the vault is missing. Remove it, and add it anew.")
                continue
            if sealed is None or hashlib.sha256(sealed).hexdigest() != slot.sha256:
                yield FileFault(slot.file, "This way to open the vault is damaged. Remove it, and add it anew.")

    def _notes(self, strays: list[Path]) -> Iterator[str]:
        folder = self._store.folder
        for name in self._store.records.folders():
            if branches := {number for number, _ in self._store.records.branches(name)}:
                yield (
                    f"Two computers wrote {name} at the same time: {len(branches)} numbers were taken twice, the first is {min(branches)}. "
                    "All of them are kept."
                )
        kept = sum(1 for path in (folder / HISTORY).glob("*/*.age"))
        if kept:
            yield f"{kept} older descriptions of captures that two computers changed are kept in {HISTORY}/."
        if strays:
            yield f"{len(strays)} files among the captures are not Eyelid's own, or copies that could not be used; “repair” looks at them."
        aside = sum(1 for path in (folder / QUARANTINE).rglob("*") if path.is_file())
        if aside:
            yield f"{aside} files that could not be used lie in {QUARANTINE}/."

    # -- going on

    def _save(self, run: _Run) -> None:
        """Remember how far it came; that this fails is no reason to stop."""
        text = run.text()
        note = hmac.digest(self._key, text, "sha256") + text
        if run.last and len(note) <= _LARGEST:
            with contextlib.suppress(OSError, VaultError):
                write_durably(self._store.files, self._store.folder / NAME, [seal_bytes(note, self._store.recipients)])

    def _load(self) -> _Run | None:
        try:
            sealed = read_small(self._store.files, self._store.folder / NAME, 2 * _LARGEST)
            note = open_bytes(sealed or b"", [self._session.identity])
        except (OSError, AgeError, PayloadError):
            return None
        code, text = note[:32], note[32:]
        if not hmac.compare_digest(code, hmac.digest(self._key, text, "sha256")):
            return None
        table: dict[str, Any] = json.loads(text)
        young = datetime.fromisoformat(table["started"]) > datetime.now(UTC) - KEEP
        return _Run(table["started"], table["last"], 0, [(item, what) for item, what in table["faults"]]) if young else None


def item_faults(store: ObjectStore, session: Session, found: Found) -> Iterator[str]:
    """Yield what is wrong with one capture, having read all of it. Raises VaultLocked."""
    if not found.has_object:
        yield "The capture itself is missing; only what is known of it is left."
        return
    meta = None
    if found.has_meta:
        try:
            meta = session.meta(found.id)
        except VaultLocked:
            raise
        except VaultError as error:
            yield str(error)
    else:
        yield "What is known of this capture is missing; unlock the vault to have it made again."
    digest, size = hashlib.sha256(), 0
    try:
        for piece in store.pieces(found.id, session.identity):
            digest.update(piece)
            size += len(piece)
    except VaultLocked:
        raise
    except VaultError as error:
        yield str(error)
        return
    content = (digest.hexdigest(), size)
    known = session.index.digest(found.id)  # under our own key, where anybody could seal a meta file to go with another object
    if (meta is not None and (meta.sha256, meta.size) != content) or (known is not None and known[0] and known != content):
        yield NO_MATCH
