"""Makes a profile as this version writes it, to be kept for good: `python tests/app/released/make.py 0.1`.

Run once, just before a release. Every later Eyelid must open what lies here (`tests/app/test_released.py`): a vault with a photo, a clip, a
note, an album, something in the trash, an answer of the mirror and its receipts, known glasses, settings. All of it is made of the sample
pictures; the passphrase and the recovery code stand in the file about.json beside it, and protect nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from app import settings as declared
from app.cli.paired import first_found
from app.library.types import Query
from app.media.samples import clip
from app.paths import Profile
from app.services import Services
from app.sharing.types import Draft, Ended
from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault

PASSPHRASE = "nothing secret"


async def make(folder: Path) -> dict[str, object]:
    profile = Profile(folder)
    profile.make()
    Vault.create(profile.vault, passphrase=PASSPHRASE, keyring=False, work_factor=4).close()
    services = await Services.start(profile)
    try:
        await services.vault.unlock(PASSPHRASE)
        _, code = await services.vault.add_recovery()
        services.settings.set(declared.THEME, "dark")
        await photo(services)
        new = NewItem(ItemKind.VIDEO, "video/mp4", datetime(2026, 5, 12, 9, 30, tzinfo=UTC), Origin("omi-glass", "AA", "Omi"))
        film = services.vault.vault.add(clip(), new)
        (first,) = [tile.id for tile in await services.library.tiles(Query()) if tile.id != film.id]
        await services.library.set_note(first, "the first one")
        await services.library.put_in_album([first], "Kept")
        await services.library.trash([film.id])
        proposal = await services.sharing.prepare(Draft((first,), "What is this?", "mirror"))
        approval = await services.sharing.approve(proposal)
        async for event in services.sharing.send(proposal, approval):
            ended = isinstance(event, Ended)
        assert ended
        receipts = len(await services.sharing.receipts())
        return {"passphrase": PASSPHRASE, "recovery": code, "first": first, "film": film.id, "receipts": receipts}
    finally:
        await services.stop()


async def photo(services: Services) -> None:
    await services.glasses.start_simulated("omi-glass")
    known = await services.glasses.pair(await first_found(services))
    await services.glasses.take_photo(known.address)
    while not await services.library.tiles(Query()):
        await asyncio.sleep(0.05)


def main() -> int:
    folder = Path(__file__).with_name(sys.argv[1])
    about = asyncio.run(make(folder / "profile"))
    for left in ("vault/lock", "vault/index.db", "vault/thumbs.db"):
        (folder / "profile" / left).unlink(missing_ok=True)
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
