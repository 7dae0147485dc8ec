"""Two laptops on one vault folder: what Syncthing and rclone leave beside a file is taken in, and nothing is lost on either side."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from app.vault.files import Files
from app.vault.merge import join
from app.vault.repair import repair
from app.vault.types import RECOVERED, Exchange, ItemId, ItemKind, ItemMeta, NewItem, Origin, Share
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]
WHEN = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)
CACHES = ("index.db*", "thumbs.db*", "lock", "*.tmp")
SYNCTHING = "{stem}.sync-conflict-20260512-120000-ABCDEFG{suffix}"
"""Names as Syncthing (lib/model/folder_sendrecv.go, conflictName), rclone bisync 1.60 and 1.66 and later, and Nextcloud give them."""
NAMES = [SYNCTHING, "{stem}{suffix}..path2", "{stem}{suffix}.conflict1", "{stem}.conflict2{suffix}", "{stem} (conflicted copy){suffix}"]


class Laptops:
    """Two copies of one vault folder, each used by an Eyelid of its own, as on two computers."""

    def __init__(self, folder: Path, key_store: Any, files: Files, passphrase: str) -> None:
        self.a, self.b = folder, folder.with_name("other")
        self._key_store, self._files, self._passphrase = key_store, files, passphrase
        shutil.copytree(self.a, self.b, ignore=shutil.ignore_patterns(*CACHES))

    def open(self, folder: Path) -> Vault:
        vault = Vault.open(folder, key_store=type(self._key_store)(), files=self._files)
        vault.unlock_with_passphrase(self._passphrase)
        vault.catch_up()
        return vault

    def on(self, folder: Path, *work: Callable[[Vault], Any]) -> list[Any]:
        vault = self.open(folder)
        done = [each(vault) for each in work]
        vault.close()
        return done


@pytest.fixture
def laptops(vault: Vault, folder: Path, key_store: Any, fast_files: Files, new_item: NewItem, passphrase: str) -> Laptops:
    vault.catch_up()
    vault.change(vault.add(b"shared from the start", new_item).id, lambda meta: replace(meta, albums=("start",)))
    vault.close()
    return Laptops(folder, key_store, fast_files, passphrase)


def synchronise(one: Path, other: Path, pattern: str = SYNCTHING) -> int:
    """What Syncthing does: take over what is new; where both changed a file, the later one stays and the other becomes a conflict copy."""
    clashes = 0
    for source, target in ((one, other), (other, one)):
        for path in [path for path in source.rglob("*") if path.is_file() and not any(path.match(cache) for cache in CACHES)]:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copy2(path, copy)
            elif copy.read_bytes() != path.read_bytes():
                clashes += 1
                newer, older = sorted((path, copy), key=lambda each: each.stat().st_mtime_ns, reverse=True)
                beside = older.with_name(pattern.format(stem=older.stem, suffix=older.suffix))
                shutil.copy2(older, beside)
                shutil.copy2(newer, older)
                shutil.copy2(beside, (newer.parent / beside.name))
    return clashes


def only(vault: Vault) -> ItemId:
    [item] = vault.ids()
    return item


def share(receipt: int) -> Share:
    return Share("openai", "OpenAI", WHEN + timedelta(minutes=receipt), receipt, True)


def test_both_adding_at_once_just_works(laptops: Laptops, new_item: NewItem) -> None:
    laptops.on(laptops.a, lambda vault: vault.add(b"from a", new_item))
    laptops.on(laptops.b, lambda vault: vault.add(b"from b", new_item))
    assert synchronise(laptops.a, laptops.b) == 0
    for folder in (laptops.a, laptops.b):
        media, rows, report = laptops.on(
            folder, lambda v: {v.read(item) for item in v.ids()}, lambda v: len(v.index.rows()), lambda v: v.verify()
        )
        assert media == {b"shared from the start", b"from a", b"from b"}
        assert rows == 3
        assert report.sound
        assert report.notes == ()


@pytest.mark.parametrize("pattern", NAMES)
def test_both_editing_one_capture_keeps_both_edits(laptops: Laptops, pattern: str) -> None:
    def edit_a(vault: Vault) -> None:
        vault.change(only(vault), lambda meta: replace(meta, note="one", albums=(*meta.albums, "a"), shares=(share(2),)))
        vault.change(only(vault), lambda meta: replace(meta, note="from a", favourite=True))

    def edit_b(vault: Vault) -> None:
        answer = Exchange(WHEN, "mirror", "what?", "a cup", 1)
        vault.change(only(vault), lambda meta: replace(meta, note="from b", albums=(*meta.albums, "b"), shares=(share(1),)))
        vault.change(only(vault), lambda meta: replace(meta, exchanges=(answer,), trashed_at=WHEN, revision=1))

    laptops.on(laptops.a, edit_a)
    laptops.on(laptops.b, edit_b)
    assert synchronise(laptops.a, laptops.b, pattern) == 1
    metas = []
    for folder in (laptops.a, laptops.b):
        meta, report, notices = laptops.on(folder, lambda v: v.meta(only(v)), lambda v: v.verify(), lambda v: v.notices())
        assert report.sound
        assert any("kept in history" in note for note in report.notes)
        assert not any(notice.serious for notice in notices)
        assert [path for path in folder.rglob("*") if "conflict" in path.name or "..path" in path.name] == []
        metas.append(meta)
    assert metas[0] == metas[1], "two computers that join the same must get the same"
    meta = metas[0]
    assert meta.revision == 5
    assert set(meta.albums) == {"start", "a", "b"}
    assert [each.receipt for each in meta.shares] == [1, 2]
    assert len(meta.exchanges) == 1
    assert meta.trashed_at is None, "what one of them did not throw away stays"
    assert meta.note in ("from a", "from b")
    # The joined files are sealed differently on the two, so they clash once more, and then never again.
    assert synchronise(laptops.a, laptops.b, pattern) == 1
    for folder in (laptops.a, laptops.b):
        assert laptops.on(folder, lambda v: v.meta(only(v))) == [meta]
    assert {meta.revision for meta in (meta, *laptops.on(laptops.b, lambda v: v.meta(only(v))))} == {5}


def test_the_older_text_is_in_the_history(laptops: Laptops, passphrase: str) -> None:
    laptops.on(laptops.a, lambda v: v.change(only(v), lambda meta: replace(meta, note="first")))
    laptops.on(laptops.b, lambda v: v.change(only(v), lambda meta: replace(meta, note="second")))
    synchronise(laptops.a, laptops.b)
    vault = laptops.open(laptops.a)
    item = only(vault)
    with vault.held() as parts:
        assert parts.session is not None
        [kept] = [parts.store.meta_at(path, item, parts.session.identity) for path in parts.store.history(item).iterdir()]
    assert {kept.note, vault.meta(item).note} == {"first", "second"}
    vault.close()


def test_deleting_on_one_and_editing_on_the_other_is_said(laptops: Laptops) -> None:
    item = laptops.on(laptops.a, only)[0]
    laptops.on(laptops.a, lambda v: v.delete(item))
    laptops.on(laptops.b, lambda v: v.change(item, lambda meta: replace(meta, note="edited")))
    for path in (laptops.b / "objects").rglob(f"{item}.age"):  # the deletion of the unchanged object arrives
        path.unlink()
    report, _ = laptops.on(laptops.b, lambda v: v.verify(), repair)
    assert [fault.id for fault in report.faults] == [item]
    assert "missing" in report.faults[0].what


def test_receipts_with_the_same_number_stand_side_by_side(laptops: Laptops) -> None:
    laptops.on(laptops.a, lambda v: [v.seal_record("receipts", n, text) for n, text in ((0, b"begin"), (1, b"a1"), (2, b"a2"))])
    laptops.on(laptops.b, lambda v: [v.seal_record("receipts", n, text) for n, text in ((0, b"begin"), (1, b"b1"))])
    assert synchronise(laptops.a, laptops.b) == 2
    for folder in (laptops.a, laptops.b):
        main, beside, report = laptops.on(
            folder, lambda v: list(v.records("receipts")), lambda v: list(v.branches("receipts")), lambda v: v.verify()
        )
        assert [number for number, _ in main] == [0, 1, 2]
        assert len(beside) == 1, "the same text under the same number is kept once"
        assert {data for _, data in (*main, *beside)} == {b"begin", b"a1", b"a2", b"b1"}
        assert report.sound
        assert any("taken twice, the first is 1" in note for note in report.notes)
    assert synchronise(laptops.a, laptops.b) == 0


def test_two_renamed_copies_and_no_original(laptops: Laptops) -> None:
    """rclone bisync before 1.66 renames both sides' files."""
    laptops.on(laptops.a, lambda v: v.seal_record("receipts", 1, b"a"))
    laptops.on(laptops.b, lambda v: v.seal_record("receipts", 1, b"b"))
    laptops.on(laptops.a, lambda v: v.change(only(v), lambda meta: replace(meta, note="note of a")))
    laptops.on(laptops.b, lambda v: v.change(only(v), lambda meta: replace(meta, albums=("b",))))
    for path in [*laptops.a.rglob("*.meta.age"), laptops.a / "receipts/1.age"]:
        other = laptops.b / path.relative_to(laptops.a)
        for folder in (path.parent, other.parent):
            (folder / f"{path.name}..path1").write_bytes(path.read_bytes())
            (folder / f"{path.name}..path2").write_bytes(other.read_bytes())
        path.unlink()
        other.unlink()
    found = [laptops.on(folder, lambda v: v.meta(only(v)), lambda v: list(v.records("receipts"))) for folder in (laptops.a, laptops.b)]
    assert found[0] == found[1]
    assert set(found[0][0].albums) == {"start", "b"}
    assert found[0][0].new.origin.family != RECOVERED


