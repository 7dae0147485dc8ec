"""`eyelid glasses turn` and `record`, on simulated glasses."""

from __future__ import annotations

import pytest

from app.cli import paired
from app.cli.paired import first_found
from app.cli.terminal import Exit, Terminal
from app.errors import EyelidError
from app.library.types import Query
from app.services import Services
from app.vault.types import ItemKind
from ble.errors import Unsupported
from tests.cli.driving import run


async def test_photos_come_turned_as_was_said(services: Services) -> None:
    await services.glasses.start_simulated("openglass")
    known = await services.glasses.pair(await first_found(services))
    for degrees, orientation in (("180", 3), ("90", 6), ("none", 8)):
        assert await run(services, Terminal(), "glasses", "turn", known.address, degrees) is Exit.DONE
        assert await run(services, Terminal(), "glasses", "capture", known.address) is Exit.DONE
        newest = (await services.library.tiles(Query()))[0]
        assert (await services.library.details(newest.id)).new.orientation == orientation


async def test_glasses_are_forgotten_and_their_captures_stay(services: Services) -> None:
    await services.glasses.start_simulated("openglass")
    known = await services.glasses.pair(await first_found(services))
    assert await run(services, Terminal(), "glasses", "capture", known.address) is Exit.DONE
    assert await run(services, Terminal(), "glasses", "forget", known.address.lower()) is Exit.DONE
    assert services.glasses.known() == ()
    assert len(await services.library.tiles(Query())) == 1
    with pytest.raises(EyelidError, match="No such glasses are paired"):
        await run(services, Terminal(), "glasses", "forget", known.address)


async def test_a_voice_note_is_recorded_on_request_only(services: Services) -> None:
    await services.glasses.start_simulated("open")
    known = await services.glasses.pair(await first_found(services))
    assert await run(services, Terminal(), "glasses", "record", known.address, "--seconds", "1") is Exit.DONE
    assert [tile.kind for tile in await services.library.tiles(Query(kinds=frozenset({ItemKind.SOUND})))] == [ItemKind.SOUND]
    with pytest.raises(EyelidError):
        await run(services, Terminal(), "glasses", "record", known.address, "--seconds", "601")


async def test_glasses_without_a_microphone_say_so(services: Services) -> None:
    await services.glasses.start_simulated("halo")
    known = await services.glasses.pair(await first_found(services))
    with pytest.raises(Unsupported):
        await run(services, Terminal(), "glasses", "record", known.address)


async def test_a_capture_that_does_not_come_in_time_is_said(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    await services.glasses.start_simulated("openglass")
    known = await services.glasses.pair(await first_found(services))

    async def nothing_comes(address: str) -> None: ...

    monkeypatch.setattr(services.glasses, "take_photo", nothing_comes)
    monkeypatch.setattr(paired, "ARRIVE_SECONDS", 0.0)
    with pytest.raises(EyelidError, match=r"not in the vault\..*not arrived yet"):
        await run(services, Terminal(), "glasses", "capture", known.address)
