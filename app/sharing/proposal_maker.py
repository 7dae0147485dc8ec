"""From what the person put together to a proposal: the pictures made and checked, the request built, and what must be said with it.

Owns nothing of its own. Nothing leaves here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.assistants import wire
from app.lanes import Lanes
from app.sharing import compare, parcel
from app.sharing.looking import Looking
from app.sharing.receipts import ReceiptBook
from app.sharing.shaping import space_for
from app.sharing.terms import TermsBook
from app.sharing.types import Destination, Draft, Picture, PictureChoice, PolicyCard, Proposal
from app.vault.types import Exchange, ItemId, ItemMeta
from app.vault.vault import Vault

_NOT_CHECKED_AGAIN = "Whether a covered face still shows could not be checked. Check yourself."


class ProposalMaker:
    """Makes proposals. `make` is all of it; the rest is what others ask about the captures of a draft."""

    def __init__(
        self, vault: Vault, lanes: Lanes, looking: Looking, terms: TermsBook, receipts: ReceiptBook, clock: Callable[[], datetime]
    ) -> None:
        self._vault = vault
        self._lanes = lanes
        self._looking = looking
        self._terms = terms
        self._receipts = receipts
        self._clock = clock

    async def make(self, draft: Draft, destination: Destination, card: PolicyCard) -> Proposal:
        """The exact request of a draft that `parcel.check_draft` let pass, and what it shows.

        Raises NotReady, TermsForbid, CoverFailed, NothingLeft, VaultLocked and the errors of items and media.
        """
        metas = [await self._meta(item) for item in draft.items]
        for meta in metas:
            parcel.check_item(meta, destination)
        draft = replace(draft, pictures=await self._choices(draft, wire(destination.wire).limits.pictures))
        parcel.check_count(draft, destination)
        earlier = parcel.turns_of(await self._before(draft, destination), destination, draft.earlier)
        said = len(draft.question) + sum(len(turn.question) + len(turn.answer) for turn in earlier)
        space = space_for(wire(destination.wire).limits, len(draft.pictures), said)
        people = bool(card.forbids_people)
        pictures = [await self._looking.picture(choice, space, check=people) for choice in draft.pictures]
        if people:
            parcel.check_people(pictures, destination, card)
        made = await self._lanes.work(parcel.propose, draft, destination, card, pictures, self._clock(), earlier)
        return await self._annotated(made, metas)

    async def _meta(self, item: ItemId) -> ItemMeta:
        return await self._lanes.vault(self._vault.meta, item)

    async def _choices(self, draft: Draft, most: int) -> tuple[PictureChoice, ...]:
        """What goes of each item, in the order of the items; what was chosen, or else all of a photo and some of a video."""
        chosen: list[PictureChoice] = []
        for item in draft.items:
            own = [choice for choice in draft.pictures if choice.item == item]
            chosen += own or await self._looking.choices(item, most // len(draft.items))
        return tuple(chosen)

    async def _before(self, draft: Draft, destination: Destination) -> tuple[Exchange, ...]:
        about = draft.about or next(iter(draft.items), None)
        return await self.exchanges(about, destination) if draft.earlier and about else ()

    async def exchanges(self, item: ItemId, destination: Destination) -> tuple[Exchange, ...]:
        """What was asked about `item` at exactly this destination, oldest first. Raises VaultLocked, ItemMissing."""
        meta = await self._meta(item)
        return parcel.exchanges_with(meta, destination, await self._lanes.vault(self._receipts.all)) if meta.exchanges else ()

    async def again(self, items: Sequence[ItemId], destination: Destination) -> str:
        """One line that says that captures go to the same company again; empty when none does. Raises VaultLocked, ItemMissing."""
        return parcel.again_line([await self._meta(item) for item in items], destination)

    async def _annotated(self, proposal: Proposal, metas: Sequence[ItemMeta]) -> Proposal:
        """`proposal` with what has to be said besides its bytes: terms that changed, pictures that go again, covers not checked again."""
        changes = await self._lanes.vault(self._terms.changes, proposal.parcel.card)
        again = parcel.again_line(metas, proposal.parcel.destination)
        lines = [f"The terms have changed since you last sent something there. {compare.change_words(change)}" for change in changes]
        lines += [_NOT_CHECKED_AGAIN] if any(map(_unchecked, proposal.pictures)) else []
        return replace(proposal, changes=changes, again=bool(again), notes=(*([again] if again else []), *lines))


def _unchecked(picture: Picture) -> bool:
    return bool(picture.covered) and picture.faces is None
