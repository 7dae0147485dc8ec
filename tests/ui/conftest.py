"""A window without a screen, on a qasync loop, over services that are made of plain data."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
import qasync
from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter
from PySide6.QtWidgets import QApplication

from app.assistants.listing import Model
from app.events import (
    EventHub,
    GlassesChanged,
    GlassesForgotten,
    GrantsChanged,
    ItemsAdded,
    ItemsChanged,
    ItemsRemoved,
    ReceiptAdded,
    VaultChanged,
)
from app.glasses.over_wifi import WifiStep
from app.glasses.pairing_flow import PairingFlow
from app.glasses.types import FoundGlasses, GlassesView, KnownGlasses
from app.glasses.unseen import Census
from app.library.types import Query, Sharing, ThumbSize, Tile
from app.media.frames import Frame
from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.media.preview import preview
from app.paths import Profile
from app.settings import AI_OFF, THEME, Settings
from app.sharing.errors import DestinationError, TermsForbid
from app.sharing.grants import Grant, GrantOffer, GrantWish, offer
from app.sharing.looking import Advice, advise
from app.sharing.receipt_views import SharedItem, SharedPlace, by_destination, by_item
from app.sharing.servers import Locality
from app.sharing.types import (
    AnswerText,
    Destination,
    Draft,
    Ended,
    KeyReport,
    ModelList,
    Outcome,
    Parcel,
    Picture,
    PictureChoice,
    PolicyCard,
    PolicyClass,
    Proposal,
    Receipt,
    Sending,
    Statement,
)
from app.vault.types import (
    Exchange,
    ItemId,
    ItemKind,
    ItemMeta,
    KeyringReport,
    LockState,
    NewItem,
    Notice,
    Origin,
    SlotInfo,
    SlotKind,
    VerifyReport,
)
from ble.errors import PairingNeeded
from ble.types import Capabilities, Capability, DeviceInfo, GlassesStatus, LinkState

NOW = datetime(2026, 5, 12, 14, 3, tzinfo=UTC)
PASSPHRASE = "plain words for tests"
CODE = "-".join(f"{number:04}X" for number in range(1, 14))


def jpeg(colour: str = "#336699", width: int = 320, height: int = 240) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    fade = QLinearGradient(0, 0, width, height)
    fade.setColorAt(0, QColor(colour))
    fade.setColorAt(1, QColor(colour).darker(300))
    painter.fillRect(image.rect(), fade)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG", 90)
    return bytes(data.data())


def item_id(number: int) -> ItemId:
    return ItemId(f"{number:032x}")


def tile(number: int, **changes: Any) -> Tile:
    """The tile `number`, one minute older for each."""
    made = Tile(
        id=item_id(number),
        kind=ItemKind.PHOTO,
        taken_at=NOW - timedelta(minutes=number),
        width=320,
        height=240,
        duration_ms=None,
        favourite=False,
        shared_with=(),
        from_name="Omi Glass",
        colour=0x336699,
    )
    return replace(made, **changes)


def meta_of(one: Tile, **changes: Any) -> ItemMeta:
    origin = Origin("omi-glass", "AA:BB:CC:DD:EE:01", one.from_name, simulated=True)
    new = NewItem(one.kind, "image/jpeg", one.taken_at, origin, one.width, one.height)
    return replace(ItemMeta(one.id, 1, new, 81234, "ab" * 32, one.taken_at, favourite=one.favourite), **changes)


def card(of: PolicyClass, **changes: Any) -> PolicyCard:
    def said(text: str) -> Statement:
        return Statement(text, "a quotation", "https://example.test/terms", date(2026, 5, 1))

    trains = {
        PolicyClass.TRAINS: "What you send may be used to train the company's AI.",
        PolicyClass.KEPT: "Not used for training by default.",
        PolicyClass.LOCAL: "Not used for training: it does not leave this computer.",
        PolicyClass.MIRROR: "Not used for training: no AI sees it.",
    }[of]
    made = PolicyCard(
        id=of.value,
        title=f"Terms of {of.value}",
        company="Example",
        policy_class=of,
        trains=said(trains),
        retention=said("Kept for up to 30 days."),
        people=said("Staff may look to find abuse."),
        opt_out=said("There is no opt-out."),
        faces=said("Says nothing of faces."),
        read_on=date(2026, 5, 1),
        version="v1",
        expired=False,
    )
    return replace(made, **changes)


def destination(of: PolicyClass) -> Destination:
    local = of in (PolicyClass.LOCAL, PolicyClass.MIRROR)
    label, company, origin, model = {
        PolicyClass.MIRROR: ("Mirror", "Mirror (this computer, no AI)", "http://127.0.0.1:40001", "mirror"),
        PolicyClass.LOCAL: ("LM Studio", "Local server (this computer)", "http://127.0.0.1:1234", "qwen-vl"),
        PolicyClass.KEPT: ("OpenAI API", "OpenAI", "https://api.openai.com", "gpt-5-mini"),
        PolicyClass.TRAINS: ("Meta Model API, unpaid", "Meta", "https://api.meta.ai", "muse-spark-1.3"),
    }[of]
    return Destination(of.value, label, company, origin, "/v1/chat/completions", model, "openai", of.value, not local, local)


def proposal(of: PolicyClass = PolicyClass.TRAINS, count: int = 1, **card_changes: Any) -> Proposal:
    items = tuple(item_id(number) for number in range(count))
    draft = Draft(items, "What plant is this?", of.value)
    pictures = tuple(Picture(item, jpeg("#2f7d4f", 640, 480), 640, 480, ("location", "camera serial number")) for item in items)
    draft = replace(draft, pictures=tuple(PictureChoice(item) for item in items))
    parcel = Parcel("p1", draft, destination(of), card(of, **card_changes), b"{}", "cd" * 32, "application/json", NOW)
    return Proposal(parcel, pictures, draft.question, 310_000)


def proposed(draft: Draft, known: PolicyCard, number: int) -> Proposal:
    """What a draft comes to: one picture a choice, its colour and digest going with what is covered, cropped and asked."""
    choices = tuple(
        choice for item in draft.items for choice in ([each for each in draft.pictures if each.item == item] or [PictureChoice(item)])
    )
    draft = replace(draft, pictures=choices)
    made = []
    for choice in choices:
        covered = tuple(Box(box.left // 2, box.top // 2, box.right // 2, box.bottom // 2) for box in choice.edit.covers)
        picture = jpeg("#202020" if choice.edit else "#2f7d4f", 640, 480)
        made.append(Picture(choice.item, picture, 640, 480, ("location", "camera serial number"), choice.at_ms, covered))
    digest = hashlib.sha256(repr((draft.question, choices, draft.earlier)).encode()).hexdigest()
    to = destination(PolicyClass(draft.destination_id))
    parcel = Parcel(f"p{number}", draft, to, known, b"{}", digest, "application/json", NOW)
    return Proposal(parcel, tuple(made), draft.question, 310_000 + len(draft.question))


def findings(faces: int = 0, **changes: Any) -> Findings:
    """All parts looked at, with so many faces in a row."""
    regions = tuple(Region(Kind.FACE, Box(100 + 200 * n, 100, 200 + 200 * n, 220), 0.9) for n in range(faces))
    return replace(Findings(1280, 960, regions, tuple(Check(part, True) for part in Part)), **changes)


def receipt(number: int, outcome: Outcome, of: PolicyClass, sent: int = 0, parcel: str = "") -> Receipt:
    to = destination(of)
    return Receipt(
        number, NOW, parcel or f"p{number}", outcome, (item_id(0),), ("ab" * 32,),
        to.id, to.company, to.origin, to.model, of.value, "v1", of, "cd" * 32,
        310_000, sent, 200 if sent else None, "", "00" * 32, "ff" * 64,
    )  # fmt: skip


def view(state: LinkState = LinkState.READY, **changes: Any) -> GlassesView:
    known = KnownGlasses("AA:BB:CC:DD:EE:01", "omi-glass", "Omi Glass", NOW, simulated=True)
    can = Capabilities(
        "omi-glass",
        frozenset({Capability.TAKE_PHOTO, Capability.CONTINUOUS_CAPTURE, Capability.BATTERY}),
        encrypted_link=False,
        cautions=("The radio link of these glasses is not encrypted: somebody near could receive your photos.",),
        interval_seconds=30,
    )
    status = GlassesStatus(battery=62, battery_at=datetime.now(UTC) - timedelta(minutes=4), continuous=False, received=3)
    made = GlassesView(known, state, status, DeviceInfo("Based Hardware", "Omi Glass", "2.1.1", "ESP32-S3", ""), can)
    return replace(made, **changes)


FOUND = FoundGlasses("AA:BB:CC:DD:EE:01", "omi-glass", "Omi Glass", -54, known=False, simulated=True)


class FakeVault:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.state = LockState.UNLOCKED
        self.error: Exception | None = None
        self.ways = [SlotInfo("1", SlotKind.PASSPHRASE, NOW)]
        self.told: tuple[Notice, ...] = ()
        self.trusted = False
        self.calls: list[tuple[str, ...]] = []

    def become(self, state: LockState) -> None:
        self.state = state
        self._events.publish(VaultChanged(state))

    async def create(self, passphrase: str | None, keyring: bool, *, recovery: bool = False) -> str | None:
        self._raise()
        self.become(LockState.UNLOCKED)
        await asyncio.sleep(0)
        return (await self.add_recovery())[1] if recovery else None

    async def unlock_with_recovery(self, code: str) -> None:
        self.calls.append(("recovery", code))
        self._raise()
        self.become(LockState.UNLOCKED)

    async def add_passphrase(self, passphrase: str) -> SlotInfo:
        self.calls.append(("add passphrase", passphrase))
        return self._add(SlotKind.PASSPHRASE)

    async def add_keyring(self) -> SlotInfo:
        return self._add(SlotKind.KEYRING)

    async def add_recovery(self) -> tuple[SlotInfo, str]:
        return self._add(SlotKind.RECOVERY), CODE

    def _add(self, kind: SlotKind) -> SlotInfo:
        self.ways.append(SlotInfo(str(len(self.ways) + 1), kind, NOW))
        return self.ways[-1]

    async def remove_slot(self, slot_id: str) -> None:
        self._raise()
        self.ways = [slot for slot in self.ways if slot.id != slot_id]

    async def change_passphrase(self, old: str, new: str) -> SlotInfo:
        self.calls.append(("change", old, new))
        return self.ways[0]

    def notices(self) -> tuple[Notice, ...]:
        return self.told

    async def accept_notices(self) -> None:
        self.calls.append(("accept",))

    async def unlock(self, passphrase: str | None) -> None:
        self._raise()
        self.become(LockState.UNLOCKED)

    async def lock(self) -> None:
        self.become(LockState.LOCKED)

    def slots(self) -> tuple[SlotInfo, ...]:
        return tuple(self.ways)

    async def keyring_report(self) -> KeyringReport:
        return KeyringReport(
            self.trusted, "fail", "This computer has no keyring that can be trusted with a key; the passphrase is all there is."
        )

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        if progress is not None:
            progress(1, 2)
        return VerifyReport(2, ())

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


class FakeLibrary:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.items: list[Tile] = []
        self.trashed: list[Tile] = []
        self.pictures: dict[ItemId, bytes] = {}
        self.metas: dict[ItemId, ItemMeta] = {}
        self.in_album: dict[str, set[ItemId]] = {}
        self.exported: list[tuple[ItemId, ...]] = []
        self.turned: list[tuple[ItemId, int]] = []
        self.places: dict[ItemId, tuple[float, float]] = {}
        self.media: Callable[[ItemId], Any] = lambda item: io.BytesIO(self.pictures[item])
        self.error: Exception | None = None

    def add(self, *tiles: Tile, data: bytes | None = None) -> None:
        self.items = sorted((*tiles, *self.items), key=lambda one: one.taken_at, reverse=True)
        for one in tiles:
            self.pictures[one.id] = data or jpeg(f"#{one.colour:06x}")
        self._events.publish(ItemsAdded(tuple(one.id for one in tiles)))

    async def tiles(
        self, query: Query, *, among: Sequence[ItemId] | None = None, after: ItemId | None = None, limit: int = -1
    ) -> list[Tile]:
        if self.error is not None:
            raise self.error
        found = self.trashed if query.trashed else self.items
        found = [one for one in found if not query.album or one.id in self.in_album.get(query.album, ())]
        found = [one for one in found if not query.kinds or one.kind in query.kinds]
        found = [one for one in found if not query.favourites or one.favourite]
        found = [one for one in found if query.sharing is None or (one.sharing is Sharing.SHARED) == (query.sharing is Sharing.SHARED)]
        found = [one for one in found if not query.glasses or one.from_name == query.glasses]
        found = [one for one in found if query.text in one.from_name and (among is None or one.id in among)]
        start = 1 + [one.id for one in found].index(after) if after is not None else 0
        return found[start : start + limit if limit >= 0 else None]

    async def albums(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, len(items)) for name, items in sorted(self.in_album.items()) if items)

    async def put_in_album(self, items: Sequence[ItemId], album: str) -> None:
        self.in_album.setdefault(album, set()).update(items)
        self._events.publish(ItemsChanged(tuple(items)))

    async def take_from_album(self, items: Sequence[ItemId], album: str) -> None:
        self.in_album[album] -= set(items)
        self._events.publish(ItemsChanged(tuple(items)))

    async def thumbnail(self, item: ItemId, size: ThumbSize) -> bytes | None:
        return self.pictures.get(item)

    async def details(self, item: ItemId) -> ItemMeta:
        return self.metas.get(item) or meta_of(next(one for one in self.items if one.id == item))

    async def picture(self, item: ItemId) -> bytes:
        return self.pictures[item]

    async def preview(self, item: ItemId) -> bytes:
        return preview(await self.picture(item))

    async def open_media(self, item: ItemId) -> Any:
        return self.media(item)

    async def set_favourite(self, items: Sequence[ItemId], favourite: bool) -> None:
        self.items = [replace(one, favourite=favourite) if one.id in items else one for one in self.items]
        self._events.publish(ItemsChanged(tuple(items)))

    async def rotate(self, item: ItemId, quarters: int) -> None:
        self.turned.append((item, quarters))
        self._events.publish(ItemsChanged((item,)))

    async def location(self, item: ItemId) -> tuple[float, float] | None:
        return self.places.get(item)

    async def glasses(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(Counter(one.from_name for one in self.items if one.from_name).items()))

    async def set_note(self, item: ItemId, note: str) -> None:
        self.metas[item] = replace(await self.details(item), note=note)
        self._events.publish(ItemsChanged((item,)))

    async def trash(self, items: Sequence[ItemId]) -> None:
        self.trashed += [one for one in self.items if one.id in items]
        self.items = [one for one in self.items if one.id not in items]
        self._events.publish(ItemsRemoved(tuple(items)))

    async def restore(self, items: Sequence[ItemId]) -> None:
        back = [one for one in self.trashed if one.id in items]
        self.trashed = [one for one in self.trashed if one.id not in items]
        self.items = sorted((*self.items, *back), key=lambda one: one.taken_at, reverse=True)
        self._events.publish(ItemsAdded(tuple(items)))

    async def purge(self, items: Sequence[ItemId]) -> None:
        self.trashed = [one for one in self.trashed if one.id not in items]
        self._events.publish(ItemsRemoved(tuple(items)))

    async def export(self, items: Sequence[ItemId], folder: Path) -> tuple[Path, ...]:
        self.exported.append(tuple(items))
        return tuple(folder / f"{item}.jpg" for item in items)


class FakeGlasses:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.views: dict[str, GlassesView] = {}
        self.air: list[FoundGlasses] = []
        self.calls: list[tuple[object, ...]] = []
        self.scan_error: Exception | None = None
        self.photo_error: Exception | None = None
        self.pair_error: Exception | None = None
        self.code = ""
        self.wifi_steps: list[WifiStep] = []
        self.wifi_hold = asyncio.Event()
        self.wifi_hold.set()

    def put(self, one: GlassesView) -> None:
        self.views[one.known.address] = one
        self._events.publish(GlassesChanged(one))

    def known(self) -> tuple[GlassesView, ...]:
        return tuple(self.views.values())

    def simulated_families(self) -> tuple[tuple[str, str], ...]:
        return (("omi-glass", "Omi Glass"), ("openglass", "OpenGlass"))

    def cautions(self, family: str) -> tuple[str, ...]:
        return ("The radio link of these glasses is not encrypted: somebody near could receive your photos.",)

    async def start_simulated(self, family: str) -> None:
        self.air.append(FOUND)

    async def held_here(self, address: str) -> bool:
        return False

    async def scan(self, seconds: float = 10, census: Census | None = None) -> AsyncIterator[FoundGlasses]:
        if self.scan_error is not None:
            raise self.scan_error
        for found in self.air:
            yield replace(found, known=found.address in self.views)

    def pairing(self, wanted: str | None = None, *, seconds: float = 20.0, on_change: Any = lambda _: None) -> PairingFlow:
        return PairingFlow(self, self._events, wanted=wanted, seconds=seconds, on_change=on_change)

    async def pair(
        self, found: FoundGlasses, *, continuous: bool = False, compare: Callable[[str], Awaitable[bool]] | None = None
    ) -> KnownGlasses:
        if self.pair_error is not None:
            raise self.pair_error
        if self.code and (compare is None or not await compare(self.code)):
            raise PairingNeeded("The glasses refused to pair.", "The codes differed.", "Try again.")
        self.put(view())
        return view().known

    async def rename(self, address: str, name: str) -> None:
        self.calls.append(("rename", address, name))
        one = self.views[address]
        self.put(replace(one, known=replace(one.known, name=name)))

    async def set_release(self, address: str, on: bool) -> None:
        self.calls.append(("release", address, on))

    async def set_turn(self, address: str, turn: int | None) -> None:
        self.calls.append(("turn", address, turn))

    async def record_sound(self, address: str, seconds: int) -> None:
        self.calls.append(("sound", address, seconds))
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.calls.append(("sound ended", address))

    async def check_radio(self) -> None:
        if self.scan_error is not None:
            raise self.scan_error

    async def import_over_wifi(self, address: str, *, own_network: bool = True) -> AsyncIterator[WifiStep]:
        self.calls.append(("import", address, own_network))
        for step in self.wifi_steps:
            yield step
            await self.wifi_hold.wait()

    async def forget(self, address: str) -> None:
        del self.views[address]
        self._events.publish(GlassesForgotten(address))

    async def take_photo(self, address: str) -> None:
        self.calls.append(("photo", address))
        if self.photo_error is not None:
            raise self.photo_error

    async def set_continuous(self, address: str, on: bool) -> None:
        self.calls.append(("continuous", address, on))

    async def connect(self, address: str) -> None:
        self.calls.append(("connect", address))

    async def disconnect(self, address: str) -> None:
        self.calls.append(("disconnect", address))


class FakeKeys:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {"kept": "a key", "trains": "a key"}

    def get(self, destination_id: str) -> str:
        return self.kept.get(destination_id, "")

    def set(self, destination_id: str, key: str) -> bool:
        self.kept[destination_id] = key
        return True


class FakeBook:
    def __init__(self) -> None:
        self.keys = FakeKeys()
        self.models: dict[str, str] = {}
        self.gone: list[str] = []

    def set_model(self, destination_id: str, model: str) -> Destination:
        self.models[destination_id] = model
        return replace(destination(PolicyClass(destination_id)), model=model)

    def add_local(self, label: str, base_url: str, model: str, kind: str = "local-server") -> Destination:
        if "127.0.0.1" not in base_url:
            raise DestinationError(
                "That server is not on this computer.", "Its address names another one.", "Add it as a server elsewhere."
            )
        return replace(destination(PolicyClass.LOCAL), id="local-1", label=label, origin=base_url, model=model)

    def remove(self, destination_id: str) -> None:
        self.gone.append(destination_id)


class FakeLive:
    """No live look runs."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    async def stop(self, why: str = "Stopped by you.") -> None:
        self.stopped.append(why)


