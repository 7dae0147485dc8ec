"""A real vault with a photo in it, a courier that does what a test says, a clock that stands still, and a desk between them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from app.courier.pipe import Answer, End, Ending, Hello, Message, Progress, Send, Status
from app.events import EventHub, ItemsChanged, LiveChanged, ReceiptAdded, Trouble
from app.lanes import Lanes
from app.media.look.types import ALL_PARTS, Check, Findings, Part, Region
from app.sharing.cards import CardBook
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.sharing.keys import MemoryKeys
from app.sharing.looking import PART_OF
from app.sharing.types import Destination, Draft, PolicyCard, PolicyClass, Proposal, Receipt, Statement
from app.vault.files import Files
from app.vault.types import ItemId, ItemKind, NewItem, Origin
from app.vault.vault import Vault
from tests.sharing.live_stage import Pair, Stage

PASSPHRASE = "lantern over the harbour"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD_ANSWER = b'data: {"choices":[{"delta":{"content":"A fern."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class QuickFiles(Files):
    """The real disk without waiting for it; `full` makes writing records fail."""

    full = False

    def sync(self, file: FileIO) -> None:
        if self.full:
            raise OSError(28, "No space left on device")

    def sync_folder(self, path: Path) -> None:
        pass


@dataclass
class Clock:
    """`sleep` lets time pass in which the computer does not run."""

    now: datetime = START
    slept: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)

    def sleep(self, **kwargs: float) -> None:
        self.pass_(**kwargs)
        self.slept += timedelta(**kwargs)

    def elapsed(self) -> float:
        return (self.now - START - self.slept).total_seconds()

    def today(self) -> date:
        return self.now.date()


@dataclass
class FakeCourier:
    """Plays the courier. `orders` is all it was ever given; `watch` is called with each order before anything is said of it."""

    mirror: Hello | None = field(default_factory=lambda: Hello("http://127.0.0.1:4000", "/secret/v1/chat/completions"))
    status: int = 200
    answer: bytes = GOOD_ANSWER
    request_id: str = ""
    zero_retention: str = ""
    ending: Ending = Ending.DONE
    sent: int | None = None
    hold: asyncio.Event | None = None
    orders: list[Send] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    watch: Callable[[Send], None] = lambda order: None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self) -> Hello | None:
        return self.mirror

    async def send(self, order: Send) -> AsyncIterator[Message]:
        self.watch(order)
        self.orders.append(order)
        self.begun.set()
        name, total = order.parcel_id, len(order.body)
        sent = total if self.sent is None else self.sent
        if sent:
            yield Progress(name, sent)
        if self.hold is not None:
            await self.hold.wait()
            if name in self.cancelled:
                yield End(name, sent, None, Ending.CANCELLED, "Stopped on request.")
                return
        if self.ending is Ending.DONE:
            yield Status(name, self.status, self.request_id, self.zero_retention)
            yield Answer(name, self.answer)
        yield End(
            name, sent, self.status if self.ending is Ending.DONE else None, self.ending, "" if self.ending is Ending.DONE else "Why."
        )

    async def cancel(self, parcel_id: str) -> None:
        self.cancelled.append(parcel_id)
        if self.hold is not None:
            self.hold.set()


@dataclass
class FakeLooker:
    """Plays the finders: everything is checked and nothing found, unless `says` says otherwise of a picture's bytes and parts."""

    says: Callable[[bytes, frozenset[Part]], tuple[Region, ...]] = lambda data, parts: ()
    missing: frozenset[Part] = frozenset()
    looked: list[tuple[str, int, frozenset[Part]]] = field(default_factory=list)
    dropped: int = 0

    async def warm(self) -> None:
        self.looked.append(("warm", 0, frozenset()))

    async def drop(self) -> None:
        self.dropped += 1

    async def look(self, data: bytes, media_type: str, orientation: int, parts: frozenset[Part] = ALL_PARTS, told: Any = None) -> Findings:
        self.looked.append((media_type, orientation, parts))
        width, height = Image.open(io.BytesIO(data)).size
        found = self.says(data, parts)
        regions = tuple(each for each in found if PART_OF[each.kind] not in self.missing)
        wanted = [part for part in Part if part in parts]
        so_far = Findings(width, height, regions)
        for part in wanted:
            check = Check(part, part not in self.missing, "The finder is not there." if part in self.missing else "")
            so_far = replace(so_far, checks=(*so_far.checks, check))
            if told:
                told(so_far)
        return so_far


def photo(colour: int = 90, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (colour, 120, 40)).save(out, "JPEG", **options)
    return out.getvalue()


