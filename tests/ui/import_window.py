"""A window over a real vault, library and import desk; photos to import, and the hands that import them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel

from app.desks import LibraryDesk, VaultDesk
from app.events import ItemsChanged
from app.imports.desk import ImportDesk
from app.lanes import Lanes
from app.library.library import Library
from app.library.types import ThumbSize
from app.settings import WATCH_FOLDER
from app.vault.files import Files
from app.vault.types import LockState
from app.vault.vault import Vault
from ui.main_window import MainWindow
from ui.pages import importing

GLASSES = "Ray-Ban Meta Smart Glasses"


class FastFiles(Files):
    """The real disk without waiting for it."""

    def sync(self, file: io.FileIO) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


def photo(number: int, make: str = "", model: str = "") -> bytes:
    exif = Image.Exif()
    exif.update({tag: text for tag, text in ((0x010F, make), (0x0110, model)) if text})
    out = io.BytesIO()
    Image.new("RGB", (32, 24), (number * 7 % 256, number % 256, 90)).save(out, "JPEG", quality=90, exif=exif.tobytes() if make else b"")
    return out.getvalue()


@contextlib.asynccontextmanager
async def real_window(services: Any, tmp_path: Path, theme: Any, until: Any) -> AsyncIterator[MainWindow]:
    """A window whose vault, library and imports are real."""
    lanes = Lanes()
    vault = Vault.create(tmp_path / "vault", passphrase="words", keyring=False, work_factor=1, files=FastFiles())

    async def purged(items: object) -> None:
        pass

    async def arrived(meta: Any, thumbs: Any) -> None:
        if vault.state is LockState.UNLOCKED:
            await services.library.arrived(meta.id, thumbs)

    services.vault = VaultDesk(tmp_path / "vault", lanes, services.events, on_vault=lambda _vault: None)
    services.vault._adopt(vault)
    services.library = LibraryDesk(Library(vault), lanes, services.events, purged)
    services.imports = ImportDesk(
        vault,
        lanes,
        services.profile.root,
        tuple(ThumbSize),
        arrived,
        lambda items: services.events.publish(ItemsChanged(items)),
        lambda why: None,
    )

    def changed(key: str) -> None:
        if key == WATCH_FOLDER.key:
            services.imports.watch(Path(services.settings.get(WATCH_FOLDER)) if services.settings.get(WATCH_FOLDER) else None)

    services.settings.on_change(changed)
    window = MainWindow(services, theme, asyncio.get_running_loop())
    window.show()
    await until(window.isActiveWindow)
    # pytest-qt lets Qt work between set-up and test, outside of the loop: nothing may be under way then.
    await until(lambda: not window.tasks.running("tiles"))
    yield window
    window.close()
    await window.tasks.stop()
    await services.imports.close()
    await services.vault.close()
    lanes.close()
    window.deleteLater()
    await asyncio.sleep(0)
    gc.collect()


def chosen(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """What the person picks in the next file dialogs."""

    async def files(parent: object, title: str) -> Sequence[Path]:
        return paths

    async def one(parent: object, title: str) -> Path | None:
        return paths[0] if paths else None

    monkeypatch.setattr(importing, "choose_files", files)
    monkeypatch.setattr(importing, "choose_folder", one)


def drop(window: MainWindow, page: Any, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, data, left, none)
    QApplication.sendEvent(page, entering)
    assert entering.isAccepted()
    assert page.property("target")
    QApplication.sendEvent(page, QDropEvent(QPointF(9, 9), copy, data, left, none))
    assert not page.property("target")


def told(window: MainWindow) -> str:
    """All words of the report."""
    card = window.imports.page.report
    return " ".join(each.text() for each in card.findChildren(QLabel) if each.isVisibleTo(card))


async def imported(window: MainWindow, until: Any, *paths: Path) -> None:
    window.imports.show_page()
    window.imports.page.take(paths)
    await until(lambda: window.imports.page.report.report is not None)
