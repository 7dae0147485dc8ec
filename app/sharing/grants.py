"""Grants: a person's yes, given at an approval, that further sendings of the same kind may go without being asked for each.

Owns the grants that stand, in memory only, so that a restart means no. Never for a destination that may train. A grant sends nothing: for
each parcel that fits it the desk makes an approval of its own, and the gate looks once more whether the grant still stands.
"""

from __future__ import annotations

import enum
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.sharing.compare import change_words
from app.sharing.errors import GateClosed, SharingError
from app.sharing.terms import difference, words_of
from app.sharing.types import Change, Destination, PolicyCard, PolicyClass, Proposal

MOST_MINUTES, MOST_ITEMS = 15, 20
SLEPT = timedelta(seconds=60)
"""The two clocks may drift apart by so much before it is said that the computer slept, or that its clock was changed."""

_UNKNOWN = "unknown"


class GrantSpan(enum.Enum):
    """How far a yes goes. `ONCE` is the default and makes no grant; `UNTIL_OFF` is for what stays on this computer only."""

    ONCE = "once"
    CONVERSATION = "conversation"
    UNTIL_OFF = "until off"


@dataclass(frozen=True, slots=True)
class GrantWish:
    """What the person chose at an approval. `minutes` and `items` (photos sent without a dialog) count for CONVERSATION only."""

    span: GrantSpan
    minutes: int = MOST_MINUTES
    items: int = 5


