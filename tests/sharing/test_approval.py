"""Approvals: made by a grant alone, good once, for exactly one parcel, for five minutes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.sharing.approval import LIFETIME, Approval, Approvals, NotApproved
from app.sharing.types import Proposal

Make = Callable[..., Proposal]


@pytest.fixture
def approvals(clock: Any) -> Approvals:
    return Approvals(clock)


def test_an_approval_is_good_once(approvals: Approvals, any_proposal: Make) -> None:
    proposal = any_proposal()
    approval = approvals.grant(proposal)
    approvals.spend(approval, proposal.parcel)
    with pytest.raises(NotApproved, match="used before"):
        approvals.spend(approval, proposal.parcel)


def test_it_says_all_that_it_is_bound_to(approvals: Approvals, any_proposal: Make) -> None:
    parcel = (proposal := any_proposal()).parcel
    approval = approvals.grant(proposal)
    assert (approval.parcel_id, approval.sha256, approval.size) == (parcel.id, parcel.sha256, len(parcel.body))
    assert (approval.origin, approval.method, approval.path, approval.model) == ("http://127.0.0.1:4000", "POST", "/secret", "mirror")
    assert (approval.items, approval.policy_version) == (parcel.draft.items, "v1")


def test_two_grants_are_two_approvals(approvals: Approvals, any_proposal: Make) -> None:
    proposal = any_proposal()
    assert approvals.grant(proposal).id != approvals.grant(proposal).id


def test_it_expires(approvals: Approvals, any_proposal: Make, clock: Any) -> None:
    proposal = any_proposal()
    late, in_time = approvals.grant(proposal), approvals.grant(proposal)
    clock.now += LIFETIME
    clock.pass_(microseconds=-1)
    assert not approvals.expired(in_time)
    approvals.spend(in_time, proposal.parcel)
    clock.pass_(microseconds=1)
    assert approvals.expired(late)
    with pytest.raises(NotApproved, match="expired"):
        approvals.spend(late, proposal.parcel)


def test_it_can_be_withdrawn(approvals: Approvals, any_proposal: Make) -> None:
    proposal = any_proposal()
    approval = approvals.grant(proposal)
    approvals.void_all()
    with pytest.raises(NotApproved):
        approvals.spend(approval, proposal.parcel)


def test_it_cannot_be_made_by_others(approvals: Approvals, any_proposal: Make) -> None:
    proposal = any_proposal()
    approval = approvals.grant(proposal)
    values = {name: getattr(approval, name) for name in Approval.__match_args__ if name != "seal"}
    with pytest.raises(TypeError):
        Approval(object(), **values)
    with pytest.raises((TypeError, ValueError)):
        replace(approval, sha256="0" * 64)
    for forged in (copy.copy(approval), copy.deepcopy(approval), pickle.loads(pickle.dumps(approval))):
        with pytest.raises(NotApproved):
            approvals.spend(forged, proposal.parcel)
    with pytest.raises(NotApproved):
        approvals.spend(approval, proposal.parcel)  # a forged one uses the true one up


def test_approvals_of_another_house_are_worth_nothing(approvals: Approvals, any_proposal: Make, clock: Any) -> None:
    proposal = any_proposal()
    with pytest.raises(NotApproved):
        Approvals(clock).spend(approvals.grant(proposal), proposal.parcel)


CHANGES: list[Callable[[Proposal], Any]] = [
    lambda proposal: replace(proposal.parcel, body=proposal.parcel.body + b" "),
    lambda proposal: replace(proposal.parcel, sha256="0" * 64),
    lambda proposal: replace(proposal.parcel, id="other"),
    lambda proposal: replace(proposal.parcel, destination=replace(proposal.parcel.destination, origin="http://127.0.0.1:4001")),
    lambda proposal: replace(proposal.parcel, destination=replace(proposal.parcel.destination, path="/other")),
    lambda proposal: replace(proposal.parcel, destination=replace(proposal.parcel.destination, model="other")),
    lambda proposal: replace(proposal.parcel, draft=replace(proposal.parcel.draft, items=())),
    lambda proposal: replace(proposal.parcel, card=replace(proposal.parcel.card, version="v2")),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_it_fits_nothing_else(approvals: Approvals, any_proposal: Make, change: Callable[[Proposal], Any]) -> None:
    proposal = any_proposal()
    approval = approvals.grant(proposal)
    with pytest.raises(NotApproved, match="something else"):
        approvals.spend(approval, change(proposal))
    with pytest.raises(NotApproved):
        approvals.spend(approval, proposal.parcel)


def test_a_digest_that_lies_is_not_granted_for(approvals: Approvals, any_proposal: Make) -> None:
    proposal = any_proposal()
    lying = replace(proposal, parcel=replace(proposal.parcel, body=b"other"))
    approval = approvals.grant(lying)
    assert approval.sha256 != lying.parcel.sha256
    with pytest.raises(NotApproved):
        approvals.spend(approval, lying.parcel)
