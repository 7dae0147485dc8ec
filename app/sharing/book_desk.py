"""What a front end asks of the book of receipts: the lines, whether they are whole, and copies to keep."""

from __future__ import annotations

from app.lanes import Lanes
from app.sharing import marks
from app.sharing.receipts import BookReport, ReceiptBook
from app.sharing.types import Receipt
from app.vault.vault import Vault


class BookDesk:
    """The reading side of the sharing desk."""

    def __init__(self, vault: Vault, lanes: Lanes, receipts: ReceiptBook) -> None:
        self._vault = vault
        self._lanes = lanes
        self._receipts = receipts

    async def receipts(self) -> tuple[Receipt, ...]:
        """Every receipt, oldest first. Raises VaultLocked, ReceiptsDamaged."""
        return await self._lanes.vault(self._receipts.all)

    async def verify_receipts(self) -> BookReport:
        """Check the whole book, also against what the captures say of it. Raises VaultLocked."""
        named = await self._lanes.vault(marks.highest_named, self._vault)
        return await self._lanes.vault(self._receipts.verify, named)

    async def export_receipts(self) -> bytes:
        """The book as JSON that can be checked without Eyelid. Raises VaultLocked."""
        return await self._lanes.vault(self._receipts.export)
