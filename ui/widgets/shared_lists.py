"""What left, seen from two sides: what each destination got, and where each capture went; and the permissions that stand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSize
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QWidget

from app.errors import EyelidError
from app.imports.desk import META_AI
from app.library.types import ThumbSize
from app.sharing.grants import Grant, GrantEnded, GrantSpan
from app.sharing.receipt_views import SharedItem, SharedPlace
from app.vault.types import ItemId, ItemMeta
from ui import words
from ui.context import Context
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.models.thumbs import decode_cover
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import POLICY_LOOK, policy_badge
from ui.widgets.basics import CARD, button, clear_layout, column, frame, icon_label, label, noted, picture_well, row

EDGE = 72
MOST = 200
"""Captures that are listed in one part; where the rest is, is said below."""


class PlaceList(QWidget):
    """One card a destination that ever got anything."""

    def __init__(self, theme: Theme, show: Callable[[str], None]) -> None:
        super().__init__()
        self._theme = theme
        self._show = show
        self.rows = column(gap=GRID + 4)
        self.setLayout(self.rows)

    def show_places(self, places: Sequence[SharedPlace]) -> None:
        clear_layout(self.rows)
        for place in places:
            self.rows.addWidget(self._card(place))
        self.rows.addStretch(1)

    def _card(self, place: SharedPlace) -> QFrame:
        theme, last = self._theme, place.receipts[-1]
        icon, tone = POLICY_LOOK[last.policy_class]
        counts = tr(
            "{sendings}, {captures}, {size} in all",
            sendings=plural(len(place.receipts), "{count} sending", "{count} sendings"),
            captures=plural(len(place.items), "{count} capture", "{count} captures"),
            size=words.size(place.bytes_sent),
        )
        when = tr("First {first}, last {last}", first=words.short_day(place.first), last=words.short_when(place.last))
        line = row(icon_label(theme, icon, tone, 28), gap=2 * GRID, margins=CARD)
        where = tr("{name} at {origin}", name=place.destination, origin=place.origin)
        said = column(label(tr_core(place.company), "lead", wrap=True), label(where, "small", wrap=True), gap=2)
        said.addWidget(label(counts, wrap=True))
        said.addWidget(label(when, "small"))
        line.addLayout(said, 1)
        line.addWidget(policy_badge(theme, last.policy_class))
        name = tr("Show the receipts of {name}", name=place.destination)
        line.addWidget(button(theme, tr("Receipts…"), partial(self._show, place.destination), name=name))
        return frame("card", line)


class ItemList(QWidget):
    """One row a capture of which something left."""

    def __init__(self, context: Context, show: Callable[[str], None]) -> None:
        super().__init__()
        self._context = context
        self._show = show
        self.rows = column()
        self.setLayout(self.rows)

    async def fill(self, items: Sequence[SharedItem], elsewhere: Sequence[ItemMeta]) -> None:
        """Show these, with their small pictures; one that was deleted since is said to be.

        `elsewhere`: those that left without Eyelid, as Meta's archive says; they have no receipts, and so a heading of their own.
        """
        made = [await self._row(item) for item in items[:MOST]]
        others = [await self._elsewhere(meta) for meta in elsewhere[:MOST]]
        clear_layout(self.rows)
        for each in made:
            self.rows.addWidget(each)
        if len(items) > MOST:
            self.rows.addWidget(label(tr("{count} more are in the receipts.", count=len(items) - MOST), tone="muted"))
        if others:
            self.rows.addWidget(label(tr("Shared with Meta AI from the phone or the glasses"), "lead", wrap=True))
            self.rows.addWidget(label(tr("So says Meta's own archive. Eyelid has no receipts of these."), tone="muted", wrap=True))
        for each in others:
            self.rows.addWidget(each)
        if len(elsewhere) > MOST:
            self.rows.addWidget(label(tr("{count} more are under Captures, filter “Shared”.", count=len(elsewhere) - MOST), tone="muted"))
        self.rows.addStretch(1)

    async def _elsewhere(self, meta: ItemMeta) -> QFrame:
        at = next(share.at for share in meta.shares if share.destination == META_AI)
        return await self._line(meta.id, tr("As Meta's archive says, on {when}", when=words.short_when(at)))

    async def _row(self, shared: SharedItem) -> QFrame:
        companies = tr(", ").join(dict.fromkeys(tr_core(receipt.company) for receipt in shared.receipts))
        often = plural(len(shared.receipts), "once", "{count} times")
        last = words.short_when(shared.receipts[-1].at)
        sent = tr("Sent {often} to {companies}, last on {when}", often=often, companies=companies, when=last)
        return await self._line(shared.item, sent, receipts=True)

    async def _line(self, item: ItemId, said: str, *, receipts: bool = False) -> QFrame:
        """A capture's picture, what it is, and what is `said` of it."""
        library = self._context.services.library
        picture = picture_well(QSize(EDGE, EDGE))
        try:
            meta, data = await library.details(item), await library.thumbnail(item, ThumbSize.SMALL)
            title = tr("{kind}, {when}", kind=words.kind(meta.new.kind), when=words.when(meta.new.taken_at))
        except EyelidError:
            data, title = None, tr("A capture that was deleted since")
        if data:
            image = await asyncio.get_running_loop().run_in_executor(None, decode_cover, data, EDGE)
            picture.setPixmap(QPixmap.fromImage(image))
        picture.setAccessibleName(title)
        line = row(picture, gap=2 * GRID, margins=(GRID + 4, GRID, GRID + 4, GRID))
        line.addLayout(column(None, label(title, "strong", wrap=True), label(said, wrap=True), None, gap=2), 1)
        if receipts:
            show = partial(self._show, str(item))
            line.addWidget(button(self._context.theme, tr("Receipts…"), show, name=tr("Show the receipts of {title}", title=title)))
        return frame("card", line)

    def clear(self) -> None:
        clear_layout(self.rows)


