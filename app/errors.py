"""What people are told when something goes wrong.

Owns the one base class of every error that may reach a person, and `explain`, which turns any exception into three short parts.
Must not know Qt, the terminal, or any room: whoever shows an error decides how it looks.
"""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence of what is wrong, one of why, and one thing to do (`why` and `action` may be empty)."""

    what: str
    why: str = ""
    action: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.action) if part)


@runtime_checkable
class Explained(Protocol):
    """Anything that carries its own explanation; the errors of `ble`, which cannot import this module, fit it by shape."""

    what: str
    why: str
    action: str


class EyelidError(Exception):
    """Base of the errors meant for people.

    Subclasses keep the three parts apart so that a window can set them differently from a terminal.
    """

    def __init__(self, what: str, why: str = "", action: str = "") -> None:
        self.what = what
        self.why = why
        self.action = action
        super().__init__(str(Explanation(what, why, action)))


class Cancelled(EyelidError):
    """A person stopped the work; nothing needs to be said."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")


_REFUSED = Explanation("The computer refused a file operation.", "", "Check the disk and try again.")
_FULL = Explanation("The disk is full.", "", "Free some space, then try again.")


def _of_files(error: OSError, why: str) -> Explanation:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return replace(_FULL, why=why)
    if isinstance(error, FileNotFoundError):
        return Explanation("A file or folder is not there.", why, "Check its name and place, then try again.")
    if isinstance(error, PermissionError):
        return Explanation("You are not allowed to use a file or folder.", why, "Check who may read and write it, then try again.")
    return replace(_REFUSED, why=why)


def explain(error: BaseException) -> Explanation:
    """Return what to tell a person about `error`; an unknown error is named as our own fault, without its payload."""
    if isinstance(error, Explained):
        return Explanation(error.what, error.why, error.action)
    if isinstance(error, OSError) and error.strerror:
        return _of_files(error, f"It said: {error.strerror}.")
    if isinstance(error, sqlite3.OperationalError):
        return _FULL if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL else _REFUSED
    return Explanation(
        "Something went wrong inside Eyelid.",
        f"The fault is of the kind {type(error).__name__}.",
        "Please report it with the output of “eyelid doctor”.",
    )
