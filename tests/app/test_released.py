"""What earlier versions wrote still opens: each folder of tests/app/released is a profile as one of them left it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app import settings as declared
from app.errors import EyelidError
from app.library.types import Query
from app.media.samples import clip, pictures
from app.paths import Profile
from app.services import Services
from app.vault.rescue import __file__ as rescue

RELEASED = Path(__file__).with_name("released")
VERSIONS = sorted(path.name for path in RELEASED.iterdir() if (path / "about.json").is_file())


def test_there_is_something_to_open() -> None:
    assert "0.1" in VERSIONS
    assert Path(rescue).is_file()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_profile_of_an_earlier_version_opens_whole(version: str, tmp_path: Path) -> None:
    about = json.loads((RELEASED / version / "about.json").read_text("utf-8"))
    shutil.copytree(RELEASED / version / "profile", tmp_path / "profile")
    services = await Services.start(Profile(tmp_path / "profile"))
    try:
        await services.vault.unlock_with_recovery(about["recovery"])
        await services.vault.lock()
        await services.vault.unlock(about["passphrase"])
        await services.library.catch_up()
        assert await services.library.picture(about["first"]) in pictures("omi-glass")
        assert await services.library.picture(about["film"]) == clip()
        meta = await services.library.details(about["first"])
        assert (meta.note, meta.albums) == ("the first one", ("Kept",))
        assert meta.exchanges[0].question == "What is this?"
        assert [tile.id for tile in await services.library.tiles(Query(trashed=True))] == [about["film"]]
        receipts = await services.sharing.receipts()
        assert len(receipts) == about["receipts"]
        assert (await services.sharing.verify_receipts()).sound
        assert (await services.vault.verify()).sound
        assert services.settings.get(declared.THEME) == "dark"
        assert [view.known.family for view in services.glasses.known()] == ["omi-glass"]
    finally:
        await services.stop()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("vault/vault.toml", "format = 1", "format = 99"),
        ("glasses.json", '"format": 1', '"format": 99'),
        ("settings.toml", '"dark"', '"sepia"'),
        ("settings.toml", "theme", "format = 99\ntheme"),
    ],
)
async def test_a_profile_of_a_later_version_says_so_and_stays_as_it_is(file: str, old: str, new: str, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    shutil.copytree(RELEASED / "0.1" / "profile", folder)
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(EyelidError, match=r"by a newer Eyelid\..*Update Eyelid"):
        await Services.start(Profile(folder))
    assert {path: path.read_bytes() for path in before} == before
