"""Things that belong to no single page: export, and what is said of the vault as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.errors import Explanation
from app.library.export import ExportFailed, NotWritten
from app.library.types import Query
from app.vault.types import ItemId, Notice
from ui import words
from ui.bulk import in_pieces
from ui.context import Context
from ui.dialogs import ask, choose_folder, tell
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.widgets.banner import Act, Banners

NAMED = 5
"""Captures that a message names one by one."""


async def export_items(parent: QWidget, context: Context, banners: Banners, items: Sequence[ItemId], *, dragged: bool = False) -> None:
    """Say what exporting means, ask for a folder, write copies, and say where they are."""
    title = plural(len(items), "Export {count} capture?", "Export {count} captures?")
    detail = tr("The copies are ordinary files: whoever can read the folder can see them. The sealed originals stay in the vault.")
    if dragged:
        why = tr("Captures are not dropped straight into other programs, because that would leave readable copies behind unseen.")
        detail = f"{detail}\n\n{why}"
    if not await ask(parent, title, detail, yes=tr("Choose a folder…")):
        return
    folder = await choose_folder(parent, title)
    if folder is None:
        return
    left: list[NotWritten] = []

    async def write(piece: tuple[ItemId, ...]) -> None:
        try:
            await context.services.library.export(piece, folder)
        except ExportFailed as error:
            if error.refused:
                raise
            left.extend(error.left)

    tried = await in_pieces(banners, tr("Exporting"), items, write, piece=8)
    count = len(tried) - len(left)
    if count:
        banners.good(plural(count, "{count} capture exported to {folder}.", "{count} captures exported to {folder}.", folder=folder.name))
    if left:
        banners.trouble(await _left_out(context, left))


async def _left_out(context: Context, left: Sequence[NotWritten]) -> Explanation:
    """Which captures could not be written, by when they were taken, and why; the first ones by name."""
    named = left[:NAMED]
    tiles = {tile.id: tile for tile in await context.services.library.tiles(Query(), among=[each.item for each in named])}
    lines = []
    for each in named:
        name = words.when(tiles[each.item].taken_at) if each.item in tiles else each.item[:8]
        lines.append(tr("{name}: {value}", name=name, value=tr_core(str(each.why))))
    if rest := len(left) - len(named):
        lines.append(plural(rest, "and {count} more", "and {count} more"))
    what = plural(len(left), "{count} capture could not be exported.", "{count} captures could not be exported.")
    return Explanation(what, "\n".join(lines))


async def carry_out(parent: QWidget, context: Context, banners: Banners, items: Sequence[ItemId]) -> None:
    """Captures were dragged out of the window. A drop would need readable copies in a folder of ours, so ask for one of theirs."""
    await export_items(parent, context, banners, items, dragged=True)


def say_notices(parent: QWidget, context: Context, banners: Banners, notices: Sequence[Notice]) -> None:
    """Say what differs from when this computer last saw the vault. Serious notices can be accepted, and come again until they are."""
    serious = any(notice.serious for notice in notices)
    what = tr("The vault is not as this computer left it.") if serious else tr("The vault could not be compared with how it stood last.")
    more = Act(tr("Tell me more"), lambda: context.tasks.start(_explain_notices(parent, serious), key="notices"), closes=False)
    accept = Act(tr("Accept"), lambda: context.tasks.start(_accepting(context, banners), key="notices"))
    said = Explanation(what, " ".join(tr_core(notice.text) for notice in notices))
    banners.warn(said, *((more, accept) if serious else (more,)))


async def _explain_notices(parent: QWidget, serious: bool) -> None:
    always = tr(
        "Each time the vault locks, Eyelid leaves a note in the keyring of this computer: how many changes there were, and a fingerprint "
        "of all captures. After unlocking it compares. That shows when files were put back to an older state, or taken away."
    )
    then = tr(
        "If you restored a backup, or removed files yourself, press Accept: the vault as it is now is the one to compare with from then "
        "on. If you did not, somebody else may have changed the folder. Compare it with a backup first; nothing is lost by waiting."
    )
    await tell(parent, tr("How Eyelid noticed"), f"{always}\n\n{then}" if serious else always)


async def _accepting(context: Context, banners: Banners) -> None:
    await context.services.vault.accept_notices()
    banners.good(tr("Accepted: the vault counts as it is now."))
