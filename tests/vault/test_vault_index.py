"""The index: what it finds, and that it is only a cache: deleted, damaged, of another key or version, it comes back from the objects."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from app.vault.database import CacheTrouble, Database
from app.vault.errors import VaultLocked
from app.vault.index import Index, shared_with
from app.vault.types import Exchange, ItemId, ItemKind, ItemMeta, NewItem, Origin, Share
from app.vault.vault import Vault
from app.vault.words import date_words, match_query

WHEN = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)
Opener = Callable[[Path], Vault]


def meta(number: int, **changes: Any) -> ItemMeta:
    new = NewItem(ItemKind.PHOTO, "image/jpeg", WHEN + timedelta(minutes=number), Origin("omi-glass", "AA:01", "My Omi"), 640, 480)
    fields = {name: changes.pop(name) for name in list(changes) if name in NewItem.__slots__}
    return replace(ItemMeta(ItemId(f"{number:032x}"), 1, replace(new, **fields), 10, f"{number:064x}", WHEN), **changes)


def share(company: str, leaves: bool = True) -> Share:
    return Share("dest", company, WHEN, 1, leaves)


@pytest.fixture
def index(tmp_path: Path) -> Any:
    made = Index(tmp_path, bytes(32), bytes(32), lambda: ())
    yield made
    made.close()


def numbers(index: Index, **query: Any) -> list[int]:
    return [int(row.id, 16) for row in index.rows(**query)]


def test_rows_come_newest_first_and_keep_their_facts(index: Index) -> None:
    index.put(meta(1, kind=ItemKind.VIDEO, duration_ms=900, orientation=6, width=None, height=None))
    index.put_many([(meta(3), "s3"), (meta(2, taken_at=datetime(1969, 7, 20, tzinfo=UTC)), "s2")])
    index.put(meta(1, kind=ItemKind.VIDEO, duration_ms=900, orientation=6, width=None, height=None, favourite=True))
    index.put_thumbs(meta(1).id, {}, 0x123456)
    index.put(meta(1, kind=ItemKind.VIDEO, duration_ms=900, orientation=6, width=None, height=None), stamp="s1")
    assert numbers(index) == [3, 1, 2]
    row = index.get(meta(1).id)
    assert row is not None
    assert (row.kind, row.duration_ms, row.orientation, row.width, row.favourite) == (ItemKind.VIDEO, 900, 6, None, False)
    assert (row.colour, row.from_name, row.taken_at) == (0x123456, "My Omi", WHEN + timedelta(minutes=1))
    assert index.get(ItemId("ff" * 16)) is None
    assert index.stamps() == {meta(1).id: "s1", meta(2).id: "s2", meta(3).id: "s3"}
    assert index.rows()[2].taken_at.year == 1969


def test_every_restriction_narrows(index: Index) -> None:
    index.put(meta(1, favourite=True, albums=("Beach", 'Day\'s "end"')))
    index.put(meta(2, kind=ItemKind.VIDEO, shares=(share("Meta"), share("Meta"), share("Mirror", leaves=False))))
    index.put(meta(3, trashed_at=WHEN, albums=("Beach",)))
    index.put(meta(4, origin=Origin("import", "", "Folder"), shares=(share("Mirror", leaves=False),)))
    assert numbers(index) == [4, 2, 1]
    assert numbers(index, kinds=frozenset({ItemKind.VIDEO, ItemKind.SOUND})) == [2]
    assert numbers(index, shared=True) == [2]
    assert numbers(index, shared=False) == [4, 1]
    assert index.rows(shared=True)[0].shared_with == ("Meta",)
    assert numbers(index, favourites=True) == [1]
    assert numbers(index, album="Beach") == [1]
    assert numbers(index, album='Day\'s "end"') == [1]
    assert numbers(index, glasses="AA:01") == numbers(index, glasses="My Omi") == [2, 1]
    assert numbers(index, only_glasses=True) == [2, 1]
    assert numbers(index, only_glasses=True, favourites=True) == [1]
    assert numbers(index, trashed=True) == [3]
    assert numbers(index, album="Beach", favourites=True, shared=True) == []
    assert index.albums() == (("Beach", 1), ('Day\'s "end"', 1))
    assert (index.count(), index.count(trashed=True)) == (3, 1)
    index.put(meta(1))
    assert index.albums() == ()
    index.remove(meta(1).id)
    index.remove(meta(1).id)
    assert numbers(index) == [4, 2]


def test_words_find_notes_dates_albums_glasses_questions_and_answers(index: Index) -> None:
    asked = Exchange(WHEN, "openai", "Which flower is it?", "A dog rose, Rosa canina.", 1)
    index.put(meta(1, note="Spaziergang im Café, naïve", albums=("Sommer 2026",), exchanges=(asked,), shares=(share("Mistral"),)))
    index.put(meta(2, note="other \0 \udc80 words"))
    for text in ("cafe", "CAFÉ", "spaz", "sommer", "rose flower", "may 2026 spazier", "12 may naive", "rosa canina", "mistral"):
        assert numbers(index, text=text) == [1], text
    assert numbers(index, text="omi glass") == [2, 1]
    assert (numbers(index, text="shared"), numbers(index, text="private")) == ([1], [2])
    assert numbers(index, text=" ") == [2, 1]
    for text in ("nothing", 'caf* OR words"', "rose NOT flower AND x", "()", '"', "note:words", "-words NEAR(a b)", "\0", "\udc80"):
        assert 1 not in numbers(index, text=text), text
    index.put(meta(1, note="changed"))
    assert numbers(index, text="cafe") == []
    index.remove(meta(1).id)
    assert numbers(index, text="changed") == []


def test_date_words_are_in_the_time_of_this_place() -> None:
    words = date_words(WHEN)
    local = WHEN.astimezone()
    assert words.split()[1:4:2] == [str(local.day), str(local.year)]
    assert "may" in words
    assert match_query("a b") == '"a"* "b"*'
    assert match_query("!?") == ""
    assert match_query("x " * 100).count("x") == 16


def test_companies_are_named_once_and_local_ones_not_at_all() -> None:
    shares = (share("Meta"), share("", True), share("Own", False), share("Meta"))
    assert shared_with(meta(1, shares=shares)) == ("Meta", "dest")


def test_thumbnails(index: Index) -> None:
    assert index.thumb(meta(1).id, 160) is None
    index.put_thumbs(meta(1).id, {160: b"of nothing"})
    assert index.thumb(meta(1).id, 160) is None
    index.put(meta(1))
    index.put_thumbs(meta(1).id, {160: b"small"})
    index.put_thumbs(meta(1).id, {160: b"smaller"})
    index.put_thumbs(meta(1).id, {320: b"large"})
    assert (index.thumb(meta(1).id, 160), index.thumb(meta(1).id, 320)) == (b"smaller", b"large")
    index.remove(meta(1).id)
    assert index.thumb(meta(1).id, 320) is None


def test_digests(index: Index) -> None:
    index.put(meta(1))
    assert index.with_digest(meta(1).sha256) == meta(1).id
    assert index.with_digest("00" * 32) is None
    assert index.digest(meta(1).id) == (meta(1).sha256, 10)
    assert index.digest(meta(2).id) is None


def test_a_closed_index_says_locked(index: Index) -> None:
    index.close()
    index.close()
    for call in (index.rows, index.stamps, lambda: index.put(meta(1)), lambda: index.thumb(meta(1).id, 160)):
        with pytest.raises(VaultLocked):
            call()


def test_two_threads_may_use_it_at_once(index: Index) -> None:
    faults: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for number in range(start, start + 40):
                index.put(meta(number, note=f"note {number}"))
                assert numbers(index, text=f"note {number}")
                index.put_thumbs(meta(number).id, {160: b"x"})
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(index.rows()) == 120


def test_the_other_of_two_that_belong_together_is_found(index: Index) -> None:
    index.put_many(
        [(meta(1, group="a" * 32), ""), (meta(2, group="a" * 32), ""), (meta(3, group="b" * 32), ""), (meta(4), ""), (meta(5), "")]
    )
    assert [index.partner(meta(number).id) for number in range(1, 7)] == [meta(2).id, meta(1).id, None, None, None, None]
    index.put(meta(2, group="a" * 32, trashed_at=WHEN))
    assert (index.partner(meta(1).id), index.partner(meta(2).id)) == (None, meta(1).id)


# -- only a cache

FILES = ("index.db", "thumbs.db")


def spoil_nothing_left(folder: Path) -> None:
    for path in list(folder.glob("*.db*")):
        path.unlink()


def spoil_rubbish(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_bytes(b"rubbish" * 3000)


def spoil_every_page(folder: Path) -> None:
    for name in FILES:
        data = bytearray((folder / name).read_bytes())
        for at in range(200, len(data), 4096):
            data[at] ^= 0xFF
        (folder / name).write_bytes(data)


def spoil_cut(folder: Path) -> None:
    for name in FILES:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2 + 7])


def spoil_other_key(folder: Path) -> None:
    spoil_nothing_left(folder)
    Index(folder, b"\x01" * 32, b"\x01" * 32, lambda: ()).close()


def spoil_other_version(folder: Path) -> None:
    """A file that is no database of ours: plain SQLite, of a later version."""
    spoil_nothing_left(folder)
    for name in FILES:
        connection = apsw.Connection(str(folder / name))
        connection.execute("PRAGMA user_version = 99; CREATE TABLE items (x)")
        connection.close()


@pytest.mark.parametrize(
    "spoil",
    [spoil_nothing_left, spoil_rubbish, spoil_every_page, spoil_cut, spoil_other_key, spoil_other_version],
    ids=lambda spoil: spoil.__name__,
)
def test_a_spoiled_index_is_made_again_from_the_objects(
    vault: Vault, folder: Path, opened: Opener, new_item: NewItem, passphrase: str, spoil: Callable[[Path], None]
) -> None:
    items = [vault.add(b"%d" % n, new_item) for n in range(5)]
    vault.change(items[0].id, lambda old: replace(old, note="findable", favourite=True))
    vault.index.put_thumbs(items[0].id, {160: b"thumb" * 1000})
    vault.close()
    spoil(folder)
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    again.catch_up()
    assert {row.id for row in again.index.rows()} == {item.id for item in items}
    assert [row.id for row in again.index.rows(text="findable")] == [items[0].id]
    assert again.index.thumb(items[0].id, 160) in (None, b"thumb" * 1000)
    assert again.read(items[3].id) == b"3"


def test_an_index_that_turns_out_damaged_while_in_use_heals_itself(tmp_path: Path) -> None:
    everything = [(meta(n, note="x" * 3000), f"s{n}") for n in range(30)]
    index = Index(tmp_path, bytes(32), bytes(32), lambda: everything)
    index.put_many(everything)
    index.put_thumbs(meta(1).id, {160: b"x" * 50_000})
    index.close()
    for name in FILES:
        data = bytearray((tmp_path / name).read_bytes())
        for at in range(2 * 4096 + 99, len(data), 4096):  # the first pages stay, so that it opens
            data[at] ^= 0xFF
        (tmp_path / name).write_bytes(data)
    index = Index(tmp_path, bytes(32), bytes(32), lambda: everything)
    assert len(index.rows()) == 30
    assert index.thumb(meta(1).id, 160) is None
    index.put_thumbs(meta(1).id, {160: b"again"})
    assert index.thumb(meta(1).id, 160) == b"again"
    assert index.stamps()[meta(7).id] == "s7"
    index.close()


def test_an_older_schema_is_made_again(tmp_path: Path) -> None:
    Database(tmp_path / "x.db", bytes(32), "CREATE TABLE a (b)", 1).close()
    newer = Database(tmp_path / "x.db", bytes(32), "CREATE TABLE c (d)", 2)
    assert newer.run(lambda db: db.execute("SELECT count(*) FROM c").fetchall()) == [(0,)]
    newer.close()


def test_trouble_with_the_disk_is_said_and_not_taken_for_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tmp_path / "x.db", bytes(32), "CREATE TABLE a (b)", 1)

    def full(_: object) -> None:
        raise apsw.FullError("disk full")

    with pytest.raises(CacheTrouble, match="The disk is full"):
        database.run(full)
    database.close()
    (tmp_path / "y.db").mkdir()
    with pytest.raises(CacheTrouble):
        Database(tmp_path / "y.db", bytes(32), "CREATE TABLE a (b)", 1)


def test_a_change_is_whole_or_not_at_all(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", bytes(32), "CREATE TABLE a (b)", 1)

    def half(db: apsw.Connection) -> None:
        db.execute("INSERT INTO a VALUES (1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.change(half)
    assert database.run(lambda db: db.execute("SELECT * FROM a").fetchall()) == []
    database.close()