def photo_with_a_place() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    return photo(exif=exif)


def new_item(kind: ItemKind = ItemKind.PHOTO, media_type: str = "image/jpeg") -> NewItem:
    return NewItem(kind, media_type, START, Origin("test"), 64, 48)


@pytest.fixture(scope="session")
def tools() -> Any:
    """This module's own makers, for tests that build a world anew in each round."""
    return SimpleNamespace(
        PASSPHRASE=PASSPHRASE, QuickFiles=QuickFiles, Clock=Clock, FakeCourier=FakeCourier, photo=photo, new_item=new_item
    )


@pytest.fixture
def files() -> QuickFiles:
    return QuickFiles()


@pytest.fixture
def vault(tmp_path: Path, files: QuickFiles) -> Iterator[Vault]:
    made = Vault.create(tmp_path / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=2, files=files)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Room:
    """Everything a test of the desk wants at hand."""

    desk: SharingDesk
    vault: Vault
    courier: FakeCourier
    book: DestinationBook
    clock: Clock
    files: QuickFiles
    lanes: Lanes
    item: ItemId
    local: Destination
    looker: FakeLooker
    receipts: list[Receipt]
    changed: list[ItemId]
    troubles: list[str]
    cards: Path

    def draft(self, destination: str = "mirror", question: str = "What is this?", **changes: Any) -> Draft:
        return Draft(changes.pop("items", (self.item,)), question, destination, **changes)

    async def proposal(self, destination: str = "mirror", **changes: Any) -> Proposal:
        return await self.desk.prepare(self.draft(destination, **changes))

    async def unlock(self) -> None:
        await self.lanes.vault(self.vault.unlock_with_passphrase, PASSPHRASE)
        await self.settle()

    async def lock(self) -> None:
        await self.lanes.vault(self.vault.lock)
        await self.settle()

    async def settle(self) -> None:
        """Let whatever the last step set off come to its end."""
        await asyncio.sleep(0)
        while self.desk._tasks:
            await asyncio.wait(tuple(self.desk._tasks))
        await asyncio.sleep(0)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A copy of the shipped cards that a test may change."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for file in (Path(__file__).parent.parent.parent / "resources" / "policies").glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture
async def room(vault: Vault, files: QuickFiles, clock: Clock, cards: Path, tmp_path: Path) -> AsyncIterator[Room]:
    lanes = Lanes()
    events = EventHub(asyncio.get_running_loop())
    book = DestinationBook(tmp_path, MemoryKeys())
    local = book.add_local("LM Studio", "http://127.0.0.1:1234/v1", "llava")
    courier = FakeCourier()
    item = vault.add(photo_with_a_place(), new_item()).id
    looker = FakeLooker()
    desk = SharingDesk(vault, lanes, courier, events, book, CardBook(cards, clock.today), clock, looker, clock.elapsed)  # type: ignore[arg-type]
    made = Room(desk, vault, courier, book, clock, files, lanes, item, local, looker, [], [], [], cards)
    events.subscribe(ReceiptAdded, lambda event: made.receipts.append(event.receipt))
    events.subscribe(ItemsChanged, lambda event: made.changed.extend(event.ids))
    events.subscribe(Trouble, lambda event: made.troubles.append(str(event.explanation)))
    await made.settle()
    yield made
    await desk.close()
    await asyncio.sleep(0)
    lanes.close()


@pytest.fixture
def any_proposal() -> Callable[..., Proposal]:
    """Makes proposals without a vault: for approvals and receipts, which look at no picture."""
    from app.sharing import parcel
    from app.sharing.destinations import mirror_destination
    from app.sharing.types import Picture

    statement = Statement("text", "", "source", date(2026, 11, 23))
    card = PolicyCard(
        "mirror", "t", "c", PolicyClass.MIRROR, statement, statement, statement, statement, statement, statement.read_on, "v1", False
    )

    def make(question: str = "q", item: str = "a" * 32, **changes: Any) -> Proposal:
        destination = mirror_destination("http://127.0.0.1:4000", "/secret")
        pictures = [Picture(ItemId(item), photo(), 64, 48, ())]
        return parcel.propose(Draft((ItemId(item),), question, "mirror"), destination, changes.get("card", card), pictures, START)

    return make


@pytest.fixture
def stage(room: Any, tools: Any) -> Stage:
    """For live looks: the room, with a pair of glasses in it."""
    made = Stage(room, tools, Pair(), [])
    room.desk.live.source = made.pair
    room.desk._events.subscribe(LiveChanged, lambda event: made.views.append(event.view))
    return made