@dataclass
class FakeSharing:
    events: EventHub
    answer: str = "A fern."
    hold: asyncio.Event | None = None
    calls: list[str] = field(default_factory=list)
    book_receipts: list[Receipt] = field(default_factory=list)
    classes: tuple[PolicyClass, ...] = (PolicyClass.MIRROR, PolicyClass.LOCAL, PolicyClass.KEPT, PolicyClass.TRAINS)
    ai_off: bool = False
    forbids: str = ""
    drafts: list[Draft] = field(default_factory=list)
    instead: list[Proposal | None] = field(default_factory=list)
    book: Any = field(default_factory=FakeBook)
    found: dict[ItemId, Findings] = field(default_factory=dict)
    looking: asyncio.Event | None = None
    standing: list[Grant] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    wishes: list[GrantWish | None] = field(default_factory=list)
    exchanges: dict[ItemId, tuple[Exchange, ...]] = field(default_factory=dict)
    prepare_error: Exception | None = None
    slow: asyncio.Event | None = None
    live: Any = field(default_factory=FakeLive)

    def destinations(self) -> tuple[Destination, ...]:
        return tuple(destination(of) for of in self.classes)

    def card(self, destination_id: str) -> PolicyCard:
        of = PolicyClass(destination_id.partition("-")[0])
        return card(of, forbids_people=self.forbids if of is PolicyClass.TRAINS else "")

    def cards(self) -> tuple[PolicyCard, ...]:
        return tuple(self.card(of.value) for of in reversed(PolicyClass))

    async def warm(self) -> None:
        self.calls.append("warm")

    async def look(self, item: ItemId, at_ms: int | None = None, told: Callable[[Findings], None] | None = None) -> Findings:
        found = self.found.get(item, findings())
        if self.looking is not None:
            if told is not None:
                told(Findings(checks=(Check(Part.METADATA, True),)))
            await self.looking.wait()
        if told is not None:
            told(found)
        return found

    def advice(self, destination_id: str, found: Sequence[Findings]) -> Advice:
        return advise(self.card(destination_id), found)

    async def filmstrip(self, item: ItemId, count: int = 4, long_edge: int = 320) -> tuple[Frame, ...]:
        return tuple(Frame(1000 * n + 500 * (count > 4), jpeg("#7d4a2f", 160, 90), 160, 90) for n in range(count))

    async def view(self, item: ItemId, at_ms: int | None = None, long_edge: int = 1568) -> Frame:
        return Frame(at_ms or 0, jpeg("#2f7d4f", 640, 480), 640, 480)

    async def conversation(self, item: ItemId, destination_id: str) -> tuple[Exchange, ...]:
        return self.exchanges.get(item, ())

    async def prepare(self, draft: Draft, instead_of: Proposal | None = None) -> Proposal:
        self.calls.append("prepare")
        self.drafts.append(draft)
        self.instead.append(instead_of)
        if self.slow is not None:
            await self.slow.wait()
        if self.prepare_error is not None:
            raise self.prepare_error
        known = self.card(draft.destination_id)
        if known.forbids_people and not draft.no_people:
            raise TermsForbid("Meta must not get pictures of people.", self.forbids, "Use another destination.")
        return proposed(draft, known, len(self.drafts))

    async def refuse(self, made: Proposal, reason: str = "kept private") -> Receipt:
        self.calls.append(f"refuse: {reason}")
        return receipt(1, Outcome.REFUSED, made.parcel.card.policy_class)

    def grant_offer(self, made: Proposal) -> GrantOffer:
        return offer(made.parcel.card, made.parcel.destination, made.changes)

    def grant_for(self, made: Proposal) -> Grant | None:
        return next((grant for grant in self.standing if grant.destination == made.parcel.destination), None)

    def grants(self) -> tuple[Grant, ...]:
        return tuple(self.standing)

    async def void_grants(self, why: str) -> None:
        self.standing.clear()
        self.calls.append(f"void: {why}")

    async def revoke(self, grant_id: str) -> None:
        self.revoked.append(grant_id)
        self.standing = [grant for grant in self.standing if grant.id != grant_id]
        self.events.publish(GrantsChanged(tuple(self.standing), ()))

    async def approve(self, made: Proposal, wish: GrantWish | None = None) -> object:
        self.calls.append("approve")
        self.wishes.append(wish)
        return SimpleNamespace()

    async def approve_under(self, made: Proposal, grant_id: str) -> object:
        self.calls.append(f"approve under {grant_id}")
        return SimpleNamespace()

    async def send(self, made: Proposal, approval: object) -> AsyncIterator[object]:
        self.calls.append("send")
        yield Sending(made.size, made.size)
        if self.hold is not None:
            await self.hold.wait()
        for word in self.answer.split(" "):
            yield AnswerText(word + " ")
        outcome = Outcome.CANCELLED if "cancel" in self.calls else Outcome.ANSWERED
        done = receipt(2, outcome, made.parcel.card.policy_class, made.size)
        self.book_receipts.append(done)
        self.events.publish(ReceiptAdded(done))
        yield Ended(done)

    async def cancel(self, parcel_id: str) -> None:
        self.calls.append("cancel")
        if self.hold is not None:
            self.hold.set()

    async def check_key(self, destination_id: str) -> KeyReport:
        self.calls.append(f"check {destination_id}")
        return KeyReport(True, "It accepts the key.", 7)

    async def models(self, destination_id: str) -> ModelList:
        self.calls.append(f"models {destination_id}")
        return ModelList((Model("sees-well", pictures=True), Model("words-only", pictures=False)), 8)

    async def locality(self, destination_id: str) -> Locality:
        return Locality(True, "The model lies on this computer.")

    async def receipts(self, where: Any = None) -> tuple[Receipt, ...]:
        return tuple(self.book_receipts)

    async def verify_receipts(self) -> object:
        return SimpleNamespace(sound=True, count=len(self.book_receipts), faults=(), notes=())

    async def export_receipts(self) -> bytes:
        return b"{}"

    async def receipts_page(self, where: Any = None) -> bytes:
        return b"<!doctype html>"

    async def shared_by_item(self) -> tuple[SharedItem, ...]:
        return by_item(self.book_receipts)

    async def shared_by_destination(self) -> tuple[SharedPlace, ...]:
        return by_destination(self.book_receipts)

    def deletion(self, receipt: Receipt) -> str:
        return f"Write to {receipt.company} and name {receipt.body_sha256}."


