"""`eyelid import`: files and folders, asked-for removal, a watched folder, phones, Meta's archive; on real services."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.cli import imports
from app.cli.terminal import Exit
from app.errors import Explanation
from app.imports import watch
from app.imports.phones import Phone
from app.imports.types import Fate, Outcome, Report
from app.library.types import Query
from app.services import Services
from tests.cli.driving import Talk, run


def jpeg(make: str, red: int) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = make
    out = io.BytesIO()
    Image.new("RGB", (24, 16), (red, 9, 9)).save(out, "JPEG", exif=exif.tobytes())
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "from"
    made.mkdir()
    (made / "a.jpg").write_bytes(jpeg("Meta AI", 1))
    (made / "b.jpg").write_bytes(jpeg("Apple", 2))
    (made / "bad.jpg").write_bytes(jpeg("Meta AI", 3)[:-5])
    (made / "notes.txt").write_text("nothing")
    return made


async def test_everything_in_a_folder(services: Services, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(services, Talk(json=True), "--json", "import", str(folder)) is Exit.FAILED  # one of them is damaged
    out, err = capsys.readouterr()
    assert {Path(each["path"]).name: (each["fate"], each["family"]) for each in json.loads(out)} == {
        "a.jpg": ("taken", "meta-glasses"),
        "b.jpg": ("taken", ""),
        "bad.jpg": ("refused", None),
        "notes.txt": ("passed_over", None),
    }
    assert "bad.jpg" in err
    tiles = await services.library.tiles(Query())
    assert {tile.from_name for tile in tiles} == {"Meta glasses", "Apple"}
    assert all([await services.library.thumbnail(tile.id, size) for tile in tiles for size in (160, 320)])  # type: ignore[arg-type]


async def test_only_glasses_and_removal_on_a_yes(services: Services, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await run(services, Talk("n"), "import", str(folder), "--only-glasses", "--remove")
    assert (folder / "a.jpg").exists()
    await run(services, Talk("y"), "import", str(folder), "--only-glasses", "--remove")
    assert sorted(path.name for path in folder.iterdir()) == ["b.jpg", "bad.jpg", "notes.txt"]
    out = capsys.readouterr().out
    assert "a.jpg: Meta glasses, the file says so. The file names its maker: Meta AI." in out
    assert "From glasses of Meta's: 1. Eyelid can't know whether" in out
    assert "a.jpg: already in the vault." in out
    assert "notes.txt: passed over. This is no picture" in out
    assert "Deleted: 1. Left: 0." in out


async def test_many_files_with_one_reason_and_long_names(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(imports, "SAME_LINES", 2)
    (many := tmp_path / "many").mkdir()
    for number in range(5):
        (many / f"{'n' * 230}{number}.txt").write_text("no picture")
    await run(services, Talk(), "import", str(many))
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("common kind.") for line in lines] == [True, True, True, False]
    assert all(".txt: passed over." in line for line in lines[:2])
    assert lines[2].startswith("… and 3 more passed over: ")
    (tmp_path / "empty").mkdir()
    await run(services, Talk(), "import", str(tmp_path / "empty"))
    assert "No files were found there." in capsys.readouterr().out


async def test_nothing_named_says_what_can_be(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(services, Talk(), "import") is Exit.USAGE
    assert "Ray-Ban Meta" in capsys.readouterr().out


async def test_phones_are_listed_and_imported_from(
    services: Services, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(services, Talk(), "import", "--phones") is Exit.DONE
    assert "Unlock the phone" in capsys.readouterr().out or "Explorer" in capsys.readouterr().out

    async def plugged_in() -> tuple[Phone, ...]:
        return (Phone("Pixel 8", (folder,)),)

    monkeypatch.setattr(services.imports, "phones", plugged_in)
    assert await run(services, Talk(), "import", "--phones") is Exit.DONE
    assert "Pixel 8" in capsys.readouterr().out
    await run(services, Talk(), "import", "--phones", "--all")
    assert len(await services.library.tiles(Query())) == 2


async def test_a_watched_folder(
    services: Services, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watch, "SECONDS", 0.01)
    monkeypatch.setattr(imports, "WATCH_SECONDS", 0.01)
    watching = asyncio.ensure_future(run(services, Talk(), "import", "--watch", str(folder)))
    out = err = ""
    while not ("a.jpg: Meta glasses" in out and "b.jpg: Apple." in out and "bad.jpg: This picture is damaged" in err):
        await asyncio.sleep(0.01)
        told = capsys.readouterr()
        out, err = out + told.out, err + told.err
    folder.rename(folder.with_name("elsewhere"))
    while "is not there" not in capsys.readouterr().err:
        await asyncio.sleep(0.01)
    folder.with_name("elsewhere").rename(folder)
    watching.cancel()
    assert err.count("bad.jpg") == 1
    await asyncio.gather(watching, return_exceptions=True)
    assert all(path.exists() for path in (folder / "a.jpg", folder / "b.jpg"))


async def test_metas_archive_marks_what_was_shared(services: Services, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await run(services, Talk(), "import", str(folder / "a.jpg"))
    archive = folder / "meta.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("messages/ai_conversations.json", json.dumps([{"timestamp": 1_751_019_480, "media": [{"uri": "m/a.jpg"}]}]))
    (folder / "second part/m").mkdir(parents=True)
    (folder / "second part/m/a.jpg").write_bytes((folder / "a.jpg").read_bytes())
    assert await run(services, Talk(), "import", "--meta-archive", str(archive), str(folder / "second part")) is Exit.DONE
    assert "1 that were in the vault, 0 taken" in capsys.readouterr().out
    (tile,) = await services.library.tiles(Query())
    assert tile.status_words == "Shared with Meta"


def test_what_ended_an_import_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    imports._tell(Report((Outcome(Path("a.jpg"), Fate.KNOWN),), stopped=True, why=Explanation("The drive is gone.")), Talk())
    told = capsys.readouterr()
    assert told.err == "eyelid: The drive is gone.\n"
    assert told.out.endswith("Stopped; the same command goes on from here.\n")