def test_an_object_that_came_under_another_name_is_taken(laptops: Laptops) -> None:
    item = laptops.on(laptops.a, only)[0]
    path = laptops.a / "objects" / item[:2] / f"{item}.age"
    path.rename(path.with_name(f"{item}.age..path1"))
    assert laptops.on(laptops.a, lambda v: v.read(item)) == [b"shared from the start"]
    shutil.copy(path, path.with_name(f"{item}.age..path2"))
    assert laptops.on(laptops.a, lambda v: v.verify().notes) == [()]


def test_what_can_not_be_used_is_left_and_said(laptops: Laptops, new_item: NewItem) -> None:
    item = laptops.on(laptops.a, only)[0]
    path = laptops.a / "objects" / item[:2] / f"{item}.age"
    damaged = [path.with_name(f"{item}.sync-conflict-1.age"), path.with_name(f"{item}.meta.sync-conflict-1.age")]
    absent = path.with_name(f"{item[:2]}{'0' * 30}.conflict1.age")
    for copy in (*damaged, absent):
        copy.write_bytes(path.read_bytes()[:-1])
    (laptops.a / "receipts").mkdir()
    (laptops.a / "receipts/1.conflict1.age").write_bytes(b"x")
    under_way = path.with_name(f"{item}.age.1234abcd.partial")
    under_way.write_bytes(b"half")
    vault = laptops.open(laptops.a)
    with vault.held() as parts:
        assert parts.session is not None
        assert len(parts.session.merged.left) == 4
    assert vault.read(item) == b"shared from the start"
    assert vault.verify().sound
    assert len(repair(vault).aside) == 4 - 1 + 1  # the partial one too; a record's copy stays where it is
    vault.close()


