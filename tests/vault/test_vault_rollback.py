"""A folder put back to an older state, or robbed of captures, is noticed at unlock and stays said until it is accepted."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.vault.errors import VaultLocked
from app.vault.rollback import Seen, Standing, Watch, digest, judge
from app.vault.types import ItemId, NewItem, Notice, NoticeKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]
A, B = ItemId("aa" * 16), ItemId("bb" * 16)


def seriously(notices: tuple[Notice, ...]) -> list[tuple[NoticeKind, int]]:
    return [(notice.kind, notice.count) for notice in notices if notice.serious]


class World:
    """A vault folder opened again and again, as by new processes on one computer."""

    def __init__(self, folder: Path, opened: Opener, new: NewItem, passphrase: str) -> None:
        self.folder, self._opened, self.new, self._passphrase = folder, opened, new, passphrase

    def session(self) -> Vault:
        vault = self._opened(self.folder)
        vault.unlock_with_passphrase(self._passphrase)
        vault.catch_up()
        return vault

    def keep(self, name: str) -> None:
        shutil.copytree(self.folder, self.folder.with_name(name))

    def put_back(self, name: str) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_name(name), self.folder)

    def lose_index(self) -> None:
        for path in list(self.folder.glob("*.db*")):
            path.unlink()

    def files(self, item: ItemId) -> list[Path]:
        return sorted((self.folder / "objects" / item[:2]).glob(f"{item}.*"))


@pytest.fixture
def world(vault: Vault, folder: Path, opened: Opener, new_item: NewItem, passphrase: str) -> World:
    vault.catch_up()
    vault.add(b"first", new_item)
    vault.close()
    return World(folder, opened, new_item, passphrase)


def test_ordinary_days_say_nothing(world: World) -> None:
    for day in range(3):
        vault = world.session()
        assert vault.notices() == ()
        meta = vault.add(b"%d" % day, world.new)
        vault.change(meta.id, lambda old: replace(old, note="x"))
        if day == 1:
            vault.delete(meta.id)
        vault.lock()
        vault.add(b"while locked", world.new)
        vault.close()
    world.lose_index()
    vault = world.session()
    assert seriously(vault.notices()) == []
    vault.close()
    assert world.session().notices() == ()


def test_an_older_folder_is_noticed_until_accepted(world: World) -> None:
    world.keep("older")
    vault = world.session()
    vault.add(b"second", world.new)
    vault.add(b"third", world.new)
    vault.close()
    world.put_back("older")
    for _ in range(2):
        vault = world.session()
        assert seriously(vault.notices()) == [(NoticeKind.OLDER_STATE, 2)]
        assert "2 changes" in vault.notices()[0].text
        vault.close()
    vault = world.session()
    vault.accept_notices()
    assert vault.notices() == ()
    vault.close()
    with pytest.raises(VaultLocked):
        vault.notices()
    with pytest.raises(VaultLocked):
        vault.accept_notices()
    assert world.session().notices() == ()


def test_an_older_folder_that_went_on_being_used_before_acceptance_is_still_noticed(world: World) -> None:
    world.keep("older")
    vault = world.session()
    for n in range(5):
        vault.add(b"%d" % n, world.new)
    vault.close()
    world.put_back("older")
    for _ in range(2):  # more changes than there are missing
        vault = world.session()
        for n in range(4):
            vault.add(b"new %d" % n, world.new)
        vault.close()
    vault = world.session()
    assert seriously(vault.notices()) == [(NoticeKind.OLDER_STATE, 5)]
    vault.accept_notices()
    vault.close()
    assert world.session().notices() == ()


def test_captures_taken_away_are_named_and_shown_until_accepted(world: World) -> None:
    vault = world.session()
    kept, gone, half = (vault.add(data, world.new) for data in (b"kept", b"gone", b"half"))
    vault.close()
    for path in world.files(gone.id):
        path.unlink()
    world.files(half.id)[0].unlink()
    for _ in range(2):
        vault = world.session()
        assert seriously(vault.notices()) == [(NoticeKind.MISSING, 2)]
        assert {gone.id, half.id, kept.id} <= {row.id for row in vault.index.rows()}
        vault.close()
    vault = world.session()
    vault.accept_notices()
    assert gone.id not in {row.id for row in vault.index.rows()}
    assert half.id in {row.id for row in vault.index.rows()}  # what is known of it is still there
    vault.close()


def test_captures_taken_away_together_with_the_index_are_counted(world: World) -> None:
    vault = world.session()
    gone = vault.add(b"gone", world.new)
    vault.close()
    for path in world.files(gone.id):
        path.unlink()
    world.lose_index()
    vault = world.session()
    assert seriously(vault.notices()) == [(NoticeKind.MISSING, 1)]
    for n in range(8):
        vault.add(b"new %d" % n, world.new)
    vault.close()
    assert seriously(world.session().notices()), "not accepted yet, whatever was done since"


def test_what_was_not_accepted_is_said_again_at_once(world: World, key_store: Any) -> None:
    """Locked and unlocked while a slow keyring still takes the note."""
    world.keep("older")
    vault = world.session()
    vault.add(b"second", world.new)
    vault.close()
    world.put_back("older")
    vault = world.session()
    for n in range(3):
        vault.add(b"new %d" % n, world.new)
    slow, put = threading.Event(), key_store.set

    def later(*arguments: str) -> None:
        slow.wait(0.2)
        put(*arguments)

    key_store.set = later
    vault.lock()
    vault.unlock_with_keyring()
    vault.catch_up()
    assert seriously(vault.notices()) == [(NoticeKind.OLDER_STATE, 1)]
    vault.close()


def test_notes_put_back_are_noticed(world: World) -> None:
    vault = world.session()
    meta = vault.add(b"x", world.new)
    path = world.files(meta.id)[1]
    old = path.read_bytes()
    vault.change(meta.id, lambda before: replace(before, note="shared with a company"))
    vault.close()
    path.write_bytes(old)
    os.utime(path, ns=(1, 1))
    for _ in range(2):
        vault = world.session()
        assert seriously(vault.notices()) == [(NoticeKind.OLDER_STATE, 1)]
        vault.close()


def test_without_a_keyring_slot_nothing_is_noted(folder: Path, key_store: Any, new_item: NewItem) -> None:
    vault = Vault.create(folder, passphrase="x", keyring=False, work_factor=1, key_store=key_store)
    vault.add(b"x", new_item)
    vault.catch_up()
    assert vault.notices() == ()
    vault.close()
    assert key_store.secrets == {}


def test_a_missing_or_unreadable_note_is_only_a_note(world: World, key_store: Any) -> None:
    state = next(key for key in key_store.secrets if key[0].endswith("-state"))
    for value in (None, "rubbish"):
        if value is None:
            del key_store.secrets[state]
        else:
            key_store.secrets[state] = value
        vault = world.session()
        assert [(notice.kind, notice.serious) for notice in vault.notices()] == [(NoticeKind.NOT_COMPARED, False)]
        vault.close()
    key_store.failing = True
    vault = world.session()
    assert [(notice.kind, notice.serious) for notice in vault.notices()] == [(NoticeKind.NOT_COMPARED, False)]
    assert "locked" in vault.notices()[0].text
    vault.close()
    key_store.failing = False
    assert world.session().notices() == ()


def test_locking_does_not_wait_for_a_keyring_that_hangs(world: World, key_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, release, put = world.session(), threading.Event(), key_store.set

    def hang(*arguments: str) -> None:
        assert release.wait(30)
        put(*arguments)

    key_store.set = hang
    vault.lock()
    vault.unlock_with_keyring()
    with monkeypatch.context() as patch:
        patch.setattr(Watch, "wait", lambda _: None)  # looking does wait for it, as long as a keyring may take
        vault.catch_up()
        patch.setattr(Watch, "wait", lambda _: pytest.fail("it waits for the note of the last time"))
        vault.lock()
    assert not release.is_set()
    release.set()
    vault.close()
    assert Standing.parse(key_store.secrets[next(key for key in key_store.secrets if key[0].endswith("-state"))])


def test_a_note_that_fails_leaves_no_key_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = world.session()
    reader, session = vault.open_media(vault.ids()[0]), vault._session
    assert session is not None

    def no_more_threads(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        with pytest.raises(RuntimeError):
            vault.lock()
    with pytest.raises(VaultLocked):
        session.identity_text()
    with pytest.raises(VaultLocked):
        reader.read()


def test_without_a_look_there_is_no_note(world: World, key_store: Any) -> None:
    before = dict(key_store.secrets)
    vault = world._opened(world.folder)
    vault.unlock_with_keyring()
    vault.add(b"x", world.new)
    vault.close()
    assert key_store.secrets == before


def test_digests_depend_on_every_item_and_revision_and_not_on_order() -> None:
    one = digest(bytes(32), [(A, 1), (B, 2)])
    assert one == digest(bytes(32), [(B, 2), (A, 1)])
    others = {digest(bytes(32), items) for items in ([], [(A, 1)], [(A, 1), (B, 1)], [(A, 2), (B, 1)])} | {
        digest(b"\1" * 32, [(A, 1), (B, 2)])
    }
    assert one not in others
    assert len(others) == 5


def test_judging() -> None:
    noted, same = Standing(9, 3, "aa" * 32), Standing(9, 3, "aa" * 32)
    assert judge(noted, Seen(same, fresh=False)) == ()
    assert judge(noted, Seen(replace(same, generation=12, digest="bb" * 32), fresh=False)) == ()
    assert judge(noted, Seen(replace(same, generation=1), fresh=True)) == ()
    assert judge(None, Seen(same, fresh=True)) == ()
    other = judge(noted, Seen(replace(same, digest="bb" * 32), fresh=True))
    assert [(notice.kind, notice.serious) for notice in other] == [(NoticeKind.NOT_COMPARED, False)]
    assert seriously(judge(noted, Seen(replace(same, count=1), fresh=True))) == [(NoticeKind.MISSING, 2)]


@pytest.mark.parametrize("text", ["", "1:2:3", "2:1:1:" + "a" * 64, "1:-1:1:" + "a" * 64, "1:1:1:" + "A" * 64, "1:1:1:" + "a" * 64 + "\n"])
def test_what_is_no_note_is_none(text: str) -> None:
    assert Standing.parse(text) is None
    standing = Standing(5, 6, "0f" * 32)
    assert Standing.parse(standing.text()) == standing


def test_a_watch_that_saw_nothing_says_nothing(key_store: Any) -> None:
    watch = Watch(key_store, "id")
    watch.judge(None, None)
    watch.wait()
    assert watch.notices == ()
