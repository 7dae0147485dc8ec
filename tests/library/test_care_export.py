"""Exporting many: by date, and without location, which is never promised where it can't be kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from app.library.export import ExportAs, ExportFailed, LocationStays
from app.library.library import Library
from app.media.inspect import inspect
from app.vault.types import ItemId

Add = Callable[..., ItemId]


def test_folders_by_date(library: Library, add: Add, tmp_path: Path) -> None:
    items = [add(taken_at=datetime(2026, month, 3, 23, 59).astimezone()) for month in (5, 6)]
    paths = library.export(items, tmp_path, how=ExportAs(by_date=True))
    assert [path.parent.relative_to(tmp_path).as_posix() for path in paths] == ["2026/2026-05-03", "2026/2026-06-03"]


def test_without_location_only_picture_orientation_and_time(library: Library, add: Add, tmp_path: Path) -> None:
    taken = datetime(2026, 5, 3, 12, 0).astimezone()
    (path,) = library.export([add(taken_at=taken)], tmp_path, how=ExportAs(without_location=True))
    facts = inspect(path.read_bytes())
    assert set(facts.traces) == {"date and time"}
    assert facts.taken_at == taken


def test_what_can_not_be_promised_is_not_written(library: Library, add: Add, photo: Callable[..., bytes], tmp_path: Path) -> None:
    items = [add(), add(photo(kind="PNG"), media_type="image/png"), add()]
    with pytest.raises(ExportFailed, match="2 of 3") as caught:
        library.export(items, tmp_path, how=ExportAs(without_location=True))
    assert [(each.item, type(each.why)) for each in caught.value.left] == [(items[1], LocationStays)]
    assert len(list(tmp_path.glob("*.jpg"))) == 2
    assert list(tmp_path.glob("*.png")) == []
