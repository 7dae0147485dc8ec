"""Plain data of sharing: destinations, drafts, parcels, approvals, receipts. No decisions are taken here."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

from app.assistants.listing import Model
from app.assistants.wire import Turn
from app.media.look.boxes import Box
from app.media.look.cover import WHOLE, Edit
from app.sharing.regions import Region
from app.vault.types import ItemId


class PolicyClass(enum.Enum):
    """What may become of what is sent, worst first."""

    TRAINS = "trains"
    KEPT = "kept"
    LOCAL = "local"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Statement:
    """One dated claim of a policy card: a plain sentence, a short quotation, and where it was read."""

    text: str
    quote: str
    source: str
    read_on: date


UNREAD = Statement("Nothing was read about this.", "", "no terms were read", date(2026, 11, 23))


@dataclass(frozen=True, slots=True)
class RegionTerms:
    """What a card says for one group of places only: statements by name, and why the terms forbid use there (or empty)."""

    region: Region
    statements: tuple[tuple[str, Statement], ...]
    forbids: str = ""
    note: str = ""
    policy_class: PolicyClass | None = None


@dataclass(frozen=True, slots=True)
class PolicyCard:
    """What one destination does with what it is sent, as read on a day. `version` changes whenever any word of the card does.

    The statements are those that count for the place the card was asked for; `regions` has all that differs by place.
    """

    id: str
    title: str
    company: str
    policy_class: PolicyClass
    trains: Statement
    retention: Statement
    people: Statement
    opt_out: Statement
    faces: Statement
    read_on: date
    version: str
    expired: bool
    notes: tuple[str, ...] = ()
    forbids_people: str = ""
    """Why the terms forbid pictures of people, as a sentence; empty where they do not."""
    bystanders: Statement = UNREAD
    deletion: Statement = UNREAD
    voice: Statement = UNREAD
    regions: tuple[RegionTerms, ...] = ()
    place: str = ""
    """The code of the place the card was asked for; empty when none was said."""
    forbids: str = ""
    """Why nothing at all may be sent with this model, or from this place; empty where it may."""
    asks_place: bool = False
    """The terms forbid use from some places, and none was said."""

    @property
    def may_train(self) -> bool:
        return self.policy_class is PolicyClass.TRAINS


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere a parcel can go. `origin` is scheme://host:port; `wire` names the format in `app.assistants`."""

    id: str
    label: str
    company: str
    origin: str
    path: str
    model: str
    wire: str
    card_id: str
    needs_key: bool
    local: bool


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """One picture of a draft: a photo, or the frame of a video that is shown at `at_ms`, and what of it is covered and cut off.

    The boxes of `edit` are in pixels of the upright original, as findings are.
    """

    item: ItemId
    at_ms: int | None = None
    edit: Edit = WHOLE


@dataclass(frozen=True, slots=True)
class Draft:
    """What the person put together. Nothing has happened yet.

    `items` are the captures of which something goes; none where a further question goes on in words alone, and `about` is then the
    capture that it is about. `pictures` say what goes of each; of an item without one, the whole photo, or a few frames of the video.
    `no_people`: the person said that nobody is to be seen or named in it; only asked for where a card has `forbids_people`.
    `earlier`: the receipts of the exchanges with the same destination that this question goes on from; their words go again.
    """

    items: tuple[ItemId, ...]
    question: str
    destination_id: str
    no_people: bool = False
    earlier: tuple[int, ...] = ()
    pictures: tuple[PictureChoice, ...] = ()
    about: ItemId | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that terms said before and say otherwise now. `name` is that of the statement; either side may be empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as it stands inside the parcel: the very JPEG bytes, and what was taken out on the way.

    `at_ms` is the time of a video's frame. `covered` are the places of one solid colour, in pixels of this picture. `faces` is how many
    the finder still sees in it; None where it was not looked at again (nothing was covered), or could not be.
    """

    item: ItemId
    jpeg: bytes
    width: int
    height: int
    removed: tuple[str, ...]
    at_ms: int | None = None
    covered: tuple[Box, ...] = ()
    faces: int | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """The final request. `body` is what goes over the wire, to the byte; everything the approval binds is fixed here."""

    id: str
    draft: Draft
    destination: Destination
    card: PolicyCard
    body: bytes
    sha256: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the approval dialog shows, all of it read back from the parcel's own bytes.

    Besides the bytes: `changes` is what the terms say otherwise than when something was last sent under them, `again` whether a picture in
    it was sent to this destination before, and `notes` are lines to be shown with it.
    """

    parcel: Parcel
    pictures: tuple[Picture, ...]
    question: str
    size: int
    earlier: tuple[Turn, ...] = ()
    changes: tuple[Change, ...] = ()
    again: bool = False
    notes: tuple[str, ...] = ()


class Outcome(enum.Enum):
    """How a parcel ended."""

    REFUSED = "refused"
    INTENDED = "intended"
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    FAILED = "failed"
    NOT_SENT = "not sent"


class ReceiptKind(enum.Enum):
    """What was sent: a parcel; the frames of a live look; or nothing of the person's, only the question which models there are."""

    PARCEL = "parcel"
    MODELS = "models"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of the receipt book. `bytes_sent` counts body bytes handed to the network; digests are hex; never a picture.

    `grant` names what the person had allowed before, empty where they approved this very parcel; `request_id` is the server's own name for
    the exchange, empty where it gave none; `frames` counts those of a live look that were sent (in its line of intent: that may be).
    """

    number: int
    at: datetime
    parcel_id: str
    outcome: Outcome
    items: tuple[ItemId, ...]
    item_digests: tuple[str, ...]
    destination: str
    company: str
    origin: str
    model: str
    policy_card: str
    policy_version: str
    policy_class: PolicyClass
    body_sha256: str
    body_size: int
    bytes_sent: int
    http_status: int | None
    detail: str
    previous: str
    signature: str
    kind: ReceiptKind = ReceiptKind.PARCEL
    grant: str = ""
    request_id: str = ""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class ModelList:
    """What a server said when it was asked for its models; `receipt` is the line in the book for that."""

    models: tuple[Model, ...]
    receipt: int


@dataclass(frozen=True, slots=True)
class KeyReport:
    """Whether a server took the key, in words; `good` is None where it did not come to the question."""

    good: bool | None
    text: str
    receipt: int


@dataclass(frozen=True, slots=True)
class Sending:
    """Bytes on their way; `sent` of `total`."""

    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class AnswerText:
    """A piece of the answer. Hostile text: show it as plain text only."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a sending."""

    receipt: Receipt


SendEvent = Sending | AnswerText | Ended
