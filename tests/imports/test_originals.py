"""Originals are deleted only when asked for, and only where the vault has the very bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.imports.desk import ImportDesk
from app.imports.types import Fate, Outcome
from app.vault.vault import Vault


async def test_sources_are_removed_only_when_the_vault_has_the_very_bytes(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]
) -> None:
    for name, data in zip(("same.jpg", "changed.jpg", "gone.jpg", "damaged.jpg"), pictures, strict=False):
        (folder / name).write_bytes(data)
    report = await desk.run().files([folder])
    (folder / "changed.jpg").write_bytes(pictures[9])
    (folder / "gone.jpg").unlink()
    damaged = next(outcome.item for outcome in report.outcomes if outcome.path.name == "damaged.jpg")
    sealed = next(vault.folder.rglob(f"{damaged}.age"))
    data = sealed.read_bytes()
    sealed.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused = Outcome(folder / "other.jpg", Fate.REFUSED)
    removal = await desk.remove_sources([*report.outcomes, refused])
    assert [path.name for path in removal.removed] == ["same.jpg"]
    assert {path.name for path, _ in removal.left} == {"changed.jpg", "gone.jpg", "damaged.jpg"}
    assert not (folder / "same.jpg").exists()
    assert (folder / "damaged.jpg").exists()


async def test_what_lies_in_the_trash_is_no_reason_to_delete_the_original(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]
) -> None:
    for name, data in zip(("kept.jpg", "trashed.jpg"), pictures, strict=False):
        (folder / name).write_bytes(data)
    items = {outcome.path.name: outcome.item for outcome in (await desk.run().files([folder])).outcomes}
    item = items["trashed.jpg"]
    assert item is not None
    vault.change(item, lambda meta: replace(meta, trashed_at=meta.arrived_at))
    report = await desk.run().files([folder])
    assert {outcome.path.name: outcome.why is not None for outcome in report.outcomes} == {"kept.jpg": False, "trashed.jpg": True}
    told: list[tuple[int, int]] = []
    removal = await desk.remove_sources(report.outcomes, lambda *at: told.append(at))
    assert [path.name for path in removal.removed] == ["kept.jpg"]
    assert [path.name for path, _ in removal.left] == ["trashed.jpg"]
    assert told == [(0, 2), (1, 2)]


async def test_a_link_that_came_in_the_place_of_the_original_is_not_followed(
    desk: ImportDesk, folder: Path, pictures: list[bytes], tmp_path: Path
) -> None:
    original, copy = folder / "a.jpg", tmp_path / "copy.jpg"
    for path in (original, copy):
        path.write_bytes(pictures[0])
    report = await desk.run().files([folder])
    original.unlink()
    original.symlink_to(copy)
    removal = await desk.remove_sources(report.outcomes)
    assert [path for path, _ in removal.left] == [original]
    assert copy.exists()
