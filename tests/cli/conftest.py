"""A running Eyelid that commands find in place of one they would start."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.cli import ask, glasses, imports, look
from app.paths import Profile
from app.services import Services
from tests.cli.driving import PASSPHRASE, with_vault


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """Unlocked. Commands of `glasses`, `import`, `look` and `ask` run on it."""
    made = await Services.start(Profile(with_vault(tmp_path / "profile")))
    await made.vault.unlock(PASSPHRASE)

    @contextlib.asynccontextmanager
    async def here(*_: object, **__: object) -> AsyncIterator[Services]:
        yield made

    for module in (ask, glasses, imports, look):
        monkeypatch.setattr(module, "unlocked", here)
    monkeypatch.setattr(glasses, "running", here)
    yield made
    await made.stop()
