"""What can be wrong with a picture, a clip or a sound, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from app.errors import EyelidError

_DAMAGED: Mapping[str, str] = MappingProxyType(
    {
        "file": "This file is damaged.",
        "picture": "This picture is damaged.",
        "photo": "This photo is damaged.",
        "video": "This video is damaged.",
        "sound": "This recording is damaged.",
    }
)
_TOO_LARGE: Mapping[str, str] = MappingProxyType(
    {
        "file": "This file is too large.",
        "picture": "This picture is too large.",
        "photo": "This photo is too large.",
        "video": "This video is too large.",
        "sound": "This recording is too large.",
    }
)
"""Whole sentences, since nouns of other languages change the words around them."""


class MediaDamaged(EyelidError):
    """The bytes are not a whole file of the kind they begin as."""

    def __init__(self, why: str, *, noun: str = "file") -> None:
        super().__init__(_DAMAGED[noun], why, "If you can, take or copy it again.")

    @property
    def for_want_of_memory(self) -> bool:
        """Whether the decoder had too little memory, now at least: that says nothing of the file."""
        return isinstance(self.__cause__, MemoryError)


class MediaTooLarge(MediaDamaged):
    """It says it is larger than anything glasses take. It may be sound, and was not opened to find out."""

    def __init__(self, *, noun: str = "file") -> None:
        EyelidError.__init__(
            self,
            _TOO_LARGE[noun],
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
