"""Things several pages can start: export. Each is one coroutine with its dialogs and its banner."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.vault.types import ItemId
from ui.context import Context
from ui.dialogs import ask, choose_folder
from ui.i18n import plural, tr
from ui.widgets.banner import Banners


async def export_items(parent: QWidget, context: Context, banners: Banners, items: Sequence[ItemId]) -> None:
    """Say what exporting means, ask for a folder, write copies, and say where they are."""
    title = plural(len(items), "Export {count} capture?", "Export {count} captures?")
    detail = tr("The copies are ordinary files: whoever can read the folder can see them. The sealed originals stay in the vault.")
    if not await ask(parent, title, detail, yes=tr("Choose a folder…")):
        return
    folder = await choose_folder(parent, title)
    if folder is None:
        return
    paths = await context.services.library.export(items, folder)
    banners.good(plural(len(paths), "{count} capture exported to {folder}.", "{count} captures exported to {folder}.", folder=folder.name))
