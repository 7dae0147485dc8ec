"""From a draft to a parcel: the exact bytes of the request, and the proposal that shows what is in them. Nothing leaves here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from app.assistants import Turn, WireError, WireFormat, wire
from app.media.shape import shape
from app.sharing.errors import NotReady, TermsForbid
from app.sharing.types import Destination, Draft, Parcel, Picture, PolicyCard, PolicyClass, Proposal, Receipt
from app.vault.types import Exchange, ItemKind, ItemMeta

_WHAT = "This cannot be sent as it is."


def check_draft(draft: Draft, destination: Destination, card: PolicyCard) -> None:
    """Raise NotReady or TermsForbid for what can be known before any picture is read."""
    limits = wire(destination.wire).limits
    if not draft.items:
        raise NotReady(_WHAT, "No photo was chosen.", "Choose at least one.")
    if len(draft.items) > limits.pictures:
        raise NotReady(_WHAT, f"One question can go with {limits.pictures} photos at most.", "Choose fewer.")
    if len(set(draft.items)) != len(draft.items):
        raise NotReady(_WHAT, "The same photo was chosen twice.", "Choose it once.")
    if not draft.question.strip():
        raise NotReady(_WHAT, "There is no question.", "Write what you want to know.")
    if len(draft.question) > limits.question_chars:
        raise NotReady(_WHAT, f"The question is longer than {limits.question_chars} characters.", "Shorten it.")
    if not destination.model:
        raise NotReady(_WHAT, f"No model is chosen for {destination.label}.", "Choose one in the settings of the destination.")
    check_terms(draft, destination, card)


def check_terms(draft: Draft, destination: Destination, card: PolicyCard) -> None:
    """Raise TermsForbid, or NotReady where it is not known yet, for what the terms do not allow."""
    if card.forbids:
        raise TermsForbid(f"Nothing may be sent to {destination.label}.", card.forbids, "Use another destination or model, or the mirror.")
    if card.asks_place:
        why = f"The terms of {destination.label} differ by country."
        raise NotReady(_WHAT, why, "Say in the settings in which country you are.")
    if card.forbids_people and not draft.no_people:
        raise TermsForbid(
            f"{destination.label} must not get pictures of people.", card.forbids_people, "Use another destination, or the mirror."
        )


def check_item(meta: ItemMeta) -> None:
    """Raise NotReady unless the item is of a kind that is sent."""
    if meta.new.kind is not ItemKind.PHOTO:
        raise NotReady(_WHAT, "Only photos can be sent so far, no video and no sound.", "Choose photos.")
    if meta.trashed_at is not None:
        raise NotReady(_WHAT, "A chosen photo is in the trash.", "Restore it, or choose another one.")


def shaped(meta: ItemMeta, data: bytes) -> Picture:
    """The picture as it would go: upright, smaller, nothing in it but the picture. Raises the errors of media."""
    made = shape(data, meta.new.media_type, meta.new.orientation)
    return Picture(meta.id, made.jpeg, made.width, made.height, made.removed)


def propose(
    draft: Draft,
    destination: Destination,
    card: PolicyCard,
    pictures: Sequence[Picture],
    at: datetime,
    earlier: Sequence[Turn] = (),
) -> Proposal:
    """Build the request and read it back: all that the proposal shows comes from the very bytes that would be sent. Raises NotReady."""
    form = wire(destination.wire)
    if any(max(picture.width, picture.height) > form.limits.long_edge for picture in pictures):
        raise NotReady(
            _WHAT, f"A photo is longer than the {form.limits.long_edge} pixels that {destination.label} takes.", "Choose another one."
        )
    try:
        body = form.body(destination.model, draft.question, [picture.jpeg for picture in pictures], earlier)
    except WireError as error:
        raise NotReady(_WHAT, f"The reason: {error}.", "Choose fewer or smaller photos, or change the question.") from error
    parcel = Parcel(
        id=secrets.token_hex(16),
        draft=draft,
        destination=destination,
        card=card,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        content_type=form.content_type,
        created_at=at,
    )
    return read_back(parcel, pictures, form)


def read_back(parcel: Parcel, pictures: Sequence[Picture], form: WireFormat) -> Proposal:
    """The proposal of a parcel. `pictures` lend only what bytes do not tell: which item each is, and what was taken out."""
    found = form.read_back(parcel.body)
    shown = tuple(
        Picture(picture.item, jpeg, picture.width, picture.height, picture.removed)
        for picture, jpeg in zip(pictures, found.pictures, strict=True)
    )
    return Proposal(parcel, shown, found.question, len(parcel.body), found.earlier)


def exchanges_with(meta: ItemMeta, destination: Destination, receipts: Sequence[Receipt]) -> tuple[Exchange, ...]:
    """What was asked about an item at exactly this destination. A name alone can be given twice, so the receipt's address counts too."""
    same = {
        receipt.number
        for receipt in receipts
        if receipt.destination == destination.label and (receipt.origin == destination.origin or receipt.policy_class is PolicyClass.MIRROR)
    }
    return tuple(exchange for exchange in meta.exchanges if exchange.receipt in same)


def turns_of(exchanges: Sequence[Exchange], destination: Destination, numbers: Sequence[int]) -> tuple[Turn, ...]:
    """The exchanges under the receipts `numbers`, as they are told again. Raises NotReady for one that is not among `exchanges`."""
    found = {exchange.receipt: exchange for exchange in exchanges}
    if missing := [number for number in numbers if number not in found]:
        why = f"There is no exchange with {destination.label} about this photo under receipt {missing[0]}."
        raise NotReady(_WHAT, why, "Ask anew, without going on from it.")
    return tuple(Turn(found[number].question, found[number].answer) for number in numbers)


def again_line(metas: Sequence[ItemMeta], destination: Destination) -> str:
    """One line that says that photos go to the same company again; empty when none does, or when nothing leaves."""
    count = sum(any(share.company == destination.company and share.leaves_computer for share in meta.shares) for meta in metas)
    if not count:
        return ""
    if len(metas) == 1:
        return f"The same photo goes to {destination.company} again."
    return f"{count} of these {len(metas)} photos {'goes' if count == 1 else 'go'} to {destination.company} again."
