"""The gate without a courier, with the calls of `app.sharing.desk`. What is asked of it is kept in `calls`; nothing ever leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from app.assistants.listing import Model
from app.events import EventHub, GrantsChanged, ReceiptAdded
from app.media.frames import Frame
from app.media.look.types import Check, Findings, Part
from app.sharing.errors import DestinationError, TermsForbid
from app.sharing.grants import Grant, GrantOffer, GrantWish, offer
from app.sharing.looking import Advice, advise
from app.sharing.receipt_views import SharedItem, SharedPlace, by_destination, by_item
from app.sharing.servers import Locality
from app.sharing.types import (
    AnswerText,
    Destination,
    Draft,
    Ended,
    KeyReport,
    ModelList,
    Outcome,
    PolicyCard,
    PolicyClass,
    Proposal,
    Receipt,
    Sending,
)
from app.vault.types import Exchange, ItemId
from tests.ui.plain_data import card, destination, findings, jpeg, proposed, receipt


class FakeKeys:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {"kept": "a key", "trains": "a key"}

    def get(self, destination_id: str) -> str:
        return self.kept.get(destination_id, "")

    def set(self, destination_id: str, key: str) -> bool:
        self.kept[destination_id] = key
        return True


class FakeBook:
    def __init__(self) -> None:
        self.keys = FakeKeys()
        self.models: dict[str, str] = {}
        self.gone: list[str] = []

    def set_model(self, destination_id: str, model: str) -> Destination:
        self.models[destination_id] = model
        return replace(destination(PolicyClass(destination_id)), model=model)

    def add_local(self, label: str, base_url: str, model: str, kind: str = "local-server") -> Destination:
        if "127.0.0.1" not in base_url:
            raise DestinationError(
                "That server is not on this computer.", "Its address names another one.", "Add it as a server elsewhere."
            )
        return replace(destination(PolicyClass.LOCAL), id="local-1", label=label, origin=base_url, model=model)

    def remove(self, destination_id: str) -> None:
        self.gone.append(destination_id)


class FakeLive:
    """No live look runs."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    async def stop(self, why: str = "Stopped by you.") -> None:
        self.stopped.append(why)


