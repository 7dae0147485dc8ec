"""Importing: everything whole comes in once, everything else gets a line that says why, and the source stays as it was."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.imports.desk import ImportDesk
from app.imports.packing import IMPORTED
from app.imports.pairs import pairs
from app.imports.run import Choice, _Meter
from app.imports.sources import find
from app.imports.types import Fate, Progress, Report, Source
from app.keyed_file import KeyedFile
from app.vault.errors import VaultLocked
from app.vault.types import ItemKind
from app.vault.vault import Vault


def fates(report: Report) -> dict[str, Fate]:
    return {outcome.path.name: outcome.fate for outcome in report.outcomes}


def why(report: Report, name: str) -> str:
    return next(str(outcome.why) for outcome in report.outcomes if outcome.path.name == name)


async def test_a_folder_comes_in_bit_for_bit_and_stays_as_it_was(
    desk: ImportDesk, vault: Vault, heard: Any, folder: Path, pictures: list[bytes]
) -> None:
    (folder / "deep/deeper").mkdir(parents=True)
    for number, data in enumerate(pictures):
        (folder / ("deep/deeper" if number % 2 else ".") / f"{number}.jpg").write_bytes(data)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.jpg")}
    report = await desk.run().files([folder])
    assert report.count(Fate.TAKEN) == len(pictures)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.jpg")} == before
    assert {hashlib.sha256(vault.read(meta.id)).hexdigest() for meta in heard.arrived} == {
        hashlib.sha256(data).hexdigest() for data in pictures
    }
    assert {meta.new.original_name for meta in heard.arrived} == {path.name for path in before}


async def test_the_same_bytes_come_in_once(desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    (folder / "b.jpg").write_bytes(pictures[0])
    first = await desk.run().files([folder])
    assert sorted(outcome.fate.value for outcome in first.outcomes) == ["already in the vault", "taken"]
    assert len({outcome.item for outcome in first.outcomes}) == 1
    again = await desk.run().files([folder, folder / "a.jpg"])
    assert again.count(Fate.KNOWN) == 3
    assert len(vault.ids()) == 1


async def test_what_was_deleted_from_the_vault_can_be_imported_again(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    first = (await desk.run().files([folder])).outcomes[0]
    assert first.item is not None
    vault.delete(first.item)
    assert (await desk.run(Choice(again=False)).files([folder])).outcomes[0].fate is Fate.KNOWN
    assert (await desk.run().files([folder])).outcomes[0].fate is Fate.TAKEN


async def test_hostile_files_get_a_line_each_and_the_rest_comes_in(
    desk: ImportDesk, folder: Path, pictures: list[bytes], recognition: ModuleType
) -> None:
    (folder / "good.jpg").write_bytes(pictures[0])
    (folder / "cut.jpg").write_bytes(pictures[1][:-9])
    (folder / "wrong ending.mp4").write_bytes(pictures[2])
    (folder / "notes.jpg").write_text("no picture at all")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + b"\0\0\0\0" + b"\0\0\0\0IEND\xaeB`\x82"
    )
    (folder / "cut.heic").write_bytes(recognition.HEIC[:500])
    (folder / "line\nend\u202egpj.jpg").write_bytes(pictures[3])
    (folder / "half.jpg.part").write_bytes(pictures[4])
    (folder / ".hidden.jpg").write_bytes(pictures[5])
    (folder / "photos.zip").write_bytes(b"PK\x03\x04" + pictures[5])
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop").symlink_to(folder)
    (folder / "link.jpg").symlink_to(folder / "good.jpg")
    with (folder / "long.jpg").open("wb") as file:
        file.write(pictures[6])
        file.truncate(5 * 1024**3)  # sparse: no such space is taken
    report = await desk.run().files([folder])
    assert fates(report) == {
        "good.jpg": Fate.TAKEN,
        "wrong ending.mp4": Fate.TAKEN,
        "line\nend\u202egpj.jpg": Fate.TAKEN,
        "cut.jpg": Fate.REFUSED,
        "bomb.png": Fate.REFUSED,
        "cut.heic": Fate.REFUSED,
        "pipe.jpg": Fate.REFUSED,
        "loop": Fate.REFUSED,
        "link.jpg": Fate.REFUSED,
        "long.jpg": Fate.REFUSED,
        "half.jpg.part": Fate.PASSED_OVER,
        "photos.zip": Fate.PASSED_OVER,
        "notes.jpg": Fate.PASSED_OVER,
        "empty.jpg": Fate.PASSED_OVER,
    }
    assert "pipe" in why(report, "pipe.jpg")
    assert "link" in why(report, "loop")
    assert "4 GiB" in why(report, "long.jpg")
    assert "not complete" in why(report, "half.jpg.part")
    assert "Unpack" in why(report, "photos.zip")
    assert "empty" in why(report, "empty.jpg")
    assert "ends too early" in why(report, "cut.jpg")


async def test_names_are_kept_as_far_as_they_can_be_shown(desk: ImportDesk, heard: Any, folder: Path, pictures: list[bytes]) -> None:
    (folder / "line\nend\u202egpj.jpg").write_bytes(pictures[0])
    (folder / f"{'n' * 240}.jpg").write_bytes(pictures[1])
    await desk.run().files([folder])
    assert {meta.new.original_name for meta in heard.arrived} == {"lineendgpj.jpg", f"{'n' * 196}.jpg"}


async def test_what_cannot_be_read_is_said(desk: ImportDesk, folder: Path) -> None:
    report = await desk.run().files([folder / "nowhere", folder / "nul\0name"])
    assert [outcome.fate for outcome in report.outcomes] == [Fate.REFUSED, Fate.REFUSED]
    assert all(str(outcome.why) for outcome in report.outcomes)


async def test_a_file_that_changes_while_it_is_read_is_refused(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.jpg"
    path.write_bytes(pictures[0])
    from app.imports import packing

    whole = packing._whole

    def meanwhile(file: Any, size: int) -> bytes:
        data = whole(file, size)
        path.write_bytes(pictures[1] + b"more")
        return data

    monkeypatch.setattr(packing, "_whole", meanwhile)
    report = await desk.run().files([folder])
    assert fates(report) == {"a.jpg": Fate.REFUSED}
    assert "changed while it was read" in why(report, "a.jpg")
    assert vault.ids() == ()


async def test_a_drive_that_numbers_its_files_anew_changes_none(desk: ImportDesk, folder: Path, pictures: list[bytes]) -> None:
    path = folder / "a.jpg"
    path.write_bytes(pictures[0])
    found = [each for each in find([folder]) if isinstance(each, Source)]
    (folder / "again").write_bytes(pictures[0])  # another inode while the first is there
    os.utime(folder / "again", ns=(0, found[0].modified_ns))
    (folder / "again").replace(path)
    assert [outcome.fate for outcome in await desk.run().sources(found)] == [Fate.TAKEN]


async def test_a_long_file_is_read_from_the_disk_twice_and_must_be_the_same(
    desk: ImportDesk, vault: Vault, folder: Path, recognition: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.imports import importer, packing

    monkeypatch.setattr(packing, "IN_MEMORY", 10)
    (folder / "a.mov").write_bytes(recognition.clip(copyright="Meta AI"))
    (folder / "b.mov").write_bytes(recognition.clip(copyright="Meta AI", model="another"))
    digest = packing.digest
    monkeypatch.setattr(packing, "digest", lambda file: "00" * 32 if Path(file.name).name == "b.mov" else digest(file))
    monkeypatch.setattr(importer, "opened", _named(importer.opened))
    report = await desk.run().files([folder])
    assert fates(report) == {"a.mov": Fate.TAKEN, "b.mov": Fate.REFUSED}
    assert len(vault.ids()) == 1


def _named(opened: Any) -> Any:
    """Descriptors know no name; give them the source's, so that the test above can tell two files apart."""
    from contextlib import contextmanager

    @contextmanager
    def with_name(source: Any) -> Any:
        with opened(source) as raw:
            yield _Named(raw, str(source.path))

    return with_name


