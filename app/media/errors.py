"""What can be wrong with a picture, a clip or a sound, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import EyelidError


class MediaDamaged(EyelidError):
    """The bytes are not a whole file of the kind they begin as."""

    def __init__(self, why: str, *, noun: str = "file") -> None:
        super().__init__(f"This {noun} is damaged.", why, "If you can, take or copy it again.")


class MediaTooLarge(MediaDamaged):
    """It says it is larger than anything glasses take. It may be sound, and was not opened to find out."""

    def __init__(self, *, noun: str = "file") -> None:
        EyelidError.__init__(
            self,
            f"This {noun} is too large.",
            "It says it is larger than any picture that glasses take.",
            "Make it smaller, or keep it elsewhere.",
        )


class MediaUnsupported(EyelidError):
    """The bytes may be sound, but Eyelid cannot do this with that kind of file."""


ENDS_EARLY = "It ends too early: a part is missing."
EMPTY = "It is empty."
UNREADABLE = "It could not be decoded."


@contextmanager
def decoding(noun: str) -> Iterator[None]:
    """Turn whatever a decoder raises on hostile bytes into MediaDamaged.

    Errors that already explain themselves (a damaged vault object under the file-like, for example) pass as they are. The decoders'
    own texts are left out: some quote the file's content.
    """
    try:
        yield
    except EyelidError:
        raise
    except Exception as error:  # decoders raise nearly every class there is, SyntaxError and MemoryError included
        raise MediaDamaged(UNREADABLE, noun=noun) from error
