"""`eyelid glasses turn` and `record`, on simulated glasses."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.cli import glasses
from app.cli.demo import first_found
from app.cli.main import parser
from app.cli.terminal import Exit, Terminal
from app.errors import EyelidError
from app.library.types import Query
from app.paths import Profile
from app.services import Services
from app.vault.types import ItemKind
from app.vault.vault import Vault
from ble.errors import Unsupported


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    profile = Profile(tmp_path / "profile")
    profile.make()
    Vault.create(profile.vault, passphrase="correct horse", keyring=False, work_factor=2).close()
    made = await Services.start(profile)
    await made.vault.unlock("correct horse")

    @contextlib.asynccontextmanager
    async def here(*_: object, **__: object) -> AsyncIterator[Services]:
        yield made

    monkeypatch.setattr(glasses, "unlocked", here)
    monkeypatch.setattr(glasses, "running", here)
    yield made
    await made.stop()


async def run(services: Services, *arguments: str) -> Exit:
    parsed = parser().parse_args(["glasses", *arguments])
    code = await parsed.command(services.profile, parsed, Terminal())
    assert isinstance(code, Exit)
    return code


async def test_photos_come_turned_as_was_said(services: Services) -> None:
    await services.glasses.start_simulated("openglass")
    known = await services.glasses.pair(await first_found(services))
    for degrees, orientation in (("180", 3), ("90", 6), ("none", 8)):
        assert await run(services, "turn", known.address, degrees) is Exit.DONE
        assert await run(services, "capture", known.address) is Exit.DONE
        newest = (await services.library.tiles(Query()))[0]
        assert (await services.library.details(newest.id)).new.orientation == orientation


async def test_a_voice_note_is_recorded_on_request_only(services: Services) -> None:
    await services.glasses.start_simulated("open")
    known = await services.glasses.pair(await first_found(services))
    assert await run(services, "record", known.address, "--seconds", "1") is Exit.DONE
    assert [tile.kind for tile in await services.library.tiles(Query(kinds=frozenset({ItemKind.SOUND})))] == [ItemKind.SOUND]
    with pytest.raises(EyelidError):
        await run(services, "record", known.address, "--seconds", "601")


async def test_glasses_without_a_microphone_say_so(services: Services) -> None:
    await services.glasses.start_simulated("halo")
    known = await services.glasses.pair(await first_found(services))
    with pytest.raises(Unsupported):
        await run(services, "record", known.address)