class GrantList(QWidget):
    """The permissions that stand, each with what is left of it and a button that takes it back; and those that ended lately."""

    def __init__(self, theme: Theme, revoke: Callable[[str], None]) -> None:
        super().__init__()
        self._theme = theme
        self._revoke = revoke
        self._ended: list[GrantEnded] = []
        self.rows = column(gap=GRID + 4)
        self.setLayout(self.rows)

    def show_grants(self, grants: Sequence[Grant], ended: Sequence[GrantEnded] = ()) -> None:
        """Show those that stand; `ended` are those that have just ended."""
        self._ended = [*reversed(ended), *self._ended][:5]
        clear_layout(self.rows)
        for grant in grants:
            self.rows.addWidget(self._card(grant))
        if not grants:
            self.rows.addWidget(label(tr("Nothing goes without being asked for: no permission stands."), "lead", wrap=True))
        cannot = tr(
            "Taking a permission back stops what comes after it, and what is on its way under it. It cannot bring back what has left; each "
            "receipt has the provider's own way to ask for deletion."
        )
        self.rows.addLayout(noted(self._theme, "info", "muted", cannot))
        never = tr(
            "Permissions are given with an approval, never for what may be used for training. They end by themselves: when the time or the "
            "number is used up, when the vault locks, when the computer sleeps, and when the terms, the model or the address change."
        )
        self.rows.addLayout(noted(self._theme, "interval", "muted", never))
        if self._ended:
            self.rows.addWidget(label(tr("Ended lately"), "strong"))
        for gone in self._ended:
            said = tr("{name}: {why}", name=tr_core(gone.grant.destination.label), why=tr_core(gone.why))
            self.rows.addWidget(label(said, tone="muted", wrap=True))
        self.rows.addStretch(1)

    def _card(self, grant: Grant) -> QFrame:
        theme, place = self._theme, grant.destination
        icon, tone = POLICY_LOOK[grant.card.policy_class]
        line = row(icon_label(theme, icon, tone, 28), gap=2 * GRID, margins=CARD)
        title = tr("{name}, model {model}", name=tr_core(place.label), model=place.model or tr("no model"))
        line.addLayout(column(label(title, "lead", wrap=True), label(left_of(grant), wrap=True), label(place.origin, "small"), gap=2), 1)
        name = tr("Take back the permission for {name}", name=tr_core(place.label))
        line.addWidget(button(theme, tr("Take back"), partial(self._revoke, grant.id), icon="ban", name=name))
        return frame("card", line)

    def forget(self) -> None:
        self._ended = []
        clear_layout(self.rows)


def left_of(grant: Grant) -> str:
    """What is left of a permission, in words."""
    if grant.span is GrantSpan.UNTIL_OFF:
        return tr("Whatever you ask there, until you turn it off")
    parts = [tr("until {time}", time=words.clock(grant.ends_at))] if grant.ends_at is not None else []
    if grant.items_left is not None:
        parts.append(plural(grant.items_left, "{count} photo left", "{count} photos left"))
    return tr("This conversation: {what}", what=tr(", ").join(parts))
