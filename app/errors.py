"""What people are told when something goes wrong.

Owns the one base class of every error that may reach a person, and `explain`, which turns any exception into three short parts.
Must not know Qt, the terminal, or any room: whoever shows an error decides how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass
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


def explain(error: BaseException) -> Explanation:
    """Return what to tell a person about `error`; an unknown error is named as our own fault, without its payload."""
    if isinstance(error, Explained):
        return Explanation(error.what, error.why, error.action)
    if isinstance(error, OSError) and error.strerror:
        return Explanation("The computer refused a file operation.", f"It said: {error.strerror}.", "Check the disk and try again.")
    return Explanation(
        "Something went wrong inside Eyelid.",
        f"The fault is of the kind {type(error).__name__}.",
        "Please report it with the output of “eyelid doctor”.",
    )