def test_a_disk_that_can_not_be_written_does_not_keep_anybody_from_looking(laptops: Laptops, monkeypatch: pytest.MonkeyPatch) -> None:
    laptops.on(laptops.a, lambda v: v.change(only(v), lambda meta: replace(meta, note="first")))
    laptops.on(laptops.b, lambda v: v.change(only(v), lambda meta: replace(meta, note="second")))
    synchronise(laptops.a, laptops.b)

    def refuse(self: Files, path: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Files, "create", refuse)
        assert laptops.on(laptops.a, lambda v: v.meta(only(v)).note)[0] in ("first", "second")
    assert list((laptops.a / "objects").rglob("*conflict*")) != []
    laptops.on(laptops.a, only)
    assert list((laptops.a / "objects").rglob("*conflict*")) == []


# -- the rule itself

NEW = NewItem(ItemKind.PHOTO, "image/jpeg", WHEN, Origin("omi-glass"))
METAS = st.builds(
    ItemMeta,
    id=st.just(ItemId("ab" * 16)),
    revision=st.integers(1, 4),
    new=st.sampled_from([NEW, replace(NEW, origin=Origin(RECOVERED))]),
    size=st.just(3),
    sha256=st.just("00" * 32),
    arrived_at=st.just(WHEN),
    note=st.sampled_from(["", "x", "y"]),
    favourite=st.booleans(),
    albums=st.lists(st.sampled_from("abc"), unique=True).map(tuple),
    trashed_at=st.sampled_from([None, WHEN]),
    shares=st.lists(st.integers(1, 4).map(share), unique=True).map(tuple),
)


