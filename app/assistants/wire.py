"""What every wire format offers, and the parts an answer is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = tuple[tuple[str, str], ...]
"""Names and values, as they go."""


class WireError(Exception):
    """A body cannot be built, or is not one that this format builds. The text names the reason and repeats nothing of the input."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold: pictures, bytes of one JPEG, bytes of the whole body, characters of the question, pixels of an edge."""

    pictures: int
    picture_bytes: int
    body_bytes: int
    question_chars: int
    long_edge: int = 8000


GENERAL_LIMITS = Limits(pictures=10, picture_bytes=4 * 1024 * 1024, body_bytes=20 * 1024 * 1024, question_chars=8000)

MAX_EARLIER = 20
"""Turns of a conversation that go again with a further question."""
MAX_EARLIER_CHARS = 60_000


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question and its answer, which a server has to be told again."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """All that a finished body says, taken from its own bytes. `model` is empty where the address names it, not the body."""

    model: str
    question: str
    pictures: tuple[bytes, ...]
    earlier: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer: hostile text, without control characters but newline and tab."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The server said that the answer is complete; `reason` is its word for why, empty if it gave none."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The answer is an error or cannot be read; `code` is the server's short name for it, or empty. Nothing follows."""

    what: str
    code: str = ""


AnswerPart = Text | Finished | Fault


class AnswerReader(Protocol):
    """Reads one answer as it comes in, in pieces of any size. Never raises, whatever comes."""

    def feed(self, data: bytes) -> list[AnswerPart]:
        """Take the next bytes; returns the parts that are whole now."""
        ...

    def close(self) -> list[AnswerPart]:
        """The server sent all it will; returns what is left, at least one Finished or Fault in all of the reader's life."""
        ...


class WireFormat(Protocol):
    """One way to ask. Holds no state: every call is independent."""

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    def headers(self, key: str) -> Headers:
        """Headers of a request; an empty `key` sends none. Raises WireError for a key that is no header text."""
        ...

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        """The request body, the same bytes for the same input. Raises WireError beyond the limits.

        The pictures go with the question; `earlier` turns go before it, as text alone.
        """
        ...

    def read_back(self, body: bytes) -> ReadBack:
        """What is in `body`; raises WireError unless `body` holds exactly that and nothing else."""
        ...

    def reader(self, status: int) -> AnswerReader:
        """A reader for an answer that came with this HTTP status."""
        ...
