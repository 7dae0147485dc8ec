"""What a front end asks of grants: what may be chosen, what stands, taking back; and the approvals made under them."""

from __future__ import annotations

from collections.abc import Sequence

from app.sharing.approval import Approval, Approvals
from app.sharing.errors import GateClosed
from app.sharing.gate import Gate
from app.sharing.grants import Grant, GrantOffer, Grants, GrantSpan, GrantWish, granted, offer
from app.sharing.live_desk import LiveDesk
from app.sharing.live_lines import number_of
from app.sharing.types import Proposal
from app.vault.types import LockState
from app.vault.vault import Vault


class GrantDesk:
    """The part of the sharing desk that deals in grants. Whatever it approves, the gate looks at once more."""

    _vault: Vault
    _approvals: Approvals
    _grants: Grants
    _gate: Gate
    _waiting: dict[str, Proposal]
    live: LiveDesk

    def _checked(self, proposal: Proposal, wish: GrantWish | None) -> GrantWish | None:
        """What is to be given with a yes, None where that is for this once. Raises GrantRefused, before anything is approved."""
        if wish is None or wish.span is GrantSpan.ONCE:
            return None
        granted(wish, proposal, proposal.parcel.created_at)
        return wish

    def _give(self, proposal: Proposal, wish: GrantWish) -> str:
        """Give what was wished for; returns what the receipt says of it."""
        grant = self._grants.give(proposal, wish)
        if grant.ends_at is None or grant.most_items is None:
            return f"With it, more like it was allowed under the grant {grant.id}, until taken back."
        until = grant.ends_at.isoformat(timespec="seconds")
        most = number_of(grant.most_items, "capture")
        return f"With it, more like it was allowed under the grant {grant.id}, until {until}: {most} at most."

    def grant_offer(self, proposal: Proposal) -> GrantOffer:
        """What may be chosen at the approval of `proposal` besides this once."""
        return offer(proposal.parcel.card, proposal.parcel.destination, proposal.changes)

    def grant_for(self, proposal: Proposal) -> Grant | None:
        """A grant that covers exactly what was prepared; None where the person has to be asked."""
        return self._grants.fitting(proposal) if self._waiting.get(proposal.parcel.id) is proposal else None

    async def approve_under(self, proposal: Proposal, grant_id: str) -> Approval:
        """Approve what was prepared under a grant that covers it, without asking. Raises GateClosed."""
        if self._waiting.get(proposal.parcel.id) is not proposal or self._gate.ai_off or self._vault.state is not LockState.UNLOCKED:
            raise GateClosed("Nothing was sent.", "What was prepared no longer stands.", "Ask again.")
        grant = self._grants.use(grant_id, proposal)
        del self._waiting[proposal.parcel.id]
        return self._approvals.grant(proposal, under=grant.id)

    def grants(self) -> tuple[Grant, ...]:
        """Those that stand, oldest first."""
        return self._grants.standing()

    async def revoke(self, grant_id: str) -> None:
        """Take a grant back: nothing more goes under it, and what is on its way is stopped."""
        self._grants.revoke(grant_id)
        await self._withdraw((grant_id,))

    async def void_grants(self, why: str) -> None:
        """End all grants, and the live look under way, as when the computer goes to sleep; `why` is a sentence."""
        self.live.end(why)
        await self._withdraw(self._grants.void_all(why))

    async def _withdraw(self, grant_ids: Sequence[str]) -> None:
        for grant_id in grant_ids:
            self._approvals.void_under(grant_id)
            await self._gate.cancel_under(grant_id)