class _Named:
    def __init__(self, raw: Any, name: str) -> None:
        self._raw, self.name = raw, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


async def test_times_come_from_the_file_then_its_name_then_the_disk(
    desk: ImportDesk, heard: Any, folder: Path, pictures: list[bytes], recognition: ModuleType
) -> None:
    (folder / "x.heic").write_bytes(recognition.HEIC)
    (folder / "20260512_140309_3f.jpg").write_bytes(pictures[0])
    (folder / "plain.jpg").write_bytes(pictures[1])
    (folder / "99990512_149999_3f.jpg").write_bytes(pictures[2])
    os.utime(folder / "plain.jpg", (1_700_000_000, 1_700_000_000))
    (folder / "zone.mov").write_bytes(recognition.clip(creationdate="2026-05-12T14:03:09+0900"))
    await desk.run().files([folder])
    taken = {meta.new.original_name: meta.new.taken_at for meta in heard.arrived}
    assert taken["x.heic"] == datetime(2026, 5, 12, 12, 3, 9, tzinfo=UTC)
    assert taken["20260512_140309_3f.jpg"] == datetime(2026, 5, 12, 14, 3, 9).astimezone(UTC)
    assert taken["plain.jpg"] == datetime.fromtimestamp(1_700_000_000, UTC)
    assert taken["zone.mov"] == datetime(2026, 5, 12, 5, 3, 9, tzinfo=UTC)
    assert taken["99990512_149999_3f.jpg"].year >= 2023


