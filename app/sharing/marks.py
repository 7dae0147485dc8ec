"""What the captures themselves say of sharing: marks made from receipts, and made good after a crash or a lock.

Runs on the vault's lane. Owns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from app.sharing.receipts import Ending, ReceiptBook
from app.sharing.types import Outcome, PolicyClass, Receipt, ReceiptKind
from app.vault.errors import ItemMissing, ObjectDamaged, VaultTooNew
from app.vault.types import Exchange, ItemId, ItemMeta, Share

MAX_KEPT_ANSWER = 20_000
"""Characters of an answer kept with an item."""

_CUT_SHORT = "Eyelid ended before it was known how this went. All of it may have left."
_LOOK_CUT_SHORT = "Eyelid ended during a live look. These captures may have left; how many bytes is not known, and no more than this."
_LOOK_NOT_SENT = "Eyelid ended during a live look, before anything was sent."


class Items(Protocol):
    """What marking needs of the vault."""

    def ids(self) -> tuple[ItemId, ...]: ...
    def meta(self, item: ItemId) -> ItemMeta: ...
    def change(self, item: ItemId, edit: Callable[[ItemMeta], ItemMeta]) -> ItemMeta: ...


def mark(vault: Items, receipt: Receipt, question: str, answer: str, about: ItemId | None = None) -> tuple[ItemId, ...]:
    """Note on each item of `receipt` that it was sent; with an answer, the exchange too, also on the item `about` which words alone went.

    Returns the items that are still there.
    """
    exchange = None
    if answer:
        exchange = Exchange(receipt.at, receipt.destination, question, answer[:MAX_KEPT_ANSWER], receipt.number)
    items = [item for item in receipt.items if _mark_one(vault, item, receipt, exchange)]
    if about and exchange and about not in receipt.items and _changed(vault, about, _adding(exchange)):
        items.append(about)
    return tuple(items)


def _mark_one(vault: Items, item: ItemId, receipt: Receipt, exchange: Exchange | None) -> bool:
    away = receipt.policy_class is not PolicyClass.MIRROR
    share = Share(receipt.destination, receipt.company, receipt.at, receipt.number, leaves_computer=away)

    def edit(meta: ItemMeta) -> ItemMeta:
        shares = tuple(each for each in meta.shares if each.receipt != receipt.number)
        return replace(_adding(exchange)(meta), shares=(*shares, share))

    return _changed(vault, item, edit)


def _adding(exchange: Exchange | None) -> Callable[[ItemMeta], ItemMeta]:
    return lambda meta: meta if exchange is None else replace(meta, exchanges=(*meta.exchanges, exchange))


def _changed(vault: Items, item: ItemId, edit: Callable[[ItemMeta], ItemMeta]) -> bool:
    """Whether the item is still there to be changed."""
    try:
        vault.change(item, edit)
    except ItemMissing:
        return False
    return True


def catch_up(vault: Items, book: ReceiptBook, under_way: Callable[[], frozenset[str]]) -> tuple[tuple[Receipt, ...], tuple[ItemId, ...]]:
    """End the lines of intent that nothing is known of any more, then mark items that lack the mark of a receipt.

    Returns the receipts written and the items changed. Raises VaultLocked, ReceiptsDamaged.
    """
    receipts = book.all()
    ended = {receipt.parcel_id for receipt in receipts if receipt.outcome is not Outcome.INTENDED} | under_way()
    cut = [receipt for receipt in receipts if receipt.outcome is Outcome.INTENDED and receipt.parcel_id not in ended]
    closed = tuple(book.add_line(*_cut_short(vault, intent)) for intent in cut)
    looks = {receipt.parcel_id: receipt.number for receipt in receipts if receipt.outcome is Outcome.INTENDED and _is_look(receipt)}
    changed: dict[ItemId, None] = {}
    for receipt in (*receipts, *closed):
        if receipt.bytes_sent:
            changed |= dict.fromkeys(_mark_missing(vault, receipt, looks.get(receipt.parcel_id, 0)))
    return closed, tuple(changed)


def _is_look(receipt: Receipt) -> bool:
    return receipt.kind is ReceiptKind.LIVE


def _cut_short(vault: Items, intent: Receipt) -> tuple[Receipt, Ending]:
    """The end of a line of intent of which nothing is known any more; of a live look the captures themselves say which may have left."""
    if not _is_look(intent):
        return intent, Ending(Outcome.FAILED, _CUT_SHORT, intent.body_size)
    items = tuple(item for item in vault.ids() if _named_by(vault, item, intent.number))
    most = intent.body_size // max(1, intent.frames) * len(items)
    line = replace(intent, items=items, frames=len(items), body_size=most)
    return line, Ending(Outcome.FAILED if items else Outcome.NOT_SENT, _LOOK_CUT_SHORT if items else _LOOK_NOT_SENT, most)


def _known(vault: Items, item: ItemId) -> ItemMeta | None:
    """What is known of a capture; None where that is gone or can't be read, which must keep nobody from the others."""
    try:
        return vault.meta(item)
    except (ItemMissing, ObjectDamaged, VaultTooNew):
        return None


def _named_by(vault: Items, item: ItemId, number: int) -> bool:
    meta = _known(vault, item)
    return meta is not None and any(share.receipt == number for share in meta.shares)


def _mark_missing(vault: Items, receipt: Receipt, intent: int) -> list[ItemId]:
    """Mark the items of `receipt` that do not name it; of a live look they may name its line of intent, `intent`."""
    lacking: list[ItemId] = []
    for item in receipt.items:
        if _known(vault, item) is None or _named_by(vault, item, receipt.number):
            continue
        if intent and _named_by(vault, item, intent):
            lacking += renumber(vault, replace(receipt, items=(item,)), intent)
        elif _mark_one(vault, item, receipt, None):
            lacking.append(item)
    return lacking


def unmark(vault: Items, receipt: Receipt) -> tuple[ItemId, ...]:
    """Take the marks of `receipt` off again: nothing left after all."""

    def edit(meta: ItemMeta) -> ItemMeta:
        return replace(meta, shares=tuple(each for each in meta.shares if each.receipt != receipt.number))

    return tuple(item for item in receipt.items if _changed(vault, item, edit))


def renumber(vault: Items, receipt: Receipt, intent: int) -> tuple[ItemId, ...]:
    """Let the items of a live look name its end line instead of its line of intent. Returns those that are still there."""

    def edit(meta: ItemMeta) -> ItemMeta:
        shares = (replace(each, receipt=receipt.number) if each.receipt == intent else each for each in meta.shares)
        exchanges = (replace(each, receipt=receipt.number) if each.receipt == intent else each for each in meta.exchanges)
        return replace(meta, shares=tuple(shares), exchanges=tuple(exchanges))

    return tuple(item for item in receipt.items if _changed(vault, item, edit))


def highest_named(vault: Items) -> int:
    """The highest receipt that any item speaks of: a book that ends before it was cut."""

    def numbers() -> Iterable[int]:
        for item in vault.ids():
            if (meta := _known(vault, item)) is not None:
                yield from (share.receipt for share in meta.shares)
                yield from (exchange.receipt for exchange in meta.exchanges)

    return max(numbers(), default=0)
