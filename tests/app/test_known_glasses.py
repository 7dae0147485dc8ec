"""The book of enrolled glasses."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.glasses.known import KnownBook, KnownGlassesDamaged
from app.glasses.types import KnownGlasses

PAIR = KnownGlasses(
    "F0:11:22:33:44:55", "omi-glass", "OMI Glass", datetime(2026, 5, 12, 14, 3, tzinfo=UTC), simulated=True, continuous=True
)


def test_enrolled_pairs_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "glasses.json"
    book = KnownBook(path)
    other = dataclasses.replace(PAIR, address="F0:11:22:33:44:66", last_seen=datetime(2026, 5, 13, tzinfo=UTC))
    book.keep(PAIR)
    book.keep(other)
    assert KnownBook(path).all() == (PAIR, other)


def test_one_entry_an_address(tmp_path: Path) -> None:
    book = KnownBook(tmp_path / "glasses.json")
    book.keep(PAIR)
    book.keep(dataclasses.replace(PAIR, name="Mine"))
    assert [pair.name for pair in book.all()] == ["Mine"]


def test_forgetting(tmp_path: Path) -> None:
    path = tmp_path / "glasses.json"
    book = KnownBook(path)
    book.keep(PAIR)
    book.forget(PAIR.address)
    book.forget("nobody")
    assert book.get(PAIR.address) is None
    assert KnownBook(path).all() == ()


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"format": 2, "glasses": []}', '{"format": 1, "glasses": [{}]}', '{"format": 1, "glasses": [{"address": ""}]}'],
)
def test_a_damaged_book_is_reported_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "glasses.json"
    path.write_text(content)
    with pytest.raises(KnownGlassesDamaged):
        KnownBook(path)
    assert path.read_text() == content
