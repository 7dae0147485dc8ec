"""The book looked at: filters, what left of each capture and to whom, the page to print, the recipe of its document, and deletion."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from app.courier.pipe import Ending as Carried
from app.sharing import receipts as receipts_room
from app.sharing.deletion import deletion
from app.sharing.receipt_views import ReceiptFilter, by_destination, by_item, chosen
from app.sharing.receipts import BookReport, Ending, ReceiptBook, check_export, continued
from app.sharing.receipts_page import page, what
from app.sharing.types import Outcome, PolicyClass, Receipt, ReceiptKind
from app.vault.types import ItemId

DOCUMENT = Path(receipts_room.__file__).with_name("RECEIPTS.md")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EMPTY = Receipt(
    number=1,
    at=AT,
    parcel_id="p",
    outcome=Outcome.ANSWERED,
    items=(ItemId("ab" * 16),),
    item_digests=("d1",),
    destination="OpenAI API",
    company="OpenAI",
    origin="https://api.openai.com",
    model="gpt-x",
    policy_card="openai-api",
    policy_version="v" * 64,
    policy_class=PolicyClass.KEPT,
    body_sha256="5a" * 32,
    body_size=100,
    bytes_sent=100,
    http_status=200,
    detail="",
    previous="",
    signature="",
)


def line(number: int, **changes: Any) -> Receipt:
    return replace(EMPTY, **({"number": number, "at": AT + timedelta(hours=number)} | changes))


BOOK = (
    line(1, outcome=Outcome.INTENDED, bytes_sent=0),
    line(2),
    line(3, outcome=Outcome.REFUSED, bytes_sent=0, items=(ItemId("cd" * 16),)),
    line(4, kind=ReceiptKind.MODELS, items=(), bytes_sent=0, destination="Groq API", company="Groq", origin="https://api.groq.com"),
    line(
        5, items=(ItemId("ab" * 16), ItemId("cd" * 16)), destination="Groq API", company="Groq", origin="https://api.groq.com", grant="99aa"
    ),
    line(6, origin="http://127.0.0.1:1", policy_card="mirror", policy_class=PolicyClass.MIRROR, destination="Mirror", company="Mirror"),
    line(7, origin="http://127.0.0.1:2", policy_card="mirror", policy_class=PolicyClass.MIRROR, destination="Mirror", company="Mirror"),
    line(8, kind=ReceiptKind.LIVE, frames=3, outcome=Outcome.CANCELLED, bytes_sent=50),
)


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (ReceiptFilter(), [1, 2, 3, 4, 5, 6, 7, 8]),
        (ReceiptFilter(destination="OPENAI"), [1, 2, 3, 8]),
        (ReceiptFilter(destination="groq.com"), [4, 5]),
        (ReceiptFilter(destination="gpt-x"), [1, 2, 3, 4, 5, 6, 7, 8]),
        (ReceiptFilter(destination="nobody"), []),
        (ReceiptFilter(item="CDC"), [3, 5]),
        (ReceiptFilter(outcomes=frozenset({Outcome.REFUSED, Outcome.INTENDED})), [1, 3]),
        (ReceiptFilter(kinds=frozenset({ReceiptKind.LIVE})), [8]),
        (ReceiptFilter(since=AT + timedelta(hours=7)), [7, 8]),
        (ReceiptFilter(since=AT + timedelta(hours=2), until=AT + timedelta(hours=4)), [2, 3]),
        (ReceiptFilter(grant="99"), [5]),
        (ReceiptFilter(destination="openai", item="cd"), [3]),
    ],
)
def test_filters(where: ReceiptFilter, numbers: list[int]) -> None:
    assert [each.number for each in chosen(BOOK, where)] == numbers


def test_what_left_of_each_capture() -> None:
    found = [(each.item[:2], [line.number for line in each.receipts]) for each in by_item(BOOK)]
    assert found == [("ab", [2, 5, 6, 7, 8]), ("cd", [5])]


def test_what_each_place_got() -> None:
    found = {each.destination: each for each in by_destination(BOOK)}
    assert list(found) == ["OpenAI API", "Mirror", "Groq API"], "the last one first"
    openai, mirror = found["OpenAI API"], found["Mirror"]
    assert (openai.bytes_sent, openai.first, openai.last, len(openai.items)) == (150, BOOK[1].at, BOOK[7].at, 1)
    assert [each.number for each in mirror.receipts] == [6, 7], "one mirror, wherever it listens"


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (BOOK[1], "1 picture"),
        (replace(BOOK[1], item_digests=("a", "b")), "2 pictures"),
        (replace(BOOK[1], item_digests=()), "words alone"),
        (BOOK[3], "a question without pictures (models, key)"),
        (BOOK[7], "a live look, 3 frames"),
        (replace(BOOK[7], outcome=Outcome.INTENDED), "a live look, at most 3 frames"),
    ],
)
def test_what_a_line_is_about(receipt: Receipt, words: str) -> None:
    assert what(receipt) == words


# -- the page


class Strict(HTMLParser):
    """Notes every tag, every address, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.said += data