@given(st.lists(METAS, min_size=1, max_size=4))
def test_joining_loses_nothing_and_does_not_depend_on_order(metas: list[ItemMeta]) -> None:
    joined = join(metas)
    assert {join(list(order)) for order in itertools.permutations(metas)} == {joined}
    assert set(joined.albums) == {album for meta in metas for album in meta.albums}
    assert set(joined.shares) == {each for meta in metas for each in meta.shares}
    assert joined.revision >= max(meta.revision for meta in metas)
    assert join([joined, *metas]).revision in (joined.revision, joined.revision + 1)
    assert join([joined, joined]) == joined
    assert (joined.trashed_at is None) == any(meta.trashed_at is None for meta in metas)
    if any(meta.new == NEW for meta in metas):
        assert joined.new == NEW


# -- the real program


@pytest.mark.skipif(shutil.which("rclone") is None, reason="needs rclone (make test installs it on Debian)")
def test_two_laptops_and_rclone(laptops: Laptops, new_item: NewItem, tmp_path: Path) -> None:
    def bisync(*more: str) -> None:
        excluded = [word for cache in CACHES for word in ("--exclude", f"/{cache}" if cache != "*.tmp" else cache)]
        command = [
            "rclone",
            "bisync",
            str(laptops.a),
            str(laptops.b),
            "--config",
            "",
            "--workdir",
            str(tmp_path / "bisync"),
            *excluded,
            *more,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stderr

    bisync("--resync")
    for round_number in range(2):
        laptops.on(
            laptops.a,
            lambda v: v.add(b"a", new_item),
            lambda v: v.change(v.ids()[0], lambda m: m),
            lambda v, n=round_number: [v.change(item, lambda m: replace(m, albums=(*m.albums, f"a{n}"))) for item in v.ids()],
            lambda v, n=round_number: v.seal_record("receipts", n, b"a%d" % n),
        )
        laptops.on(
            laptops.b,
            lambda v: v.add(b"b", new_item),
            lambda v, n=round_number: [v.change(item, lambda m: replace(m, albums=(*m.albums, f"b{n}"))) for item in v.ids()],
            lambda v, n=round_number: v.seal_record("receipts", n, b"b%d" % n),
        )
        bisync()
        for folder in (laptops.a, laptops.b):
            laptops.on(folder, only_verify)
        bisync()
    states = []
    for folder in (laptops.a, laptops.b):
        metas, media, records, report = laptops.on(
            folder,
            lambda v: {item: v.meta(item) for item in v.ids()},
            lambda v: sorted(v.read(item) for item in v.ids()),
            lambda v: {data for _, data in (*v.records("receipts"), *v.branches("receipts"))},
            lambda v: v.verify(),
        )
        assert report.sound
        assert media == [b"a", b"a", b"b", b"b", b"shared from the start"]
        assert records == {b"a0", b"b0", b"a1", b"b1"}
        states.append(metas)
    assert states[0] == states[1]
    first = next(meta for meta in states[0].values() if "start" in meta.albums)
    assert {"a0", "b0", "a1", "b1"} <= set(first.albums)


def only_verify(vault: Vault) -> None:
    assert vault.verify().sound
