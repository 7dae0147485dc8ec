"""Plain data of sharing: destinations, drafts, parcels, approvals, receipts. No decisions are taken here."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

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


@dataclass(frozen=True, slots=True)
class PolicyCard:
    """What one destination does with what it is sent, as read on a day. `version` changes whenever any word of the card does."""

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
class Draft:
    """What the person put together. Nothing has happened yet.

    `no_people`: the person said that nobody is to be seen or named in it; only asked for where a card has `forbids_people`.
    """

    items: tuple[ItemId, ...]
    question: str
    destination_id: str
    no_people: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as it stands inside the parcel: the very JPEG bytes, and what was taken out on the way."""

    item: ItemId
    jpeg: bytes
    width: int
    height: int
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """The final request. `body` is what goes over the wire, to the byte; everything the approval binds is fixed here."""

    id: str
    draft: Draft
    destination: Destination
    card: PolicyCard
    body: bytes
    sha256: str
    content_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the approval dialog shows, all of it read back from the parcel's own bytes."""

    parcel: Parcel
    pictures: tuple[Picture, ...]
    question: str
    size: int


class Outcome(enum.Enum):
    """How a parcel ended."""

    REFUSED = "refused"
    INTENDED = "intended"
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    FAILED = "failed"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of the receipt book. `bytes_sent` counts body bytes handed to the network; digests are hex; never a picture."""

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
