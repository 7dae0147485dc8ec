"""Noticing that a vault folder was put back to an older state, or robbed of captures, since this computer last saw it.

Owns the comparison and the note kept in the keyring. The note holds a generation, a count and a keyed digest: nothing secret. It is
compared with the index, which is sealed under a key of the identity; whatever differs is said, and stays said until somebody accepts it.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.vault.errors import KeyringUnavailable
from app.vault.keystore import KeyStore
from app.vault.types import ItemId, Notice, NoticeKind

_NOTE = re.compile(r"1:([0-9]{1,18}):([0-9]{1,18}):([0-9a-f]{64})")
_ACCOUNT = "state"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a vault stands: `generation` grows with every change, `count` is of captures, `digest` (hex) is over ids and revisions."""

    generation: int
    count: int
    digest: str

    def text(self) -> str:
        return f"1:{self.generation}:{self.count}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Standing | None:
        found = _NOTE.fullmatch(text)
        return None if found is None else cls(int(found[1]), int(found[2]), found[3])


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the disk found against the index. `fresh` is true if the index had to be made anew."""

    now: Standing
    fresh: bool
    missing: frozenset[ItemId] = frozenset()
    older: int = 0


Noted = Standing | tuple[Notice, ...] | None
"""A note, or what to say in its place, or nothing noted yet."""


def digest(key: bytes, items: Iterable[tuple[ItemId, int]]) -> str:
    """Return the keyed digest of a set of items and their revisions, whatever their order."""
    text = "\n".join(f"{item}:{revision}" for item, revision in sorted(items))
    return hmac.digest(key, text.encode("ascii"), "sha256").hex()


def judge(noted: Standing | None, seen: Seen) -> tuple[Notice, ...]:
    """Return what a person should be told."""
    notices: list[Notice] = []
    if noted is None:
        if seen.now.count and not seen.fresh:
            notices.append(
                Notice(NoticeKind.NOT_COMPARED, False, "This computer has no note of how the vault stood last, so it was not compared.", 0)
            )
    elif seen.fresh:
        notices += _judge_fresh(noted, seen.now)
    elif seen.now.generation < noted.generation:
        behind = noted.generation - seen.now.generation
        notices.append(
            Notice(
                NoticeKind.OLDER_STATE,
                True,
                f"The vault is older than when this computer last saw it: {behind} changes are missing. It was restored from a backup, or "
                "somebody put old files back.",
                behind,
            )
        )
    if seen.missing:
        count = len(seen.missing)
        notices.append(
            Notice(NoticeKind.MISSING, True, f"{count} captures that were here are gone, and were not deleted with this Eyelid.", count)
        )
    if seen.older:
        text = f"What is known of {seen.older} captures was put back to an earlier state."
        notices.append(Notice(NoticeKind.OLDER_STATE, True, text, seen.older))
    return tuple(notices)


def _judge_fresh(noted: Standing, now: Standing) -> Iterable[Notice]:
    """The index was lost, so the note is all there is to compare with. What arrived while locked differs from it too."""
    if now.count < noted.count:
        gone = noted.count - now.count
        text = f"At least {gone} captures that were here are gone, and the index that would name them too."
        yield Notice(NoticeKind.MISSING, True, text, gone)
    elif not hmac.compare_digest(noted.digest, now.digest):
        text = (
            "The index was made anew, and the captures are not just those seen last. Captures that arrived while locked would explain it."
        )
        yield Notice(NoticeKind.NOT_COMPARED, False, text, 0)


class Watch:
    """The note in the keyring, and what the last comparison said. Writing happens on a thread of its own: locking must not wait for it."""

    def __init__(self, store: KeyStore, vault_id: str) -> None:
        self._store = store
        self._service = f"eyelid-vault-{vault_id}-state"
        self._writer: threading.Thread | None = None
        self._least = 0
        self._noted: Standing | None = None
        self._behind = 0
        self._would_be_forgotten = False
        self.notices: tuple[Notice, ...] = ()

    def noted(self, wanted: bool) -> Noted:
        """Return the note, or what to say instead; only vaults that use the keyring have one (`wanted`)."""
        if not wanted:
            return ()
        self.wait()  # the note of the last lock may be on its way
        try:
            text = self._store.get(self._service, _ACCOUNT)
        except KeyringUnavailable as error:
            return (Notice(NoticeKind.NOT_COMPARED, False, f"The vault was not compared with how it stood last. {error.why}", 0),)
        return None if text is None else Standing.parse(text)

    def judge(self, noted: Noted, seen: Seen | None) -> None:
        """Compare, and keep what is to be said in `notices`."""
        if seen is None:
            return
        compared = judge(None if isinstance(noted, tuple) else noted, seen)
        if isinstance(noted, tuple):
            compared = (*noted, *(notice for notice in compared if notice.kind is not NoticeKind.NOT_COMPARED))
        self.notices = compared
        self._noted = noted if isinstance(noted, Standing) else None
        self._least = self._noted.generation if self._noted is not None else 0
        self._behind = max(1, self._least - seen.now.generation)
        self._would_be_forgotten = any(each.serious and (seen.fresh or each.kind is NoticeKind.OLDER_STATE) for each in compared)

    def note(self, wanted: bool, standing: Callable[[int], Standing]) -> None:
        """Replace the note, soon. `standing` is given the least generation.

        While something serious stands unaccepted, the note stays but for its generation, which goes along: as far ahead of the index as it
        was found, so that however much is done meanwhile, it is said again. A keyring that fails leaves the older note, which is noticed
        as nothing worse than an older note.
        """
        if not wanted:
            return
        if not any(notice.serious for notice in self.notices):
            now = standing(self._least)
        elif self._noted is not None and self._would_be_forgotten:  # what the index itself knows to be missing, it says by itself
            now = replace(self._noted, generation=standing(0).generation + self._behind)
        else:
            return
        before = self._writer

        def work() -> None:
            if before is not None:
                before.join()
            with contextlib.suppress(KeyringUnavailable):
                self._store.set(self._service, _ACCOUNT, now.text())

        writer = threading.Thread(target=work, name="vault-note", daemon=True)
        writer.start()
        self._writer = writer

    def forget(self, wanted: bool) -> None:
        """Remove the note, if there can be one and the keyring answers."""
        self.wait()
        if wanted:
            with contextlib.suppress(KeyringUnavailable):
                self._store.delete(self._service, _ACCOUNT)

    def wait(self, seconds: float = 5.0) -> None:
        """Return when the note is written, or after `seconds`."""
        if self._writer is not None:
            self._writer.join(seconds)
