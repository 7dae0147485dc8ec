"""From a draft to a parcel: the exact bytes of the request, and the proposal that shows what is in them. Nothing leaves here."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.assistants import Turn, WireError, WireFormat, wire
from app.media.frames import MAX_FRAMES
from app.sharing.errors import NotReady, TermsForbid
from app.sharing.types import Destination, Draft, Parcel, Picture, PolicyCard, PolicyClass, Proposal, Receipt
from app.vault.types import Exchange, ItemKind, ItemMeta

_WHAT = "This cannot be sent as it is."


def check_draft(draft: Draft, destination: Destination, card: PolicyCard) -> None:
    """Raise NotReady or TermsForbid for what can be known before any picture is read."""
    limits = wire(destination.wire).limits
    if not draft.items and not (draft.earlier and draft.about):
        raise NotReady(_WHAT, "No photo was chosen.", "Choose at least one.")
    if len(set(draft.items)) != len(draft.items) or len(set(draft.pictures)) != len(draft.pictures):
        raise NotReady(_WHAT, "The same photo was chosen twice.", "Choose it once.")
    if not {choice.item for choice in draft.pictures} <= set(draft.items):
        raise NotReady(_WHAT, "A picture is of a capture that was not chosen.", "Choose it too, or leave it out.")
    check_count(draft, destination)
    if not draft.question.strip():
        raise NotReady(_WHAT, "There is no question.", "Write what you want to know.")
    if len(draft.question) > limits.question_chars:
        raise NotReady(_WHAT, f"The question is longer than {limits.question_chars} characters.", "Shorten it.")
    if not destination.model:
        raise NotReady(_WHAT, f"No model is chosen for {destination.label}.", "Choose one in the settings of the destination.")
    check_terms(draft, destination, card)


def check_count(draft: Draft, destination: Destination) -> None:
    """Raise NotReady for more pictures than one request takes, or more frames of one video than may go."""
    most = wire(destination.wire).limits.pictures
    if max(len(draft.items), len(draft.pictures)) > most:
        raise NotReady(_WHAT, f"One question to {destination.label} can go with {most} pictures at most.", "Choose fewer.")
    frames = Counter(choice.item for choice in draft.pictures if choice.at_ms is not None)
    if max(frames.values(), default=0) > MAX_FRAMES:
        raise NotReady(_WHAT, f"At most {MAX_FRAMES} frames of a video can be sent.", "Choose fewer.")


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


def check_people(pictures: Sequence[Picture], destination: Destination, card: PolicyCard) -> None:
    """Raise TermsForbid for finished pictures in which a face is seen, or in which none was looked for: that counts as people."""
    if any(picture.faces for picture in pictures):
        why = f"A face is to be seen. {card.forbids_people}"
        raise TermsForbid(f"{destination.label} must not get pictures of people.", why, "Cover the faces, or use another destination.")
    if any(picture.faces is None for picture in pictures):
        why = f"Faces could not be looked for, so there may be some. {card.forbids_people}"
        raise TermsForbid(f"{destination.label} must not get pictures of people.", why, "Use another destination, or the mirror.")


def check_item(meta: ItemMeta, destination: Destination) -> None:
    """Raise NotReady unless the item is of a kind that this destination takes."""
    if meta.new.kind is ItemKind.SOUND:
        raise NotReady(_WHAT, f"{destination.label} takes pictures, and no sound.", "Choose photos or a video.")
    if meta.new.kind not in (ItemKind.PHOTO, ItemKind.VIDEO):
        raise NotReady(_WHAT, f"{destination.label} takes pictures only.", "Choose photos or a video.")
    if meta.trashed_at is not None:
        raise NotReady(_WHAT, "A chosen capture is in the trash.", "Restore it, or choose another one.")


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
        created_at=at,
    )
    return read_back(parcel, pictures, form)


def read_back(parcel: Parcel, pictures: Sequence[Picture], form: WireFormat) -> Proposal:
    """The proposal of a parcel. `pictures` lend only what bytes do not tell: which item each is, and what was taken out."""
    found = form.read_back(parcel.body)
    shown = tuple(replace(picture, jpeg=jpeg) for picture, jpeg in zip(pictures, found.pictures, strict=True))
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
    """One line that says that captures go to the same company again; empty when none does, or when nothing leaves."""
    count = sum(any(share.company == destination.company and share.leaves_computer for share in meta.shares) for meta in metas)
    if not count:
        return ""
    photos = all(meta.new.kind is ItemKind.PHOTO for meta in metas)
    if len(metas) == 1:
        return f"The same photo goes to {destination.company} again." if photos else f"The same video goes to {destination.company} again."
    if photos:
        return f"Photos that go to {destination.company} again: {count} of these {len(metas)}."
    return f"Captures that go to {destination.company} again: {count} of these {len(metas)}."
