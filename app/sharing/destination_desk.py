"""What a front end asks of the places a parcel can go to: which there are, on what terms, and what their servers say of themselves."""

from __future__ import annotations

from collections.abc import Sequence

from app.lanes import Lanes
from app.sharing import compare, servers
from app.sharing.cards import CardBook
from app.sharing.courier_link import CourierLink
from app.sharing.destinations import MIRROR, DestinationBook, mirror_destination
from app.sharing.errands import Errands
from app.sharing.errors import DestinationError, NotReady
from app.sharing.servers import Locality
from app.sharing.terms import TermsBook
from app.sharing.types import Destination, KeyReport, ModelList, PolicyCard


class DestinationDesk:
    """The part of the sharing desk that knows where things could go. Nothing of the person's leaves through it."""

    book: DestinationBook
    _cards: CardBook
    _courier: CourierLink
    _errands: Errands
    _lanes: Lanes
    _region: str
    _terms: TermsBook

    def destinations(self) -> tuple[Destination, ...]:
        """Where a parcel can go; the mirror first, while the courier runs."""
        mirror = self._courier.mirror
        first = (mirror_destination(mirror.mirror_origin, mirror.mirror_path),) if mirror else ()
        return (*first, *self.book.all())

    def _destination(self, destination_id: str) -> Destination | None:
        return next((each for each in self.destinations() if each.id == destination_id), None)

    def _now(self, destination_id: str) -> tuple[Destination | None, PolicyCard]:
        return self._destination(destination_id), self.card(destination_id)

    def card(self, destination_id: str) -> PolicyCard:
        """The policy card that counts now for a destination, here; for an unknown one the card of the unknown."""
        found = self._destination(destination_id)
        return self._card(found.card_id, found.model) if found else self._cards.card("unknown")

    def _card(self, card_id: str, model: str) -> PolicyCard:
        return self._cards.card(card_id, model, self._region)

    def cards(self) -> tuple[PolicyCard, ...]:
        """Every card there is, also those for reading only, as they count here: what stays on this computer first."""
        return compare.all_cards(self._cards, self._region)

    def compare(self, card_ids: Sequence[str] = ()) -> compare.Comparison:
        """What happens to what one sends, side by side; all cards unless some are named."""
        cards = tuple(self._card(card_id, "") for card_id in card_ids)
        return compare.compare(cards or self.cards())

    # -- questions that carry nothing of the person's

    async def models(self, destination_id: str) -> ModelList:
        """Ask a server which models it has; a receipt of its own kind says so. `servers.choices` picks those worth showing.

        Raises DestinationError with the reason, GateClosed, CourierGone, VaultLocked.
        """
        return await servers.models(self._errands, self._known(destination_id))

    async def check_key(self, destination_id: str) -> KeyReport:
        """Ask a server whether it takes the key that is kept for it. Raises what `models` raises."""
        destination = self._known(destination_id)
        if destination.needs_key and not await self._lanes.work(self.book.keys.get, destination.id):
            raise NotReady("There is no key to check.", f"None is kept for {destination.label}.", "Enter one first.")
        return await servers.check_key(self._errands, destination)

    async def locality(self, destination_id: str) -> Locality:
        """Whether what is sent there stays on this computer, as far as it can be found out. Raises what `models` raises."""
        return await servers.locality(self._errands, self._known(destination_id))

    def _known_or_mirror(self, destination_id: str) -> Destination:
        found = self._destination(destination_id)
        if found is None:
            raise DestinationError("There is no such destination.", "It was removed, or never added.", "Choose one from the list.")
        return found

    def _known(self, destination_id: str) -> Destination:
        found = self._known_or_mirror(destination_id)
        if found.id == MIRROR:
            raise DestinationError("The mirror has no models and no key.", "It is no AI.", "Choose another destination.")
        return found