def test_the_page_needs_nothing_and_lets_nothing_in() -> None:
    evil = '"><script>alert(1)</script><img src=https://tracker.example/x onerror=alert(1)>&amp;'
    lines = tuple(replace(each, company=evil, destination=evil, model=evil, detail=evil, request_id=evil, grant=evil) for each in BOOK)
    found = Strict()
    found.feed(page(lines, BookReport(8, (evil,)), evil, AT).decode())
    assert set(found.tags) <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "p",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
    }
    assert found.attributes <= {"lang", "charset", "http-equiv", "content", "scope"}
    assert found.said.count(evil) == 2 + 6 * len(lines) - 0
    assert "default-src 'none'" in page(lines, BookReport(8, ()), "", AT).decode()


def test_the_page_says_whether_the_book_is_whole() -> None:
    assert "every line is signed" in page(BOOK, BookReport(8, ()), "", AT).decode()
    damaged = page(BOOK, BookReport(8, ("Receipt 3: gone.",), ("A note.",)), "", AT).decode()
    assert ("Fault: Receipt 3: gone." in damaged, "A note." in damaged, "every line is signed" in damaged) == (True, True, False)


async def test_the_page_of_a_real_book(room: Any) -> None:
    await send(room)
    await room.desk.refuse(await room.proposal())
    text = (await room.desk.receipts_page(ReceiptFilter(outcomes=frozenset({Outcome.ANSWERED})))).decode()
    assert "1 of 3 lines are shown" in text
    assert (await room.desk.receipts())[1].body_sha256 in text
    assert json.loads(await room.desk.export_receipts())["public_key"] in text


async def test_views_of_a_real_book(room: Any) -> None:
    receipt = await send(room)
    (item,) = await room.desk.shared_by_item()
    (place,) = await room.desk.shared_by_destination()
    assert (item.item, item.receipts) == (room.item, (receipt,))
    assert (place.destination, place.receipts, place.items) == ("Mirror", (receipt,), (room.item,))


async def send(room: Any, destination: str = "mirror") -> Receipt:
    proposal = await room.proposal(destination)
    async for _ in room.desk.send(proposal, await room.desk.approve(proposal)):
        pass
    receipt: Receipt = (await room.desk.receipts())[-1]
    return receipt


# -- the recipe


def recipe() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return str(found)