async def test_a_still_and_its_clip_are_kept_together(
    desk: ImportDesk, heard: Any, folder: Path, pictures: list[bytes], recognition: ModuleType
) -> None:
    (folder / "IMG_1.JPG").write_bytes(pictures[0])
    (folder / "IMG_1.mov").write_bytes(recognition.clip(make="A"))
    (folder / "IMG_2.jpg").write_bytes(pictures[1])
    (folder / "IMG_2.jpeg").write_bytes(pictures[2])
    (folder / "IMG_2.mov").write_bytes(recognition.clip(make="B"))
    await desk.run().files([folder])
    groups = {meta.new.original_name: meta.new.group for meta in heard.arrived}
    assert pairs(each for each in find([folder, folder / "IMG_1.mov"]) if isinstance(each, Source)) == {
        folder / name: groups[name] for name in ("IMG_1.JPG", "IMG_1.mov")
    }, "the same mark each time, so that an import that was cut off between the two goes on with it"
    assert groups["IMG_1.JPG"] == groups["IMG_1.mov"] != ""
    assert {groups[name] for name in ("IMG_2.jpg", "IMG_2.jpeg", "IMG_2.mov")} == {""}


async def test_what_it_was_recognised_as_is_kept_with_the_reasons(
    desk: ImportDesk, heard: Any, folder: Path, recognition: ModuleType
) -> None:
    (folder / "a.jpg").write_bytes(recognition.jpeg("Meta AI", "Ray-Ban Meta Smart Glasses"))
    (folder / "b.jpg").write_bytes(recognition.jpeg("Apple", "iPhone 17"))
    (folder / "c.jpg").write_bytes(recognition.jpeg())
    await desk.run().files([folder])
    new = {meta.new.original_name: meta.new for meta in heard.arrived}
    assert (new["a.jpg"].origin.family, new["a.jpg"].origin.name) == ("ray-ban-meta", "Ray-Ban Meta")
    assert new["a.jpg"].recognised is not None
    assert new["a.jpg"].recognised.signs == (("make", "Meta AI"), ("model", "Ray-Ban Meta Smart Glasses"))
    assert (new["b.jpg"].origin.family, new["b.jpg"].origin.name) == (IMPORTED, "Apple iPhone 17")
    assert (new["c.jpg"].origin.family, new["c.jpg"].origin.name) == (IMPORTED, "")
    assert {each.kind for each in new.values()} == {ItemKind.PHOTO}


