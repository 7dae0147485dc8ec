"""A drive that was pulled out, or a vault's that is full, ends an import with one sentence; it goes on where it was."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.imports import obstacles
from app.imports.desk import ImportDesk
from app.imports.memory import ImportMemory
from app.imports.obstacles import Obstacles
from app.imports.run import AT_ONCE
from app.imports.types import Fate, Progress, Source
from app.vault.vault import Vault


def test_the_folder_that_was_named_goes_or_is_another_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drive, other = tmp_path / "drive", tmp_path / "other"
    for place in (drive, other):
        place.mkdir()
        (place / "a.jpg").touch()
    known = Obstacles([drive, other / "a.jpg", tmp_path / "nowhere"], tmp_path)
    assert known.in_the_way(drive / "a.jpg") is None
    assert known.in_the_way(other / "a.jpg") is None
    shutil.rmtree(other)
    assert known.in_the_way(drive / "a.jpg") is None
    assert "not there" in str(known.in_the_way(other / "a.jpg"))
    monkeypatch.setattr(obstacles, "_device", lambda _place: -1)  # the empty folder that the drive was mounted on
    assert "not there" in str(known.in_the_way(drive / "a.jpg"))


def test_several_files_in_a_row_that_fail_are_the_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, path, faults = Obstacles([tmp_path], tmp_path), tmp_path / "a.jpg", iter([errno.EIO, None, *[errno.ENODEV] * obstacles.SEVERAL])
    path.write_bytes(b"sound")
    really = Path.open

    def opened(self: Path, *how: Any, **also: Any) -> Any:
        if (fault := next(faults)) is not None:
            raise OSError(fault, os.strerror(fault))
        return really(self, *how, **also)

    monkeypatch.setattr(Path, "open", opened)
    said = [known.in_the_way(path) for _ in range(1 + obstacles.SEVERAL)]
    assert said == [None] * (1 + obstacles.SEVERAL)
    assert "can't be read" in str(known.in_the_way(path))


def test_a_drive_that_tells_no_room_is_not_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Obstacles([tmp_path], tmp_path)
    monkeypatch.setattr(obstacles.shutil, "disk_usage", lambda _path: SimpleNamespace(free=obstacles.LEAST - 1))
    assert "full" in str(known.in_the_way(tmp_path / "a.jpg"))
    monkeypatch.setattr(obstacles.shutil, "disk_usage", lambda _path: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    assert known.in_the_way(tmp_path / "a.jpg") is None


async def test_an_import_ends_when_its_drive_is_gone_and_goes_on(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]
) -> None:
    for number in range(3 * AT_ONCE):
        (folder / f"{number:02}.jpg").write_bytes(pictures[number % len(pictures)] + b"\0" * number)
    away = folder.with_name("away")

    def pulled(progress: Progress) -> None:
        if progress.done == 2:
            folder.rename(away)

    report = await desk.run(on_progress=pulled).files([folder])
    assert report.stopped
    assert "Connect it again" in str(report.why)
    assert report.count(Fate.TAKEN) >= 2
    assert len(report.outcomes) < 3 * AT_ONCE
    away.rename(folder)
    rest = await desk.run().files([folder])
    assert (rest.stopped, rest.why) == (False, None)
    assert len(vault.ids()) == 3 * AT_ONCE


async def test_a_fault_of_our_own_over_one_file_is_a_line_and_the_rest_comes_in(
    desk: ImportDesk, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(pictures[number])

    def item(memory: ImportMemory, source: Source) -> None:
        if source.path.name == "1.jpg":
            raise ZeroDivisionError

    monkeypatch.setattr(ImportMemory, "item", item)
    report = await desk.run().files([folder])
    assert {each.path.name: each.fate for each in report.outcomes} == {"0.jpg": Fate.TAKEN, "1.jpg": Fate.REFUSED, "2.jpg": Fate.TAKEN}
    assert "ZeroDivisionError" in next(str(each.why) for each in report.outcomes if each.fate is Fate.REFUSED)