async def checked(room: Any, folder: Path, spoil: Any = lambda book: None) -> subprocess.CompletedProcess[str]:
    """Run the recipe of the document, word for word, over an export."""
    book = json.loads(await room.desk.export_receipts())
    spoil(book)
    (folder / "book.json").write_text(json.dumps(book))
    (folder / "check.py").write_text(recipe())
    return subprocess.run([sys.executable, "-I", "check.py", "book.json"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_recipe_has_ten_lines() -> None:
    assert len([line for line in recipe().splitlines() if line]) == 10


async def test_the_recipe_of_the_document(room: Any, tmp_path: Path) -> None:
    room.courier.ending = Carried.BROKEN
    await send(room)
    await room.desk.refuse(await room.proposal(question="Ein Gruß, 世界?"))
    done = await checked(room, tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "3 receipts, signed and in their places"), done.stderr


def turned(book: Any) -> None:
    book["records"][2] = book["records"][2].replace('"bytes_sent":', '"bytes_sent":1', 1)


SPOILED = {
    "a changed line": turned,
    "a missing line": lambda book: book["records"].pop(2),
    "a swapped line": lambda book: book["records"].insert(1, book["records"].pop(2)),
    "another key": lambda book: book.update(public_key="11" * 32),
}


@pytest.mark.parametrize("how", SPOILED)
async def test_the_recipe_finds_what_is_wrong(room: Any, tmp_path: Path, how: str) -> None:
    await send(room)
    await room.desk.refuse(await room.proposal())
    assert (await checked(room, tmp_path, SPOILED[how])).returncode != 0


# -- cut off


async def test_a_book_cut_off_at_the_end_is_noticed(room: Any) -> None:
    """The capture names its receipt; an earlier export also knows of the refusal."""
    await send(room)
    await room.desk.refuse(await room.proposal())
    earlier = await room.desk.export_receipts()
    await room.desk.refuse(await room.proposal())
    assert await room.desk.continues(earlier) == ()
    book = json.loads(await room.desk.export_receipts())
    cut = json.dumps(book | {"records": book["records"][:3]}).encode()
    assert check_export(cut).sound, "a chain alone does not know where it ends"
    assert continued(earlier, cut) == ("Receipt 3 of the earlier export is not in the book any more, or is another one.",)
    with pytest.raises(ValueError, match="not an export"):
        await room.desk.continues(b"[]")


async def test_what_the_captures_know_of_the_end(room: Any) -> None:
    await send(room)
    records = [*room.vault.records("receipts")]

    class Cut:
        def __getattr__(self, name: str) -> Any:
            return getattr(room.vault, name)

        def records(self, folder: str) -> Any:
            return iter(records[:-1])

    assert not ReceiptBook(Cut()).verify(named=2).sound


# -- new fields


def test_new_fields_are_written_where_they_say_something(room: Any) -> None:
    plain = receipts_room.to_data(EMPTY)
    assert not {"kind", "grant", "request_id", "frames"} & plain.keys()
    full = receipts_room.to_data(replace(EMPTY, kind=ReceiptKind.LIVE, grant="g", request_id="r", frames=2))
    assert (full["kind"], full["grant"], full["request_id"], full["frames"]) == ("live", "g", "r", 2)
    for data in (plain, full):
        assert receipts_room.to_data(receipts_room.from_data(json.dumps(data).encode())) == data


async def test_the_servers_own_name_is_kept(room: Any) -> None:
    book = room.desk._receipts
    proposal = await room.proposal()
    receipt = await room.lanes.vault(book.add, proposal, Ending(Outcome.ANSWERED, "", 5, 200, "req_1"), "g1")
    assert (receipt.request_id, receipt.grant) == ("req_1", "g1")
    assert (await room.desk.receipts())[-1] == receipt


# -- deletion


async def test_asking_for_deletion(room: Any) -> None:
    room.book.set_model("openai", "gpt-x")
    room.book.keys.set("openai", "sk-1")
    receipt = await send(room, "openai")
    text = room.desk.deletion(replace(receipt, request_id="req_9"))
    card = room.desk.card("openai")
    for part in ("To OpenAI", "req_9", receipt.body_sha256, receipt.origin, card.deletion.source, card.deletion.text, "it recalls nothing"):
        assert part in text
    assert "sk-1" not in text


def test_deletion_of_what_did_not_leave(room: Any) -> None:
    card = room.desk.card("openai")
    assert "nothing to delete" in deletion(BOOK[0], card)
    assert "nothing to delete" in deletion(BOOK[5], card)
    assert "deleted in it" in deletion(replace(BOOK[1], policy_class=PolicyClass.LOCAL), card)
    assert "3 requests of one picture each" in deletion(BOOK[7], card)
