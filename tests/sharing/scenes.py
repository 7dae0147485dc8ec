"""What tests of looking are made of: findings, finders that say so, a film in the vault."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from PIL import Image

from app.media.look.boxes import Box
from app.media.look.types import Kind, Part, Region
from app.media.samples import clip
from app.vault.types import ItemId, ItemKind, NewItem, Origin

FACE = Region(Kind.FACE, Box(20, 10, 40, 34), 0.9)
LINE = Region(Kind.TEXT, Box(2, 40, 60, 46), 0.8, lines=1)


def everywhere(*regions: Region) -> Any:
    """Finders that find these on whatever they are shown, of the parts asked for."""
    parts = {Kind.FACE: Part.FACES, Kind.TEXT: Part.TEXT}
    return lambda data, wanted: tuple(region for region in regions if parts[region.kind] in wanted)


def first_only(*regions: Region) -> Any:
    """Finders that find these once, and nothing on what was made of it."""
    seen: list[bytes] = []

    def says(data: bytes, parts: frozenset[Part]) -> tuple[Region, ...]:
        seen.append(data)
        return regions if data == seen[0] else ()

    return says


def size(jpeg: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(jpeg)).size


def film(room: Any, **changes: Any) -> ItemId:
    new = NewItem(ItemKind.VIDEO, "video/mp4", room.clock.now, Origin("test"), 640, 360, duration_ms=3000)
    item: ItemId = room.vault.add(clip(), replace(new, **changes)).id
    return item
