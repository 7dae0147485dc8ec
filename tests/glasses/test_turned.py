"""Photos of glasses whose camera is mounted otherwise than they say: the wearer's word, for one pair, over links and restarts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.glasses.known import KnownBook, KnownGlassesDamaged
from app.glasses.types import KnownGlasses

PAIR = KnownGlasses("F0:00:00:00:00:01", "openglass", "Mine", datetime(2026, 1, 1, tzinfo=UTC))


async def test_the_wearer_knows_better(bench: Any) -> None:
    await bench.desk.start_simulated("openglass")
    known = await bench.desk.pair(await bench.found())
    assert known.turn is None
    seen = []
    for turn in (None, 180, 0, 90, None):  # there are as many pictures to see, and each is sealed once
        await bench.desk.set_turn(known.address, turn)
        before = len(bench.sealed)
        await bench.desk.take_photo(known.address)
        await bench.until(lambda before=before: len(bench.sealed) > before)
        seen.append(bench.sealed[-1].new.orientation)
    assert seen == [8, 3, 1, 6, 8]
    with pytest.raises(ValueError, match="quarters"):
        await bench.desk.set_turn(known.address, 45)


@pytest.mark.parametrize("turn", [None, 0, 90, 180, 270])
def test_it_is_kept(tmp_path: Path, turn: int | None) -> None:
    book = KnownBook(tmp_path / "glasses.json")
    book.keep(replace(PAIR, turn=turn))
    assert KnownBook(tmp_path / "glasses.json").get(PAIR.address) == replace(PAIR, turn=turn)


@pytest.mark.parametrize("turn", [45, "90", True, [90], 1e3])
def test_nonsense_in_the_book_is_no_turn(tmp_path: Path, turn: object) -> None:
    path = tmp_path / "glasses.json"
    KnownBook(path).keep(PAIR)
    found = json.loads(path.read_text("utf-8"))
    found["glasses"][0]["turn"] = turn
    path.write_text(json.dumps(found), "utf-8")
    with pytest.raises(KnownGlassesDamaged):
        KnownBook(path)
