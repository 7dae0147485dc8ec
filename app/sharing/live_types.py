"""Plain data of a live look: what was put together, what is asked for, and how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.sharing.types import Change, Destination, Picture, PolicyCard, Receipt

MOST_FRAMES, MOST_MINUTES, SLOWEST = 300, 10, 60
"""The ceilings of one live look: frames, minutes, and seconds from one frame to the next."""


@dataclass(frozen=True, slots=True)
class LiveDraft:
    """What the person put together: frames of the glasses with this address, one `every` seconds, each with the same question.

    `cover_faces` None: they are covered where what is sent may be used to train AI.
    """

    glasses: str
    question: str
    destination_id: str
    frames: int = 60
    minutes: int = 5
    every: int = 5
    cover_faces: bool | None = None


@dataclass(frozen=True, slots=True)
class LiveProposal:
    """What is asked for, fixed before anybody says yes. No frame is larger than `frame_bytes` on the wire: a larger one is not sent."""

    id: str
    draft: LiveDraft
    destination: Destination
    card: PolicyCard
    cover_faces: bool
    frame_bytes: int
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    created_at: datetime

    @property
    def most_bytes(self) -> int:
        """The most that can leave in all."""
        return self.frame_bytes * self.draft.frames


@dataclass(frozen=True, slots=True)
class LiveView:
    """How it goes. `frames` were sent, `skipped` came while another was on its way; `last` is the last one as it was sent.

    `answer` is the one to the last frame, as far as it came: hostile text. Once it ended, `why` says why, and `receipt` is the end line
    (None where the vault could not take it yet).
    """

    id: str
    glasses: str
    destination: Destination
    running: bool
    frames: int
    most_frames: int
    skipped: int
    bytes_sent: int
    started_at: datetime
    ends_at: datetime
    last: Picture | None = None
    answer: str = ""
    why: str = ""
    receipt: Receipt | None = None
