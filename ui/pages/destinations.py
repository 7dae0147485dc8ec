"""Where questions may go: the list with its terms, servers of one's own, and the keys of accounts. Keys go to the keyring only."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QDialog, QFrame, QVBoxLayout, QWidget

from app.sharing.types import Destination
from ui.context import Context
from ui.dialogs import ask, opened
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.pages.setup import AddSheet, SetUpSheet, missing
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import policy_badge
from ui.widgets.banner import Banners
from ui.widgets.basics import CARD, button, clear_layout, column, label, row
from ui.widgets.flow import FlowLayout

FEW = 4
"""So many that are not ready are listed; more are folded away until asked for."""

OWN = ("local-", "own-")
"""How the ids of destinations begin that the person added."""


async def add_destination(parent: QWidget, context: Context) -> Destination | None:
    """Let the person add a server, then set it up; None when nothing was added."""
    dialog = await opened(AddSheet(parent, context))
    made = dialog.made if dialog.result() == QDialog.DialogCode.Accepted else None
    if made is not None:
        await opened(SetUpSheet(parent, context, made))
    return made


class DestinationsCard(QFrame):
    """Nothing here is needed to use Eyelid: the mirror works without any of it."""

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__()
        set_role(self, "card")
        self._context = context
        self._banners = banners
        self._unfolded = False
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2 * GRID)
        add = button(context.theme, tr("Add a destination…"), self.add, icon="plus")
        said = tr("What stays here comes first. Nothing is sent by setting one up, and none is needed to use Eyelid.")
        head = row(gap=GRID)
        head.addWidget(label(tr("Where questions may go"), "lead", wrap=True), 1)
        head.addWidget(add)
        self.setLayout(
            column(
                head,
                label(said, tone="muted", wrap=True),
                self._rows,
                gap=GRID + 2,
                margins=CARD,
            )
        )

    def refresh(self) -> None:
        """List the destinations there are now."""
        self._context.tasks.start(self._listing(), key="destinations")

    async def _listing(self) -> None:
        found = self._context.services.sharing.destinations()
        lacking = {each.id: await missing(self._context, each) for each in found}
        clear_layout(self._rows)
        ready, others = ([each for each in found if bool(lacking[each.id]) is lacks] for lacks in (False, True))
        folded = len(others) > FEW and not self._unfolded
        for destination in (*ready, *(() if folded else others)):
            self._rows.addLayout(self._line(destination, lacking[destination.id]))
        if folded:
            more = plural(len(others), "Show {count} more to set up", "Show {count} more to set up")
            self._rows.addLayout(row(button(self._context.theme, more, self._unfold, icon="down", role="quiet"), None))

    def _unfold(self) -> None:
        self._unfolded = True
        self.refresh()

    def _line(self, destination: Destination, lacks: str) -> QVBoxLayout:
        theme, name = self._context.theme, tr_core(destination.label)
        line = column(gap=GRID) if theme.large else row(gap=GRID + 4)
        about = " · ".join(part for part in (destination.model, destination.origin) if part)
        words = column(label(name, "strong", wrap=True), label(about, "small", wrap=True), gap=0)
        if lacks:
            words.addWidget(label(tr("Not ready: {what}", what=lacks), "small", "muted"))
        line.addLayout(words, 1)
        acts = FlowLayout(policy_badge(theme, self._context.services.sharing.card(destination.id).policy_class), at_end=not theme.large)
        line.addLayout(acts)
        if destination.id != "mirror":
            said = tr("Set up…") if lacks else tr("Change…")
            acts.addWidget(button(theme, said, partial(self.set_up, destination), role="quiet", name=tr("Set up {name}", name=name)))
        if destination.id.startswith(OWN):
            acts.addWidget(
                button(theme, tr("Remove…"), partial(self._remove, destination), role="quiet", name=tr("Remove {name}", name=name))
            )
        return column(line)

    def forget(self) -> None:
        self._unfolded = False
        for key in ("destinations", "destination"):
            self._context.tasks.cancel(key)
        clear_layout(self._rows)

    # -- what can be done ------------------------------------------------------------------------------------------------------

    def set_up(self, destination: Destination) -> None:
        self._context.tasks.start(self._setting_up(destination), key="destination")

    async def _setting_up(self, destination: Destination) -> None:
        await opened(SetUpSheet(self.window(), self._context, destination))
        await self._listing()

    def add(self) -> None:
        self._context.tasks.start(self._adding(), key="destination")

    async def _adding(self) -> None:
        if (made := await add_destination(self.window(), self._context)) is not None:
            self._banners.good(tr("{name} was added.", name=made.label))
        await self._listing()

    def _remove(self, destination: Destination) -> None:
        self._context.tasks.start(self._removing(destination), key="destination")

    async def _removing(self, destination: Destination) -> None:
        detail = tr("Its key is deleted from the keyring too. Receipts stay.")
        if await ask(self, tr("Remove {name}?", name=tr_core(destination.label)), detail, yes=tr("Remove"), no=tr("Keep")):
            self._context.services.sharing.book.remove(destination.id)
            await self._listing()
