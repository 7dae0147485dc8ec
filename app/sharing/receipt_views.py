"""The book of receipts, looked at: chosen lines, what left of each capture, what each destination got. Pure: receipts in, receipts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.sharing.types import Outcome, Receipt, ReceiptKind
from app.vault.types import ItemId


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """Which lines to show; what is empty chooses nothing out.

    `destination` is a part of the destination's name, company, address or model, in any case; `item` the begin of a capture's id;
    `since` is included, `until` not.
    """

    destination: str = ""
    item: str = ""
    outcomes: frozenset[Outcome] = frozenset()
    kinds: frozenset[ReceiptKind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    grant: str = ""

    def fits(self, receipt: Receipt) -> bool:
        names = (receipt.destination, receipt.company, receipt.origin, receipt.model)
        return (
            any(self.destination.casefold() in name.casefold() for name in names)
            and (not self.item or any(item.startswith(self.item.lower()) for item in receipt.items))
            and (not self.outcomes or receipt.outcome in self.outcomes)
            and (not self.kinds or receipt.kind in self.kinds)
            and (self.since is None or receipt.at >= self.since)
            and (self.until is None or receipt.at < self.until)
            and receipt.grant.startswith(self.grant)
        )


@dataclass(frozen=True, slots=True)
class SharedItem:
    """A capture of which something left, and the lines that say so, oldest first."""

    item: ItemId
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """What one destination got in all: the lines that say so, oldest first, and the captures, each once."""

    destination: str
    company: str
    origin: str
    card_id: str
    receipts: tuple[Receipt, ...]
    items: tuple[ItemId, ...]

    @property
    def bytes_sent(self) -> int:
        return sum(receipt.bytes_sent for receipt in self.receipts)

    @property
    def first(self) -> datetime:
        return self.receipts[0].at

    @property
    def last(self) -> datetime:
        return self.receipts[-1].at


def chosen(receipts: Iterable[Receipt], where: ReceiptFilter | None) -> tuple[Receipt, ...]:
    """The lines that fit, in their order."""
    return tuple(receipt for receipt in receipts if where is None or where.fits(receipt))


def that_left(receipts: Iterable[Receipt]) -> tuple[Receipt, ...]:
    """The lines that say that something left, each sending once: its end."""
    return tuple(receipt for receipt in receipts if receipt.bytes_sent)


def by_item(receipts: Iterable[Receipt]) -> tuple[SharedItem, ...]:
    """Each capture of which something left, the one sent last first."""
    found: dict[ItemId, list[Receipt]] = {}
    for receipt in that_left(receipts):
        for item in receipt.items:
            found.setdefault(item, []).append(receipt)
    items = [SharedItem(item, tuple(lines)) for item, lines in found.items()]
    return tuple(sorted(items, key=lambda each: each.receipts[-1].number, reverse=True))


def by_destination(receipts: Iterable[Receipt]) -> tuple[SharedPlace, ...]:
    """Each place that got something, the one that got something last first. A name given to another address is another place."""
    found: dict[tuple[str, str, str], list[Receipt]] = {}
    for receipt in that_left(receipts):
        # The mirror listens somewhere else each time, and is the same all the same.
        origin = "" if receipt.policy_card == "mirror" else receipt.origin
        found.setdefault((receipt.destination, receipt.company, origin), []).append(receipt)
    places = [_place(lines) for lines in found.values()]
    return tuple(sorted(places, key=lambda each: each.receipts[-1].number, reverse=True))


def _place(lines: Sequence[Receipt]) -> SharedPlace:
    last = lines[-1]
    items = tuple(dict.fromkeys(item for line in lines for item in line.items))
    return SharedPlace(last.destination, last.company, last.origin, last.policy_card, tuple(lines), items)
