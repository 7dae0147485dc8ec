"""Why something was not shared, in words for people."""

from __future__ import annotations

from app.errors import EyelidError


class SharingError(EyelidError):
    """Base of every error of this room."""


class NotReady(SharingError):
    """The draft cannot become a parcel as it is: something is missing, too large, or of a kind that is not sent."""


class TermsForbid(SharingError):
    """The destination's own terms forbid what would be sent."""


class GateClosed(SharingError):
    """The gate did not let the parcel through. Nothing was sent."""


class CourierGone(SharingError):
    """The process that carries parcels is not there."""

    def __init__(self, why: str = "The helper process that talks to the network has ended.") -> None:
        super().__init__("Nothing can be sent at the moment.", why, "Start Eyelid again.")


class DestinationError(SharingError):
    """A destination cannot be what was asked of it."""


class CardsMissing(SharingError):
    """The program's own policy cards cannot be read, so nothing can be said about any destination."""

    def __init__(self) -> None:
        super().__init__("The policy cards cannot be read.", "A file of the program is missing or damaged.", "Install Eyelid again.")


class ReceiptsDamaged(SharingError):
    """The receipt book cannot be continued, because its last page cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__("The book of receipts is damaged.", why, "Put its files back from a backup, then verify the receipts.")
