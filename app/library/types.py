"""What the gallery asks the library for, and what it gets."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from app.vault.types import ItemId, ItemKind


class Sharing(enum.Enum):
    """The word and icon every item carries."""

    PRIVATE = "Private"
    SHARED = "Shared"


@dataclass(frozen=True, slots=True)
class Query:
    """Which items, newest first. Empty fields mean no restriction; `text` searches notes, albums, dates and answers.

    `only_glasses` leaves out what nothing says glasses made.
    """

    kinds: frozenset[ItemKind] = frozenset()
    sharing: Sharing | None = None
    favourites: bool = False
    album: str = ""
    glasses: str = ""
    only_glasses: bool = False
    text: str = ""
    trashed: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One item as the gallery shows it, without its pictures.

    `colour` is the average colour 0xRRGGBB, painted until the thumbnail is there. `paired`: a still that came with a clip, or that clip.
    """

    id: ItemId
    kind: ItemKind
    taken_at: datetime
    width: int | None
    height: int | None
    duration_ms: int | None
    favourite: bool
    shared_with: tuple[str, ...]
    from_name: str
    colour: int
    intact: bool = True
    paired: bool = False

    @property
    def sharing(self) -> Sharing:
        return Sharing.SHARED if self.shared_with else Sharing.PRIVATE

    @property
    def status_words(self) -> str:
        """ "Private" or "Shared with OpenAI, Mistral"."""
        return f"Shared with {', '.join(self.shared_with)}" if self.shared_with else Sharing.PRIVATE.value


class ThumbSize(enum.IntEnum):
    """Long edge in pixels."""

    SMALL = 160
    LARGE = 320
