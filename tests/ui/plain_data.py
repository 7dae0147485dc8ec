"""The plain data that tests of the window are made of: captures, terms, parcels, receipts and glasses, changed as a test wants them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter

from app.glasses.types import FoundGlasses, GlassesView, KnownGlasses
from app.library.types import Tile
from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.sharing.types import (
    Destination,
    Draft,
    Outcome,
    Parcel,
    Picture,
    PictureChoice,
    PolicyCard,
    PolicyClass,
    Proposal,
    Receipt,
    Statement,
)
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin
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
    parcel = Parcel("p1", draft, destination(of), card(of, **card_changes), b"{}", "cd" * 32, NOW)
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
    parcel = Parcel(f"p{number}", draft, to, known, b"{}", digest, NOW)
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