async def test_only_from_glasses(desk: ImportDesk, folder: Path, pictures: list[bytes], recognition: ModuleType) -> None:
    (folder / "a.jpg").write_bytes(recognition.jpeg("Meta AI"))
    (folder / "b.jpg").write_bytes(pictures[0])
    report = await desk.run(Choice(only_glasses=True)).files([folder])
    assert fates(report) == {"a.jpg": Fate.TAKEN, "b.jpg": Fate.PASSED_OVER}


async def test_progress_pause_and_stop(desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    for number, data in enumerate(pictures):
        (folder / f"{number:02}.jpg").write_bytes(data)
    told: list[Progress] = []

    def watch(progress: Progress) -> None:
        told.append(progress)
        if progress.done == 3:
            run.stop()

    run = desk.run(on_progress=watch)
    run.pause()
    assert run.paused
    run.resume()
    report = await run.files([folder])
    assert report.stopped
    assert 3 <= report.count(Fate.TAKEN) < len(pictures)
    assert all((each.rate is None) == (each.seconds_left is None) for each in told)
    assert told[0] == Progress(0, len(pictures), 0, sum(map(len, pictures)))
    assert [each.done for each in told] == sorted(each.done for each in told)
    rest = await desk.run().files([folder])
    assert rest.count(Fate.TAKEN) + report.count(Fate.TAKEN) == len(pictures) == len(vault.ids())


async def test_a_locked_vault_takes_nothing_in(desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    vault.lock()
    with pytest.raises(VaultLocked):
        await desk.run().files([folder])
    assert vault.ids() == ()


async def test_a_full_disk_is_an_outcome_and_nothing_is_half_there(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault, "keep", full)
    report = await desk.run().files([folder])
    assert fates(report) == {"a.jpg": Fate.REFUSED}
    assert "No space left" in why(report, "a.jpg")
    assert vault.ids() == ()


def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock = [0.0]
    meter = _Meter(lambda: clock[0])
    meter.begin(60, 60_000)
    meter.done(1000)
    assert meter.progress().rate is None
    for second in range(1, 21):
        clock[0] = second
        meter.done(500)
        meter.done(500)  # in the same moment
    assert meter.progress().rate == pytest.approx(1000, rel=0.2)
    assert meter.progress().seconds_left == pytest.approx(39, rel=0.2)
    clock[0] += 1000
    meter.rested()
    assert meter.progress().rate is None
    clock[0] += 1
    meter.done(1000)
    assert meter.progress().rate == pytest.approx(1000)


async def test_a_damaged_memory_costs_only_time(vault: Vault, tmp_path: Path, heard: Any, folder: Path, pictures: list[bytes]) -> None:
    from app.lanes import Lanes

    (folder / "a.jpg").write_bytes(pictures[0])
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/imports.sqlite").write_bytes(b"no database" * 100)
    lanes = Lanes()
    desk = ImportDesk(vault, lanes, tmp_path / "profile", (160,), heard.take, heard.changed.extend, heard.trouble.append)
    assert (await desk.run().files([folder])).count(Fate.TAKEN) == 1
    await desk.close()
    names = b"".join(path.read_bytes() for path in (tmp_path / "profile").iterdir())
    assert b"a.jpg" not in names
    lanes.close()


async def test_a_memory_that_cannot_be_written_ends_no_import(
    desk: ImportDesk, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(KeyedFile, "run", full)
    (folder / "a.jpg").write_bytes(pictures[0])
    assert [(await desk.run().files([folder])).outcomes[0].fate for _ in range(2)] == [Fate.TAKEN, Fate.KNOWN]