@dataclass(frozen=True, slots=True)
class GrantOffer:
    """What may be chosen at one approval, the default first. Where there is only ONCE no choice is to be shown; `why_not` says why."""

    spans: tuple[GrantSpan, ...]
    most_minutes: int = MOST_MINUTES
    most_items: int = MOST_ITEMS
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What was said yes to: exactly this destination with this model, under exactly these terms. Times in UTC; None: without an end."""

    id: str
    span: GrantSpan
    destination: Destination
    card: PolicyCard
    given_at: datetime
    ends_at: datetime | None
    most_items: int | None
    used_items: int = 0

    @property
    def items_left(self) -> int | None:
        return None if self.most_items is None else self.most_items - self.used_items


@dataclass(frozen=True, slots=True)
class GrantEnded:
    """A grant that no longer stands, and why, as a sentence."""

    grant: Grant
    why: str


class GrantRefused(SharingError):
    """A grant was asked for that cannot be given. Nothing was approved."""

    def __init__(self, why: str) -> None:
        super().__init__("That cannot be allowed for more than this once.", why, "Decide about this one only.")


# -- the rules, pure


def offer(card: PolicyCard, destination: Destination, changes: Sequence[Change] = ()) -> GrantOffer:
    """What may be chosen at an approval for `destination` under `card`; `changes` are what its terms say otherwise than the last time."""
    if changes:
        return GrantOffer((GrantSpan.ONCE,), why_not="The terms have changed, so this once is asked for by itself.")
    if card.expired or card.id == _UNKNOWN:
        return GrantOffer((GrantSpan.ONCE,), why_not="What becomes of what is sent there is not known, so each sending is asked for.")
    if card.may_train:
        return GrantOffer((GrantSpan.ONCE,), why_not="What is sent there may be used to train AI, so each sending is asked for.")
    if card.forbids_people or card.forbids:
        return GrantOffer((GrantSpan.ONCE,), why_not="Its terms forbid some pictures, so each sending is asked for.")
    if destination.local and card.policy_class in (PolicyClass.LOCAL, PolicyClass.MIRROR):
        return GrantOffer((GrantSpan.ONCE, GrantSpan.CONVERSATION, GrantSpan.UNTIL_OFF))
    return GrantOffer((GrantSpan.ONCE, GrantSpan.CONVERSATION))


def granted(wish: GrantWish, proposal: Proposal, at: datetime) -> Grant:
    """The grant that `wish` asks for at the approval of `proposal`. Raises GrantRefused."""
    parcel = proposal.parcel
    offered = offer(parcel.card, parcel.destination, proposal.changes)
    if wish.span is GrantSpan.ONCE or wish.span not in offered.spans:
        raise GrantRefused(offered.why_not or "A yes to this alone needs no grant.")
    if wish.span is GrantSpan.UNTIL_OFF:
        return Grant(secrets.token_hex(8), wish.span, parcel.destination, parcel.card, at, None, None)
    if not (1 <= wish.minutes <= MOST_MINUTES and 1 <= wish.items <= MOST_ITEMS):
        raise GrantRefused(f"At most {MOST_MINUTES} minutes and {MOST_ITEMS} photos can be allowed at once.")
    ends = at + timedelta(minutes=wish.minutes)
    return Grant(secrets.token_hex(8), wish.span, parcel.destination, parcel.card, at, ends, wish.items)


def ended(grant: Grant, destination: Destination | None, card: PolicyCard | None, at: datetime) -> str:
    """Why `grant` stands no longer, given what counts now; empty while it does. `card` is None where there is no destination."""
    if grant.ends_at is not None and at >= grant.ends_at:
        return "Its time is over."
    if at < grant.given_at:
        return "The computer's clock was set back."
    if destination is None:
        return "The destination was removed."
    if destination != grant.destination:
        return "The destination, its address or its model has changed."
    if card is None or card != grant.card:
        return " ".join(("What is known of the terms has changed.", *_changes(grant.card, card)))
    return ""


def _changes(before: PolicyCard, after: PolicyCard | None) -> list[str]:
    """What the terms say otherwise now; nothing where only their dates or notes do."""
    return [change_words(each) for each in difference(words_of(before), words_of(after))] if after else []


def counted(proposal: Proposal) -> int:
    """What a sending takes off a grant: its pictures, and one for words alone."""
    return max(1, len(proposal.pictures))


def misfit(grant: Grant, proposal: Proposal) -> str:
    """Why `grant` does not cover `proposal`, or nothing. Whether the grant still stands is another question."""
    parcel = proposal.parcel
    if parcel.destination != grant.destination:
        return "It goes to another place, or to another model."
    if parcel.card != grant.card or proposal.changes:
        return "The terms are not those that were shown when it was given."
    if grant.span not in offer(parcel.card, parcel.destination).spans:
        return "What is sent there is asked for each time."
    if grant.items_left is not None and counted(proposal) > grant.items_left:
        return "It was given for fewer photos."
    return ""


# -- those that stand


class Grants:
    """The grants that stand. To be used on one thread."""

    def __init__(
        self,
        destination: Callable[[str], Destination | None],
        card: Callable[[str, str], PolicyCard],
        clock: Callable[[], datetime],
        told: Callable[[tuple[Grant, ...], tuple[GrantEnded, ...]], None],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`destination` and `card` say what counts now; `elapsed` (seconds) does not run while the computer sleeps, where the system has
        such a clock; `told` hears of each change: those that stand, and those that ended.
        """
        self._destination = destination
        self._card = card
        self._clock = clock
        self._elapsed = elapsed
        self._told = told
        self._kept: dict[str, tuple[Grant, float]] = {}

    def give(self, proposal: Proposal, wish: GrantWish) -> Grant:
        """Only from the person's own act at the approval of `proposal`. Raises GrantRefused."""
        grant = granted(wish, proposal, self._clock())
        self._kept[grant.id] = (grant, self._elapsed())
        self._told(self._listed(), ())
        return grant

    def standing(self) -> tuple[Grant, ...]:
        """Those that stand and have something left, oldest first."""
        self.recheck()
        return self._listed()

    def _listed(self) -> tuple[Grant, ...]:
        return tuple(grant for grant, _ in self._kept.values() if grant.items_left != 0)

    def fitting(self, proposal: Proposal) -> Grant | None:
        """A grant that covers exactly this, the oldest first; None where the person has to be asked."""
        return next((grant for grant in self.standing() if not misfit(grant, proposal)), None)

    def use(self, grant_id: str, proposal: Proposal) -> Grant:
        """Count the photos of `proposal` off the grant; they stay counted, whatever becomes of them. Raises GateClosed."""
        self.recheck()
        if grant_id not in self._kept:
            raise _closed("What you had allowed stands no longer.")
        grant, began = self._kept[grant_id]
        if why := misfit(grant, proposal):
            raise _closed(f"What you had allowed does not cover this. {why}")
        used = replace(grant, used_items=grant.used_items + counted(proposal))
        self._kept[grant_id] = (used, began)
        self._told(self._listed(), (GrantEnded(used, "All its photos were sent."),) if used.items_left == 0 else ())
        return used

    def stands(self, grant_id: str) -> bool:
        """Whether what was approved under it may still go; also for one whose last photo is just on its way."""
        self.recheck()
        return grant_id in self._kept

    def recheck(self) -> None:
        """End the grants for which something changed."""
        now = self._clock()
        gone = [GrantEnded(grant, why) for grant, began in self._kept.values() if (why := self._why_ended(grant, began, now))]
        self._end(gone)

    def _why_ended(self, grant: Grant, began: float, now: datetime) -> str:
        destination = self._destination(grant.destination.id)
        card = self._card(destination.card_id, destination.model) if destination else None
        if why := ended(grant, destination, card, now):
            return why
        apart = (now - grant.given_at) - timedelta(seconds=self._elapsed() - began)
        return "The computer slept, or its clock was changed." if abs(apart) > SLEPT else ""

    def revoke(self, grant_id: str) -> None:
        """Taken back by the person. One that stands no longer is no error."""
        if found := self._kept.get(grant_id):
            self._end([GrantEnded(found[0], "You took it back.")])

    def void_all(self, why: str) -> tuple[str, ...]:
        """End all of them; returns their ids."""
        ids = tuple(self._kept)
        self._end([GrantEnded(grant, why) for grant, _ in self._kept.values()])
        return ids

    def _end(self, gone: list[GrantEnded]) -> None:
        if not gone:
            return
        for each in gone:
            del self._kept[each.grant.id]
        # One that was used up has been told of before.
        self._told(self._listed(), tuple(each for each in gone if each.grant.items_left != 0))


def _closed(why: str) -> GateClosed:
    return GateClosed("Nothing was sent.", why, "Look at it and decide.")
