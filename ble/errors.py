"""Errors of the radio and of glasses, each with a sentence, a reason and one thing to do.

The shape (`what`, `why`, `action`) is the one that `app.errors.explain` reads; this room cannot import it.
"""

from __future__ import annotations


class GlassesError(Exception):
    """Base of everything that can go wrong between this laptop and a pair of glasses."""

    def __init__(self, what: str, why: str = "", action: str = "") -> None:
        self.what = what
        self.why = why
        self.action = action
        super().__init__(" ".join(part for part in (what, why, action) if part))


class RadioUnavailable(GlassesError):
    """No adapter, adapter off, or no permission to use it."""


class RadioOff(RadioUnavailable):
    """The adapter is away, switched off, or its service is not running: it may come back by itself, so trying again is right."""


class PairingNeeded(GlassesError):
    """The glasses refuse until they are paired (bonded) with this computer, or the two no longer share a key."""


class NotFound(GlassesError):
    """The wanted glasses were not seen in the time given."""


class LinkLost(GlassesError):
    """The link dropped, or could not be made."""


def link_lost() -> LinkLost:
    """For a link that stood and is gone."""
    return LinkLost("The link to the glasses was lost.", "They may be out of range or switched off.", "Bring the glasses closer.")


class NotGlasses(GlassesError):
    """The device answers, but it is not a pair of camera glasses that this driver knows (a necklace, an impostor, another firmware)."""


class ProtocolFault(GlassesError):
    """The glasses said something that their protocol does not allow."""


class CameraSilent(GlassesError):
    """A photo was asked for and none came."""


class Unsupported(GlassesError):
    """This family of glasses cannot do what was asked."""


class PairsByItself(Unsupported):
    """This computer's system has no call for pairing: it pairs when what is protected is first touched."""

    def __init__(self) -> None:
        super().__init__(
            "This computer pairs with glasses by itself.",
            "Its system asks as soon as the glasses want to be paired, and not before.",
            "Answer the system's question when it comes.",
        )
