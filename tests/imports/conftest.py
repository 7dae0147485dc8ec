"""What the import tests share: a cheap unlocked vault, its desk, and pictures of a few bytes that differ."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from app.errors import Explanation
from app.imports.desk import ImportDesk
from app.lanes import Lanes
from app.media.types import Thumb
from app.vault.files import Files
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin
from app.vault.vault import Vault

PASSPHRASE = "correct horse battery staple"


class FastFiles(Files):
    """The real disk without waiting for it."""

    def sync(self, file: FileIO) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


class Heard:
    """What the desk told: new items, changed ones, trouble."""

    def __init__(self) -> None:
        self.arrived: list[ItemMeta] = []
        self.thumbs: list[Sequence[Thumb]] = []
        self.changed: list[ItemId] = []
        self.trouble: list[Explanation] = []
        self.kept: Callable[[ItemId, Sequence[Thumb]], None] = lambda _item, _thumbs: None

    async def take(self, meta: ItemMeta, thumbs: Sequence[Thumb]) -> None:
        self.arrived.append(meta)
        self.thumbs.append(thumbs)
        self.kept(meta.id, thumbs)


@pytest.fixture(scope="session")
def recognition() -> ModuleType:
    """The command that makes the labelled set."""
    path = Path(__file__).with_name("recognition.py")
    spec = importlib.util.spec_from_file_location("recognition", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["recognition"] = module
    spec.loader.exec_module(module)
    return module


def picture(number: int) -> bytes:
    """A small sound JPEG, another for each number."""
    out = io.BytesIO()
    Image.new("RGB", (16, 12), (number % 256, number // 256 % 256, number // 65536 % 256)).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def pictures() -> list[bytes]:
    return [picture(7 * number) for number in range(12)]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault.create(tmp_path / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=1, files=FastFiles())
    yield made
    made.close()


@pytest.fixture
def new_photo(vault: Vault) -> Callable[[bytes], ItemId]:
    """Seals a photo that nobody looked at yet."""
    new = NewItem(ItemKind.PHOTO, "image/jpeg", datetime.now(UTC), Origin("import"))
    return lambda data: vault.add(data, new).id


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def desk(vault: Vault, tmp_path: Path, heard: Heard) -> AsyncIterator[ImportDesk]:
    lanes = Lanes()
    made = ImportDesk(vault, lanes, tmp_path / "profile", (160, 320), heard.take, heard.changed.extend, heard.trouble.append)
    yield made
    await made.close()
    lanes.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "from"
    made.mkdir()
    return made
