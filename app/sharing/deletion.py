"""Asking a provider to delete what was sent: its own route as the card has it, and a letter with the receipt's data. Pure."""

from __future__ import annotations

from app.sharing.types import PolicyCard, PolicyClass, Receipt

_LIMITS = (
    "What asking cannot do: it recalls nothing. Copies in backups, what people have seen, and what a model has learnt from it may stay, "
    "and whether it was done cannot be checked from here."
)


def deletion(receipt: Receipt, card: PolicyCard) -> str:
    """The whole text, ready to copy. `card` is the destination's card as it counts today."""
    if not receipt.bytes_sent:
        return "Nothing left with this receipt, so there is nothing to delete."
    if receipt.policy_class is PolicyClass.MIRROR:
        return "This went to the mirror, on this computer. It keeps nothing, so there is nothing to delete."
    if receipt.policy_class is PolicyClass.LOCAL:
        return (
            f"This went to {receipt.company}. What that program keeps, for example a history of chats or a log, is deleted in it.\n\n"
            + _facts(receipt)
        )
    return "\n\n".join((_route(card), _letter(receipt), _LIMITS))


def _route(card: PolicyCard) -> str:
    said = card.deletion
    lines = [f"The way of {card.company}, as read on {said.read_on.isoformat()}: {said.text}"]
    if said.quote:
        lines.append(f"In its own words: “{said.quote}”")
    return "\n".join((*lines, f"Source: {said.source}"))


def _letter(receipt: Receipt) -> str:
    return (
        f"To {receipt.company}\n"
        "Subject: Request to delete data I sent through your service\n\n"
        "Please delete what I sent you with the request named below, together with your answer to it and all that you derived from them, "
        "and tell me when that is done, or why you keep any of it. I ask for it under the law on personal data that applies to me.\n\n"
        f"{_facts(receipt)}\n\n"
        "My account with you: (fill in)"
    )


def _facts(receipt: Receipt) -> str:
    count = f"{receipt.frames} requests of one picture each" if receipt.frames else "one request"
    facts = [
        ("What", f"{count}, {receipt.bytes_sent} bytes of its body had left"),
        ("When (UTC)", receipt.at.isoformat(timespec="seconds").replace("+00:00", "Z")),
        ("Address", receipt.origin),
        ("Model", receipt.model),
        ("Your name for the request", receipt.request_id),
        ("HTTP status", "" if receipt.http_status is None else str(receipt.http_status)),
        ("SHA-256 over the requests" if receipt.frames else "SHA-256 of the request's body", receipt.body_sha256),
        *(("SHA-256 of a picture in it", digest) for digest in receipt.item_digests),
        ("My receipt", str(receipt.number)),
    ]
    return "\n".join(f"{name}: {value}" for name, value in facts if value)
