"""Approvals: a person's yes to exactly these bytes for exactly this place, once, for a short while.

Owns every approval that stands. An approval that `Approvals.grant` did not make, or that was spent, voided or left to expire, is worth
nothing. `grant` is called by the desk, and only from the person's own act, or under what that act allowed (`app.sharing.grants`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta

from app.sharing.errors import GateClosed
from app.sharing.types import Parcel, Proposal
from app.vault.types import ItemId

LIFETIME = timedelta(minutes=5)
METHOD = "POST"
_SEAL = object()


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Approval:
    """What was said yes to. Cannot be made outside this module."""

    seal: InitVar[object]
    id: str
    parcel_id: str
    sha256: str
    size: int
    origin: str
    method: str
    path: str
    model: str
    items: tuple[ItemId, ...]
    policy_version: str
    expires_at: datetime
    grant: str = ""
    """What the person had allowed before and this was made under; empty for a yes to this very parcel."""
    note: str = ""
    """What the line of intent is to say besides."""

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an approval is granted, not made")


class NotApproved(GateClosed):
    """There is no standing approval for this parcel."""

    def __init__(self, why: str) -> None:
        super().__init__("Nothing was sent.", why, "Look at it again and decide anew.")


class Approvals:
    """The approvals that stand: granted, not spent, not voided. In memory only, so that a restart means no."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._standing: dict[str, Approval] = {}

    def grant(self, proposal: Proposal, under: str = "", note: str = "") -> Approval:
        """Make the approval for `proposal`. The digest is taken from the bytes themselves, not from what is said of them.

        `under` names the grant that stands for the person's yes, where it is not a yes to this very parcel.
        """
        parcel = proposal.parcel
        approval = Approval(
            _SEAL,
            id=secrets.token_hex(16),
            parcel_id=parcel.id,
            sha256=hashlib.sha256(parcel.body).hexdigest(),
            size=len(parcel.body),
            origin=parcel.destination.origin,
            method=METHOD,
            path=parcel.destination.path,
            model=parcel.destination.model,
            items=parcel.draft.items,
            policy_version=parcel.card.version,
            expires_at=self._clock() + LIFETIME,
            grant=under,
            note=note,
        )
        self._standing[approval.id] = approval
        return approval

    def spend(self, approval: Approval, parcel: Parcel) -> None:
        """Use the approval up, whether it fits or not; raises NotApproved unless it stands and is for exactly this parcel."""
        standing = self._standing.pop(approval.id, None)
        if standing is None or standing is not approval:
            raise NotApproved("The approval was used before, or withdrawn.")
        if self._clock() >= approval.expires_at:
            raise NotApproved("The approval has expired.")
        if not _fits(approval, parcel):
            raise NotApproved("The approval was for something else.")

    def expired(self, approval: Approval) -> bool:
        return self._clock() >= approval.expires_at

    def void_under(self, grant: str) -> None:
        """Withdraw what was approved under this grant and is not spent."""
        for approval in tuple(self._standing.values()):
            if approval.grant == grant:
                self._standing.pop(approval.id, None)

    def void_all(self) -> None:
        """Withdraw every approval not yet spent: on lock, and when AI is switched off."""
        self._standing.clear()


def _fits(approval: Approval, parcel: Parcel) -> bool:
    digest = hashlib.sha256(parcel.body).hexdigest()
    place = parcel.destination
    return (
        hmac.compare_digest(approval.sha256, digest)
        and approval.sha256 == parcel.sha256
        and approval.parcel_id == parcel.id
        and (approval.origin, approval.method, approval.path) == (place.origin, METHOD, place.path)
        and approval.model == place.model
        and approval.items == parcel.draft.items
        and approval.policy_version == parcel.card.version
    )