@dataclass
class FakeSharing:
    events: EventHub
    answer: str = "A fern."
    hold: asyncio.Event | None = None
    calls: list[str] = field(default_factory=list)
    book_receipts: list[Receipt] = field(default_factory=list)
    classes: tuple[PolicyClass, ...] = (PolicyClass.MIRROR, PolicyClass.LOCAL, PolicyClass.KEPT, PolicyClass.TRAINS)
    ai_off: bool = False
    forbids: str = ""
    drafts: list[Draft] = field(default_factory=list)
    instead: list[Proposal | None] = field(default_factory=list)
    book: Any = field(default_factory=FakeBook)
    found: dict[ItemId, Findings] = field(default_factory=dict)
    looking: asyncio.Event | None = None
    standing: list[Grant] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    wishes: list[GrantWish | None] = field(default_factory=list)
    exchanges: dict[ItemId, tuple[Exchange, ...]] = field(default_factory=dict)
    prepare_error: Exception | None = None
    slow: asyncio.Event | None = None
    live: Any = field(default_factory=FakeLive)

    def destinations(self) -> tuple[Destination, ...]:
        return tuple(destination(of) for of in self.classes)

    def card(self, destination_id: str) -> PolicyCard:
        of = PolicyClass(destination_id.partition("-")[0])
        return card(of, forbids_people=self.forbids if of is PolicyClass.TRAINS else "")

    def cards(self) -> tuple[PolicyCard, ...]:
        return tuple(self.card(of.value) for of in reversed(PolicyClass))

    async def warm(self) -> None:
        self.calls.append("warm")

    async def look(self, item: ItemId, at_ms: int | None = None, told: Callable[[Findings], None] | None = None) -> Findings:
        found = self.found.get(item, findings())
        if self.looking is not None:
            if told is not None:
                told(Findings(checks=(Check(Part.METADATA, True),)))
            await self.looking.wait()
        if told is not None:
            told(found)
        return found

    def advice(self, destination_id: str, found: Sequence[Findings]) -> Advice:
        return advise(self.card(destination_id), found)

    async def filmstrip(self, item: ItemId, count: int = 4, long_edge: int = 320) -> tuple[Frame, ...]:
        return tuple(Frame(1000 * n + 500 * (count > 4), jpeg("#7d4a2f", 160, 90), 160, 90) for n in range(count))

    async def view(self, item: ItemId, at_ms: int | None = None, long_edge: int = 1568) -> Frame:
        return Frame(at_ms or 0, jpeg("#2f7d4f", 640, 480), 640, 480)

    async def conversation(self, item: ItemId, destination_id: str) -> tuple[Exchange, ...]:
        return self.exchanges.get(item, ())

    async def prepare(self, draft: Draft, instead_of: Proposal | None = None) -> Proposal:
        self.calls.append("prepare")
        self.drafts.append(draft)
        self.instead.append(instead_of)
        if self.slow is not None:
            await self.slow.wait()
        if self.prepare_error is not None:
            raise self.prepare_error
        known = self.card(draft.destination_id)
        if known.forbids_people and not draft.no_people:
            raise TermsForbid("Meta must not get pictures of people.", self.forbids, "Use another destination.")
        return proposed(draft, known, len(self.drafts))

    async def refuse(self, made: Proposal, reason: str = "kept private") -> Receipt:
        self.calls.append(f"refuse: {reason}")
        return receipt(1, Outcome.REFUSED, made.parcel.card.policy_class)

    def grant_offer(self, made: Proposal) -> GrantOffer:
        return offer(made.parcel.card, made.parcel.destination, made.changes)

    def grant_for(self, made: Proposal) -> Grant | None:
        return next((grant for grant in self.standing if grant.destination == made.parcel.destination), None)

    def grants(self) -> tuple[Grant, ...]:
        return tuple(self.standing)

    async def void_grants(self, why: str) -> None:
        self.live.stopped.append(why)
        self.standing.clear()
        self.calls.append(f"void: {why}")

    async def revoke(self, grant_id: str) -> None:
        self.revoked.append(grant_id)
        self.standing = [grant for grant in self.standing if grant.id != grant_id]
        self.events.publish(GrantsChanged(tuple(self.standing), ()))

    async def approve(self, made: Proposal, wish: GrantWish | None = None) -> object:
        self.calls.append("approve")
        self.wishes.append(wish)
        return SimpleNamespace()

    async def approve_under(self, made: Proposal, grant_id: str) -> object:
        self.calls.append(f"approve under {grant_id}")
        return SimpleNamespace()

    async def send(self, made: Proposal, approval: object) -> AsyncIterator[object]:
        self.calls.append("send")
        yield Sending(made.size, made.size)
        if self.hold is not None:
            await self.hold.wait()
        for word in self.answer.split(" "):
            yield AnswerText(word + " ")
        outcome = Outcome.CANCELLED if "cancel" in self.calls else Outcome.ANSWERED
        done = receipt(2, outcome, made.parcel.card.policy_class, made.size)
        self.book_receipts.append(done)
        self.events.publish(ReceiptAdded(done))
        yield Ended(done)

    async def cancel(self, parcel_id: str) -> None:
        self.calls.append("cancel")
        if self.hold is not None:
            self.hold.set()

    async def check_key(self, destination_id: str) -> KeyReport:
        self.calls.append(f"check {destination_id}")
        return KeyReport(True, "It accepts the key.", 7)

    async def models(self, destination_id: str) -> ModelList:
        self.calls.append(f"models {destination_id}")
        return ModelList((Model("sees-well", pictures=True), Model("words-only", pictures=False)), 8)

    async def locality(self, destination_id: str) -> Locality:
        return Locality(True, "The model lies on this computer.")

    async def receipts(self, where: Any = None) -> tuple[Receipt, ...]:
        return tuple(self.book_receipts)

    async def verify_receipts(self) -> object:
        return SimpleNamespace(sound=True, count=len(self.book_receipts), faults=(), notes=())

    async def export_receipts(self) -> bytes:
        return b"{}"

    async def receipts_page(self, where: Any = None) -> bytes:
        return b"<!doctype html>"

    async def shared_by_item(self) -> tuple[SharedItem, ...]:
        return by_item(self.book_receipts)

    async def shared_by_destination(self) -> tuple[SharedPlace, ...]:
        return by_destination(self.book_receipts)

    def deletion(self, receipt: Receipt) -> str:
        return f"Write to {receipt.company} and name {receipt.body_sha256}."
