"""A folder of sealed files: to whom new ones are sealed, how one is read, and what is said of one that can't be.

Writing needs only the recipient, so it works while locked; reading is given the identity for one call and keeps nothing. What lies where,
and what it means, is for `store` and `records`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.vault.age import Identity, Recipient, open_bytes, open_seekable, open_stream
from app.vault.errors import ItemMissing, ObjectDamaged, VaultError, VaultTooNew
from app.vault.files import Files, read_small
from app.vault.header import AgeError, NoMatch, VersionError
from app.vault.hybrid import parse_recipient
from app.vault.stream import PayloadError, StreamReader

HISTORY = "history"
"""Folder of meta files that lost against another computer's, as they were."""
QUARANTINE = "quarantine"
"""Folder of what a repair could not use and would not delete; below it, files keep their places."""
_OVERHEAD = 128 * 1024
"""Bytes a small file may be longer sealed than not: header and tags."""


class SealedFolder:
    """All sealed files below `folder`, sealed to `recipient`."""

    def __init__(self, files: Files, folder: Path, recipient: str) -> None:
        """Raises KeyTextError, HybridMissing."""
        self._files = files
        self._folder = folder
        self._recipients: Sequence[Recipient] = ()
        self.seal_to(recipient)

    @property
    def files(self) -> Files:
        return self._files

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def recipients(self) -> Sequence[Recipient]:
        """Those that new files are sealed to."""
        return self._recipients

    def seal_to(self, recipient: str) -> None:
        """Seal what is written from now on to `recipient`, "age1…" or "age1pq1…". Raises KeyTextError, HybridMissing."""
        self._recipients = (parse_recipient(recipient),)

    def undo(self, *paths: Path) -> None:
        """Remove what was not acknowledged, as far as the disk lets us."""
        with contextlib.suppress(OSError):
            for path in paths:
                self._files.remove(path)

    def open_small(self, path: Path, limit: int, identity: Identity) -> bytes:
        """Return a sealed file of at most `limit` bytes. Raises ItemMissing, ObjectDamaged, VaultTooNew."""
        try:
            sealed = read_small(self._files, path, limit + _OVERHEAD)
            if sealed is None:
                raise ObjectDamaged(self.name(path), "It is far too long.")
            return open_bytes(sealed, [identity])
        except (AgeError, PayloadError, OSError) as error:
            raise self._fault(path, error) from None

    def pieces_at(self, path: Path, identity: Identity) -> Iterator[memoryview]:
        """Yield a sealed file in order, with bounded memory. Raises ItemMissing, VaultTooNew, and ObjectDamaged, that possibly late."""
        try:
            with self._files.open(path) as source:
                yield from open_stream(source, [identity])
        except (AgeError, PayloadError, OSError) as error:
            raise self._fault(path, error) from None

    def open_at(self, path: Path, identity: Identity) -> StreamReader:
        """Return a seekable reader. Raises ItemMissing, ObjectDamaged, VaultTooNew; its reads raise ObjectDamaged."""
        try:
            source = self._files.open(path)
        except OSError as error:
            raise self._fault(path, error) from None
        try:
            return open_seekable(source, [identity], lambda why: ObjectDamaged(self.name(path), why))
        except (AgeError, PayloadError, OSError) as error:
            source.close()
            raise self._fault(path, error) from None

    def name(self, path: Path) -> str:
        """The file's name below the vault, as errors give it."""
        return path.relative_to(self._folder).as_posix()

    def _fault(self, path: Path, error: Exception) -> VaultError:
        name = self.name(path)
        if isinstance(error, FileNotFoundError):
            return ItemMissing()
        if isinstance(error, OSError):
            return ObjectDamaged(name, f"The disk could not read it: {error.strerror}.")
        if isinstance(error, VersionError):
            return VaultTooNew("This capture was sealed by a newer Eyelid.")
        if isinstance(error, NoMatch):
            return ObjectDamaged(name, "Its header was changed, or it was sealed for another vault.")
        if isinstance(error, AgeError):
            return ObjectDamaged(name, f"Its header is damaged: {error}.")
        return ObjectDamaged(name, str(error))
