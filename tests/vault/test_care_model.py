"""Any sequence of import, edit, trash, restore, purge, lock, unlock, crash leaves index and objects equal to a model."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule, run_state_machine_as_test

from app.vault.types import ItemId, ItemMeta, LockState, NewItem
from app.vault.vault import Vault

WHEN = datetime(2026, 6, 1, tzinfo=UTC)


class Model(RuleBasedStateMachine):
    """A vault beside a dictionary that says what must be in it: media and what is known of each capture."""

    items = Bundle("items")
    base: Path
    make_files: Callable[[], Any]
    key_store: Any
    new: NewItem
    passphrase: str
    crash: type[BaseException]
    numbers = itertools.count()
    crashes = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.base / str(next(self.numbers))
        self.files = self.make_files()
        self.vault = Vault.create(
            self.folder, passphrase=self.passphrase, keyring=False, work_factor=1, key_store=self.key_store, files=self.files
        )
        self.media: dict[ItemId, bytes] = {}
        self.known: dict[ItemId, ItemMeta] = {}
        self.will_crash: tuple[int, bool] | None = None

    def teardown(self) -> None:
        self.vault.close()

    # -- one step, which may be cut short by a crash

    def _step(self, work: Callable[[], object]) -> bool:
        """Do `work`; returns false if the power went off meanwhile, after having started anew."""
        if self.will_crash is not None:
            after, self.files.loses = self.will_crash
            self.files.crash_at = len(self.files.steps) + after
        self.will_crash = None
        try:
            work()
        except self.crash:
            type(self).crashes += 1
            with contextlib.suppress(self.crash):
                self.vault.close()
            self.files = self.make_files()
            self.vault = Vault.open(self.folder, key_store=self.key_store, files=self.files)
            return False
        self.files.crash_at = None
        return True

    def _change(self, item: ItemId, edit: Callable[[ItemMeta], ItemMeta]) -> None:
        if item not in self.known:
            return
        old = self.known[item]
        new = replace(edit(old), revision=old.revision + 1)
        if self._step(lambda: self.vault.change(item, edit)):
            self.known[item] = new
        else:
            self._unlock()
            self.known[item] = self.vault.meta(item)
            assert self.known[item] in (old, new), "neither the old state nor the new"

    def _unlock(self) -> None:
        self.vault.unlock_with_passphrase(self.passphrase)
        self.vault.catch_up()

    @property
    def unlocked(self) -> bool:
        return self.vault.state is LockState.UNLOCKED

    # -- what can happen

    @rule(target=items, data=st.binary(max_size=200))
    def take_in(self, data: bytes) -> Any:
        """Works locked too. A crash leaves the capture there whole, or not at all."""
        added: list[ItemMeta] = []
        if self._step(lambda: added.append(self.vault.add(data, self.new, arrived_at=WHEN))):
            self.media[added[0].id], self.known[added[0].id] = data, added[0]
            return added[0].id
        extra = set(self.vault.ids()) - set(self.known)
        self._unlock()
        for item in extra:
            self.known[item], self.media[item] = self.vault.meta(item), data
        return multiple(*extra)

    @precondition(lambda self: self.unlocked)
    @rule(item=items, note=st.text(max_size=20).map(str.strip), favourite=st.booleans())
    def edit(self, item: ItemId, note: str, favourite: bool) -> None:
        self._change(item, lambda meta: replace(meta, note=note, favourite=favourite, albums=(*meta.albums, "x")))

    @precondition(lambda self: self.unlocked)
    @rule(item=items, out=st.booleans())
    def trash_or_restore(self, item: ItemId, out: bool) -> None:
        self._change(item, lambda meta: replace(meta, trashed_at=None if out else WHEN))

    @precondition(lambda self: self.unlocked)
    @rule(item=items)
    def purge(self, item: ItemId) -> None:
        if item in self.known and (self._step(lambda: self.vault.delete(item)) or item not in self.vault.ids()):
            del self.known[item], self.media[item]

    @rule()
    def lock(self) -> None:
        self._step(self.vault.lock)

    @precondition(lambda self: not self.unlocked)
    @rule()
    def unlock(self) -> None:
        if not self._step(self._unlock):
            self._unlock()

    @rule()
    def start_anew(self) -> None:
        self.vault.close()
        self.vault = Vault.open(self.folder, key_store=self.key_store, files=self.files)

    @precondition(lambda self: not self.unlocked)
    @rule(name=st.sampled_from(["index.db", "thumbs.db", "index.db-wal"]), damaged=st.booleans())
    def lose_a_cache(self, name: str, damaged: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()
            if damaged:
                (self.folder / name).write_bytes(b"not a database" * 100)

    @rule(after=st.integers(0, 12), loses=st.booleans())
    def crash_in_the_next_step(self, after: int, loses: bool) -> None:
        self.will_crash = after, loses

    # -- what must hold at any time

    @invariant()
    def disk_and_index_are_as_the_model(self) -> None:
        assert set(self.vault.ids()) == set(self.known)
        if not self.unlocked:
            return
        for item, meta in self.known.items():
            assert self.vault.meta(item) == meta
            assert self.vault.read(item) == self.media[item]
            assert self.vault.with_digest(hashlib.sha256(self.media[item]).hexdigest()) is not None
        for trashed in (False, True):
            rows = {row.id: row.favourite for row in self.vault.index.rows(trashed=trashed)}
            assert rows == {item: meta.favourite for item, meta in self.known.items() if (meta.trashed_at is not None) is trashed}
        assert [path for path in self.folder.rglob("*") if path.name.endswith((".tmp", ".deleting"))] == []


def test_any_sequence_leaves_vault_and_model_equal(
    tmp_path: Path,
    fault_files: Callable[[], Any],
    key_store: Any,
    new_item: NewItem,
    passphrase: str,
    crash: type[BaseException],
) -> None:
    class Bound(Model):
        base = tmp_path

    Bound.make_files = staticmethod(fault_files)
    Bound.key_store, Bound.new, Bound.passphrase, Bound.crash = key_store, new_item, passphrase, crash
    calm = settings(max_examples=120, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Bound, settings=calm)  # type: ignore[no-untyped-call]
    assert Bound.crashes > 5


def test_the_model_can_fail(tmp_path: Path, new_item: NewItem, passphrase: str, key_store: Any, fault_files: Callable[[], Any]) -> None:
    """An index that forgets is noticed."""
    Model.base, Model.make_files, Model.key_store = tmp_path, staticmethod(fault_files), key_store
    Model.new, Model.passphrase = new_item, passphrase
    model = Model()
    item = model.take_in(b"x")
    model.disk_and_index_are_as_the_model()
    model.vault.index.remove(item)
    with pytest.raises(AssertionError):
        model.disk_and_index_are_as_the_model()
    model.teardown()