class FakeServices:
    def __init__(self, root: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.profile = Profile(root)
        self.profile.make()
        self.settings = Settings(self.profile.settings)
        self.settings.on_change(self._changed)
        self.events = EventHub(loop)
        self.vault = FakeVault(self.events)
        self.library = FakeLibrary(self.events)
        self.glasses = FakeGlasses(self.events)
        self.sharing = FakeSharing(self.events)

    def _changed(self, key: str) -> None:
        self.sharing.ai_off = self.settings.get(AI_OFF)

    async def stop(self) -> None:
        pass


USUAL = ("This plugin does not support", "systemTrayWindowChanged", "pa_context_connect", "No RHI backend", "No audio device")
"""What Qt says where there is no window manager, no sound and no graphics card, as is usual where tests run."""


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"qt": lambda: qasync.QEventLoop(QApplication.instance() or QApplication(["eyelid"]))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for one in items:
        if Path(__file__).parent in one.path.parents:
            one.add_marker(pytest.mark.qt_log_ignore(*USUAL))


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds; half a minute at most, for busy computers."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], object]], Any]:
    return until


@pytest.fixture
def fake() -> SimpleNamespace:
    """The plain data that tests are made of."""
    return SimpleNamespace(
        NOW=NOW, PASSPHRASE=PASSPHRASE, CODE=CODE, FOUND=FOUND, jpeg=jpeg, item_id=item_id, tile=tile, meta_of=meta_of, card=card,
        destination=destination, proposal=proposal, proposed=proposed, findings=findings, receipt=receipt, view=view,
    )  # fmt: skip


@pytest.fixture(scope="session")
def collector(qapp: QApplication) -> Iterator[Any]:
    from ui.collector import Collector

    made = Collector()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _garbage_stays_on_this_thread(collector: Any) -> Iterator[None]:
    """As in the program: QObjects in reference cycles, and the timers of closed loops, must not be destroyed by a worker thread."""
    gc.disable()
    yield
    collector.check()


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Any]:
    from ui.theme import Theme

    qapp.setQuitOnLastWindowClosed(False)
    made = Theme(qapp)
    made.choose("light")
    yield made
    made.scale_text(100)
    made.deleteLater()


@pytest.fixture
async def services(tmp_path: Path) -> FakeServices:
    return FakeServices(tmp_path, asyncio.get_running_loop())


@pytest.fixture
async def window(services: FakeServices, theme: Any) -> AsyncIterator[Any]:
    """The whole window, unlocked, on the screen."""
    from ui.main_window import MainWindow

    services.settings.set(THEME, "light")
    made = MainWindow(services, theme, asyncio.get_running_loop())
    made.show()
    await until(made.isActiveWindow)
    yield made
    made.close()
    await made.tasks.stop()
    made.deleteLater()
    await asyncio.sleep(0)
