"""vault.toml and the meta files' text: what is written reads back the same, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault import codec, config
from app.vault.age import X25519Identity
from app.vault.codec import MetaError, MetaTooNew
from app.vault.config import Config, Slot
from app.vault.errors import VaultDamaged, VaultTooNew
from app.vault.types import Exchange, ItemId, ItemKind, ItemMeta, NewItem, Origin, Recognised, Share, SlotInfo, SlotKind

RECIPIENT = str(X25519Identity(bytes(range(32))).recipient)
WHEN = datetime(2026, 5, 12, 9, 30, 1, 250, tzinfo=UTC)
SLOT = Slot(SlotInfo("0a1b2c3d", SlotKind.PASSPHRASE, WHEN), "ab" * 32)
KEYRING = Slot(SlotInfo("0a1b2c3e", SlotKind.KEYRING, WHEN, "keyring.backends.kwallet.DBusKeyring"), "cd" * 32)
CONFIG = Config("12" * 16, RECIPIENT, WHEN, (SLOT, KEYRING))


def test_vault_toml_round_trip() -> None:
    assert config.parse(config.dump(CONFIG)) == CONFIG
    assert CONFIG.of_kind(SlotKind.KEYRING) == (KEYRING,)
    assert SLOT.file == "keys/0a1b2c3d.age"


def test_a_newer_format_is_named_as_such_and_not_as_damage() -> None:
    with pytest.raises(VaultTooNew) as caught:
        config.parse(config.dump(CONFIG).replace(b"format = 1", b"format = 3\nnovelty = true"))
    assert "newer Eyelid" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"format = 1", b"format = true"),
        (b"format = 1", b"format = 0"),
        (b"format = 1", b"format = 2"),
        (b"format = 1", b"format = 2.0"),
        (b"format = 1", b"format = 2\nhybrid = 7"),
        (b"format = 1", b'format = 2\nhybrid = "age1pq1qq"'),
        (b"format = 1", b'hybrid = "age1pq1qq"\nformat = 1'),
        (b"format = 1\n", b""),
        (b"format = 1", b"format = 1\nextra = 1"),
        (b"id = ", b"id = 3 #"),
        (b'"' + b"12" * 16, b'"' + b"12" * 15),
        (RECIPIENT.encode(), b"age1nonsense"),
        (b"created = 2026-05-12T09:30:01.000250Z\n\n", b"created = 2026-05-12T09:30:01\n\n"),
        (b"created = 2026-05-12T09:30:01.000250Z\n\n", b"created = 0001-01-01T00:00:00+23:00\n\n"),
        (b"created = 2026-05-12T09:30:01.000250Z\n\n", b'created = "today"\n\n'),
        (b'kind = "keyring"', b'kind = "telepathy"'),
        (b"ab" * 32, b"AB" * 32),
        (b"0a1b2c3e", b"0a1b2c3d"),
        (b"0a1b2c3e", b"../../xx"),
        (b"keyring.backends", b"keyring backends"),
        (b'kind = "keyring"', b'kind = "keyring"\nmore = 1'),
        (b"[[slots]]", b"[[spots]]"),
        (b"# An", b"\xff An"),
        (b"# An", b"An"),
    ],
)
def test_anything_else_is_damage(old: bytes, new: bytes) -> None:
    text = config.dump(CONFIG)
    assert old in text
    with pytest.raises(VaultDamaged) as caught:
        config.parse(text.replace(old, new))
    assert caught.value.file == "vault.toml"


@pytest.mark.parametrize("slots", ["slots = 3", "slots = []", "slots = [3]", "slots = " + "9" * 5000])
def test_slots_of_another_shape_are_damage(slots: str) -> None:
    head = config.dump(CONFIG).split(b"[[slots]]")[0]
    with pytest.raises(VaultDamaged):
        config.parse(head + slots.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_name(text: bytes) -> None:
    with pytest.raises((VaultDamaged, VaultTooNew)):
        config.parse(text)


# -- meta

META = ItemMeta(
    ItemId("ab" * 16), 3, NewItem(ItemKind.PHOTO, "image/jpeg", WHEN, Origin("omi-glass", "AA", "Omi", True)), 5, "00" * 32, WHEN
)
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))
texts = st.text(st.characters(), max_size=30)
small = st.integers(0, 2**40)
metas = st.builds(
    ItemMeta,
    id=st.binary(min_size=16, max_size=16).map(lambda b: ItemId(b.hex())),
    revision=st.integers(1, 2**40),
    new=st.builds(
        NewItem,
        kind=st.sampled_from(ItemKind),
        media_type=texts,
        taken_at=times,
        origin=st.builds(Origin, texts, texts, texts, st.booleans()),
        width=st.none() | small,
        height=st.none() | small,
        duration_ms=st.none() | small,
        orientation=st.integers(1, 8),
        original_name=texts,
        recognised=st.none() | st.builds(Recognised, texts, st.lists(st.tuples(texts, texts), max_size=2).map(tuple)),
        group=st.just("") | st.binary(min_size=16, max_size=16).map(bytes.hex),
    ),
    size=small,
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    arrived_at=times,
    note=texts,
    favourite=st.booleans(),
    albums=st.lists(texts, max_size=3).map(tuple),
    trashed_at=st.none() | times,
    exported=st.lists(times, max_size=2).map(tuple),
    shares=st.lists(st.builds(Share, texts, texts, times, small, st.booleans()), max_size=2).map(tuple),
    exchanges=st.lists(st.builds(Exchange, times, texts, texts, texts, small), max_size=2).map(tuple),
)


@given(metas)
@settings(max_examples=100, deadline=None)
def test_meta_round_trip(meta: ItemMeta) -> None:
    text = codec.dump(meta)
    assert len(text) % 1024 == 0
    assert codec.parse(text) == meta


def test_lone_surrogates_of_odd_file_names_survive() -> None:
    odd = replace(META, note="\udc80", new=replace(META.new, original_name="a\udcffb"))
    assert codec.parse(codec.dump(odd)) == odd


def test_times_become_utc() -> None:
    east = timezone(timedelta(hours=2))
    meta = replace(META, arrived_at=datetime(2026, 1, 1, 2, tzinfo=east), trashed_at=datetime(2026, 1, 1))
    back = codec.parse(codec.dump(meta))
    assert back.arrived_at == back.trashed_at == datetime(2026, 1, 1, tzinfo=UTC)


def edited(**changes: Any) -> bytes:
    table = json.loads(codec.dump(META))
    for key, value in changes.items():
        if value is ...:
            del table[key]
        else:
            table[key] = value
    return json.dumps(table).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../../etc"},
        {"id": ...},
        {"revision": 0},
        {"revision": True},
        {"revision": 1.0},
        {"size": -1},
        {"size": 2**60},
        {"sha256": "xyz"},
        {"kind": "hologram"},
        {"taken_at": "2026-01-01T00:00:00"},
        {"taken_at": "yesterday"},
        {"taken_at": "0001-01-01T00:00:00+14:00"},
        {"taken_at": 5},
        {"origin": None},
        {"origin": {"family": "x"}},
        {"origin": {"family": "x", "address": "", "name": "", "simulated": False, "more": 1}},
        {"width": -1},
        {"width": "640"},
        {"width": ...},
        {"orientation": 0},
        {"orientation": 9},
        {"favourite": 1},
        {"albums": "a"},
        {"albums": [1]},
        {"albums": ["x"] * 10_001},
        {"shares": [{}]},
        {"exchanges": [[]]},
        {"note": None},
        {"surprise": 1},
        {"version": 0},
        {"version": "1"},
    ],
)
def test_a_meta_file_that_is_not_ours_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MetaError) as caught:
        codec.parse(edited(**changes))
    assert not isinstance(caught.value, MetaTooNew)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"version":1,"version":1}', b"9" * 5000, b" " * (codec.LARGEST + 1)]
)
def test_text_that_is_no_meta_file_is_refused(text: bytes) -> None:
    with pytest.raises(MetaError):
        codec.parse(text)


def test_a_later_version_is_told_apart() -> None:
    with pytest.raises(MetaTooNew):
        codec.parse(edited(version=2, wonder="x"))
