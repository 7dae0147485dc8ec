"""What lies on the disk of a vault: nothing in the clear, and for nobody but its owner."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.vault.types import Exchange, NewItem
from app.vault.vault import Vault


def test_nothing_is_on_the_disk_in_the_clear(vault: Vault, folder: Path, new_item: NewItem, passphrase: str) -> None:
    markers = {
        name: f"MARKER{name}".encode() for name in ("media", "note", "album", "answer", "thumb", "record", "name", "address", "glasses")
    }
    text = {name: marker.decode() for name, marker in markers.items()}
    secret = vault.identity()
    origin = replace(new_item.origin, address=text["address"], name=text["glasses"])
    item = replace(new_item, origin=origin, original_name=text["name"])
    forbidden = [
        *markers.values(),
        *(marker.lower() for marker in markers.values()),
        b"AGE-SECRET-KEY",
        secret.encode(),
        passphrase.encode(),
    ]

    def look() -> None:
        for path in [path for path in folder.parent.rglob("*") if path.is_file()]:
            data = path.read_bytes()
            assert not any(word in data or word in str(path).encode() for word in forbidden), path.name

    metas = [vault.add(markers["media"] * 1000, item) for _ in range(20)]
    for meta in metas:
        vault.change(
            meta.id,
            lambda old: replace(
                old, note=text["note"], albums=(text["album"],), exchanges=(Exchange(old.arrived_at, "x", "q", text["answer"] * 500, 1),)
            ),
        )
        vault.index.put_thumbs(meta.id, {160: markers["thumb"] * 1000})
    vault.seal_record("receipts", 1, markers["record"])
    look()
    assert len(vault.index.rows(text=text["answer"])) == 20
    vault.index.rows(text="marker", album=text["album"])
    for meta in metas[:10]:
        vault.delete(meta.id)
    look()
    assert (folder / "index.db-wal").exists()
    vault.lock()
    look()
    vault.add(markers["media"] * 100_000, item)
    vault.unlock_with_passphrase(passphrase)
    vault.catch_up()
    vault.verify()
    look()
    vault.close()
    look()
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.skipif(os.name != "posix", reason="file modes are for POSIX")
def test_files_are_for_their_owner_only(vault: Vault, folder: Path, new_item: NewItem) -> None:
    vault.add(b"x", new_item)
    vault.seal_record("receipts", 1, b"x")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path.name
