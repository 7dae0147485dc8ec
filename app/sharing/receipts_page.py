"""The book of receipts as a page to print: one HTML file that needs and asks for nothing else, and holds no picture and no question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from types import MappingProxyType

from app.sharing.compare import CLASS_WORDS
from app.sharing.receipts import BookReport
from app.sharing.types import Outcome, Receipt, ReceiptKind

_STYLE = """
body { font: 10pt/1.4 sans-serif; color: #000; background: #fff; margin: 2em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #888; padding: .3em .5em; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
code { font-size: 8pt; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
@page { size: A4 landscape; margin: 12mm; }
"""

OUTCOME_WORDS: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.REFUSED: "Kept private",
        Outcome.INTENDED: "About to be sent",
        Outcome.ANSWERED: "Sent, answered",
        Outcome.CANCELLED: "Stopped",
        Outcome.FAILED: "Sent, failed",
        Outcome.NOT_SENT: "Not sent",
    }
)
_HEADS = ("No.", "When (UTC)", "What", "How it ended", "To whom", "Terms", "Bytes that left", "Digests and names")


def page(receipts: Sequence[Receipt], report: BookReport, public_key: str, at: datetime) -> bytes:
    """The page of these lines. `report` is of the whole book, also of lines that are not shown."""
    rows = "\n".join(_row(receipt) for receipt in receipts)
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in _HEADS)
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Eyelid: receipts</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Receipts of what was sent to AI assistants, or kept private</h1>
<p>Written on {_time(at)}. {len(receipts)} of {report.count} lines are shown.</p>
{_checked(report)}
<p>The book's public key (Ed25519): <code>{escape(public_key)}</code></p>
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>Each sending has two lines: one from before the first byte, one of its end. A page proves nothing by itself: to check the book,
export it as JSON and follow RECEIPTS.md, without Eyelid.</p>
</body>
</html>
"""
    return text.encode()


def _checked(report: BookReport) -> str:
    said = ["The whole book was checked: every line is signed, and none is missing."] if report.sound else []
    said += [f"Fault: {fault}" for fault in report.faults] + list(report.notes)
    return "\n".join(f"<p>{escape(each)}</p>" for each in said)


def _row(receipt: Receipt) -> str:
    terms = f"{CLASS_WORDS[receipt.policy_class]}; card {receipt.policy_card}, version {receipt.policy_version[:12]}"
    where = "; ".join(each for each in (receipt.company, receipt.destination, receipt.origin, receipt.model) if each)
    how = "; ".join(each for each in (OUTCOME_WORDS[receipt.outcome], receipt.detail) if each)
    size = f"{receipt.bytes_sent} of {receipt.body_size}"
    cells = (str(receipt.number), _time(receipt.at), what(receipt), how, where, terms, size)
    names = (
        ("body SHA-256", receipt.body_sha256),
        ("HTTP", "" if receipt.http_status is None else str(receipt.http_status)),
        ("server's name", receipt.request_id),
        ("grant", receipt.grant),
        ("captures", " ".join(receipt.items)),
    )
    last = "<br>".join(f"{escape(name)} <code>{escape(value)}</code>" for name, value in names if value)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + f"<td>{last}</td></tr>"


def what(receipt: Receipt) -> str:
    """What a line is about, in a few words."""
    if receipt.kind is ReceiptKind.MODELS:
        return "a question without pictures (models, key)"
    if receipt.kind is ReceiptKind.LIVE:
        most = "at most " if receipt.outcome in (Outcome.INTENDED, Outcome.REFUSED, Outcome.NOT_SENT) else ""
        return f"a live look, {most}{receipt.frames} frames"
    count = len(receipt.item_digests)
    return "words alone" if not count else f"{count} picture{'s' if count != 1 else ''}"


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
