"""What a front end asks of the book of receipts: lines, views, whether it is whole, copies to keep, and how to ask for deletion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.lanes import Lanes
from app.sharing import marks, receipt_views, receipts_page
from app.sharing.deletion import deletion
from app.sharing.receipt_views import ReceiptFilter, SharedItem, SharedPlace
from app.sharing.receipts import BookReport, ReceiptBook, continued
from app.sharing.types import PolicyCard, Receipt
from app.vault.vault import Vault


class ReceiptDesk:
    """The reading side of the sharing desk. Every call but `deletion` raises VaultLocked while the vault is."""

    def __init__(
        self, vault: Vault, lanes: Lanes, receipts: ReceiptBook, card: Callable[[str, str], PolicyCard], clock: Callable[[], datetime]
    ) -> None:
        """`card` gives the card that counts now, by its id and a model."""
        self._vault = vault
        self._lanes = lanes
        self._receipts = receipts
        self._card_of = card
        self._clock = clock

    async def receipts(self, where: ReceiptFilter | None = None) -> tuple[Receipt, ...]:
        """The receipts that fit, all without `where`, oldest first. Raises ReceiptsDamaged."""
        return receipt_views.chosen(await self._lanes.vault(self._receipts.all), where)

    async def shared_by_item(self) -> tuple[SharedItem, ...]:
        """Each capture of which anything ever left, the last one first. Raises ReceiptsDamaged."""
        return receipt_views.by_item(await self.receipts())

    async def shared_by_destination(self) -> tuple[SharedPlace, ...]:
        """Each place that ever got anything, the last one first. Raises ReceiptsDamaged."""
        return receipt_views.by_destination(await self.receipts())

    async def verify_receipts(self) -> BookReport:
        """Check the whole book, also against what the captures say of it."""
        named = await self._lanes.vault(marks.highest_named, self._vault)
        return await self._lanes.vault(self._receipts.verify, named)

    async def continues(self, export: bytes) -> tuple[str, ...]:
        """What an earlier export has that the book has not, or has otherwise, as sentences. Raises ValueError for what is no export."""
        return continued(export, await self.export_receipts())

    async def export_receipts(self) -> bytes:
        """The book as JSON that can be checked without Eyelid."""
        return await self._lanes.vault(self._receipts.export)

    async def receipts_page(self, where: ReceiptFilter | None = None) -> bytes:
        """The receipts that fit as an HTML page to print, with the word on the whole book. Raises ReceiptsDamaged."""
        report = await self.verify_receipts()
        lines = await self.receipts(where)
        public_key = await self._lanes.vault(self._receipts.public_key)
        return receipts_page.page(lines, report, public_key, self._clock())

    def deletion(self, receipt: Receipt) -> str:
        """How to ask for the deletion of what was sent, with the receipt's data: a text ready to copy."""
        return deletion(receipt, self._card_of(receipt.policy_card, receipt.model))
