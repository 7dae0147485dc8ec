"""`eyelid receipts`: what was sent, what was kept private, whether the book is whole, and copies of it to keep."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from app.cli.terminal import Exit, Terminal, unlocked
from app.errors import EyelidError
from app.files import replace_file
from app.paths import Profile
from app.sharing.receipt_views import ReceiptFilter
from app.sharing.receipts import BookReport, check_export
from app.sharing.receipts_page import what
from app.sharing.types import Outcome, Receipt, ReceiptKind

_MAX_EXPORT = 256 * 1024 * 1024


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("receipts", help="the book of everything that was sent, or kept private")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the receipts, oldest first")
    _add_filters(listing)
    listing.set_defaults(command=list_receipts)
    verify = actions.add_parser("verify", help="check the chain and the signatures")
    verify.add_argument("--file", type=Path, metavar="JSON", help="check an export instead of the book; needs no vault")
    verify.add_argument("--against", type=Path, metavar="JSON", help="also see that nothing of an earlier export is gone")
    verify.set_defaults(command=verify_receipts)
    export = actions.add_parser("export", help="write the book to a file: whole, to be checked by anybody; or to print")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--json", dest="form", action="store_const", const="json", help="the whole book, see RECEIPTS.md")
    form.add_argument("--html", dest="form", action="store_const", const="html", help="a page to print, of the receipts that fit")
    export.add_argument("--to", type=Path, required=True, metavar="FILE")
    _add_filters(export)
    export.set_defaults(command=export_receipts)
    route = actions.add_parser("deletion", help="how to ask for the deletion of what was sent, as a text to copy")
    route.add_argument("number", type=int, metavar="NUMBER")
    route.set_defaults(command=show_deletion)


def _add_filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--destination", default="", metavar="TEXT", help="a part of the name, company, address or model")
    command.add_argument("--item", default="", metavar="ID", help="the capture's id, or its first characters")
    command.add_argument("--outcome", action="append", default=[], choices=[each.value for each in Outcome])
    command.add_argument("--kind", action="append", default=[], choices=[each.value for each in ReceiptKind])
    command.add_argument("--since", type=_moment, metavar="DATE", help="like 2026-11-01, or 2026-11-01T08:00")
    command.add_argument("--until", type=_moment, metavar="DATE", help="the same; not included")
    command.add_argument("--grant", default="", metavar="ID", help="those that went under this grant")


def _moment(text: str) -> datetime:
    """A day, or a moment, of this computer's own time unless it says which."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError("a day like 2026-11-01, or a moment like 2026-11-01T08:00") from error


def _filter(arguments: argparse.Namespace) -> ReceiptFilter:
    return ReceiptFilter(
        destination=arguments.destination,
        item=arguments.item,
        outcomes=frozenset(map(Outcome, arguments.outcome)),
        kinds=frozenset(map(ReceiptKind, arguments.kind)),
        since=arguments.since,
        until=arguments.until,
        grant=arguments.grant,
    )


async def list_receipts(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    where = _filter(arguments)
    async with unlocked(profile, terminal) as services:
        receipts = await services.sharing.receipts(where)
    for receipt in receipts:
        terminal.say(line_of(receipt))
    if not receipts:
        terminal.say("No receipt fits." if where != ReceiptFilter() else "Nothing was ever sent, nor asked to be.")
    terminal.data([receipt_data(receipt) for receipt in receipts])
    return Exit.DONE


def line_of(receipt: Receipt) -> str:
    """One line about one receipt."""
    when = receipt.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    under = f"  under the grant {receipt.grant}" if receipt.grant else ""
    return (
        f"#{receipt.number:<4} {when}  {receipt.outcome.value:<9}  {what(receipt)} to {receipt.company} ({receipt.origin})  "
        f"{receipt.bytes_sent} of {receipt.body_size} bytes  sha256 {receipt.body_sha256[:16]}…{under}"
    )


def receipt_data(receipt: Receipt) -> dict[str, object]:
    return {
        "number": receipt.number,
        "at": receipt.at.isoformat(),
        "kind": receipt.kind.value,
        "outcome": receipt.outcome.value,
        "items": list(receipt.items),
        "destination": receipt.destination,
        "company": receipt.company,
        "origin": receipt.origin,
        "model": receipt.model,
        "policy": {"card": receipt.policy_card, "version": receipt.policy_version, "class": receipt.policy_class.value},
        "grant": receipt.grant,
        "frames": receipt.frames,
        "body_sha256": receipt.body_sha256,
        "body_size": receipt.body_size,
        "bytes_sent": receipt.bytes_sent,
        "http_status": receipt.http_status,
        "request_id": receipt.request_id,
        "detail": receipt.detail,
        "previous": receipt.previous,
        "signature": receipt.signature,
    }


async def verify_receipts(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    earlier = _read(arguments.against) if arguments.against else None
    gone: tuple[str, ...] = ()
    if arguments.file:
        report = _check(arguments.file)
    else:
        async with unlocked(profile, terminal) as services:
            report = await services.sharing.verify_receipts()
            if earlier is not None:
                try:
                    gone = await services.sharing.continues(earlier)
                except ValueError as error:
                    raise _no_export(arguments.against) from error
    faults = (*report.faults, *gone)
    for line in (*faults, *report.notes):
        terminal.say(line)
    terminal.say(f"{report.count} receipts: " + ("damage was found." if faults else "all sound, none missing."))
    terminal.data({"count": report.count, "sound": not faults, "faults": list(faults), "notes": list(report.notes)})
    return Exit.DAMAGED if faults else Exit.DONE


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_EXPORT + 1)
    if len(data) > _MAX_EXPORT:
        raise _no_export(path)
    return data


def _check(path: Path) -> BookReport:
    try:
        return check_export(_read(path))
    except ValueError as error:
        raise _no_export(path) from error


def _no_export(path: Path) -> EyelidError:
    return EyelidError(f"{path.name} cannot be checked.", "It is no export of receipts.", "Make one with “eyelid receipts export --json”.")


async def export_receipts(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    where = _filter(arguments)
    if arguments.form == "json" and where != ReceiptFilter():
        raise EyelidError("Only the whole book can be exported as JSON.", "A part of it could not be checked.", "Leave the filters away.")
    if arguments.to.exists():  # an earlier export is what a later book is checked against
        raise EyelidError(f"There is a file {arguments.to} already.", "Nothing is written over it.", "Choose another name.")
    async with unlocked(profile, terminal) as services:
        data = await (services.sharing.export_receipts() if arguments.form == "json" else services.sharing.receipts_page(where))
    replace_file(arguments.to, data)
    terminal.say(f"Written: {arguments.to}. It tells to whom you sent something and when, so keep it as you keep letters.")
    terminal.data(str(arguments.to))
    return Exit.DONE


async def show_deletion(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        found = [each for each in await services.sharing.receipts() if each.number == arguments.number]
        if not found:
            raise EyelidError("There is no such receipt.", "", "Look it up with “eyelid receipts list”.")
        texts = [services.sharing.deletion(each) for each in found]
    for text in texts:
        terminal.say(text)
    terminal.data(texts)
    return Exit.DONE
