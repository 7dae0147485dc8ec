"""Pairing as a live list: what is heard on the air by signal, help when nothing is, and simulated glasses to try with."""

from __future__ import annotations

import contextlib
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.errors import Explanation
from app.glasses.types import FoundGlasses
from ui.context import Context
from ui.dialogs import ask
from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import Badge
from ui.widgets.banner import Banner, Banners, announce
from ui.widgets.basics import button, card, clear_layout, column, icon_label, label, noted, row
from ui.widgets.flow import FlowLayout
from ui.widgets.page import scrolled
from ui.widgets.progress import ProgressRow

SCAN_SECONDS = 30.0


def signal_look(rssi: int) -> tuple[str, str]:
    """Icon and word for a signal in dBm."""
    if rssi >= -60:
        return "signal-3", tr("Strong signal")
    if rssi >= -78:
        return "signal-2", tr("Fair signal")
    return "signal-1", tr("Weak signal")


def reasons() -> tuple[str, ...]:
    """Why glasses may not be heard, most common first."""
    return (
        tr("Are they out of their case and switched on?"),
        tr("Are they connected to a phone? Most glasses talk to one device at a time: close the phone's app or switch its Bluetooth off."),
        tr("Are they within a few steps of this computer?"),
        tr("Is Bluetooth on, and may this computer's apps use it?"),
        tr("Ray-Ban Meta and Oakley Meta cannot be paired with a computer: their maker allows the phone app only."),
    )


class PairingPanel(QWidget):
    """Scans while it is in front. `closed` when a pair was paired, or on Done."""

    closed = Signal()

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__()
        self._context = context
        self._banners = banners
        self._found: dict[str, FoundGlasses] = {}
        self._pairing = ""
        self._round = 0
        self._said = ""
        self._refused: Banner | None = None
        theme = context.theme
        self.progress = ProgressRow(theme)
        self._heard = QVBoxLayout()
        self._heard.setSpacing(GRID)
        self._none = label(tr("Nothing heard yet."), tone="muted", wrap=True)
        self._again = button(theme, tr("Search again"), self.start, icon="refresh")
        done = button(theme, tr("Done"), self.closed.emit)
        self.first = done
        head = row(label(tr("Glasses nearby"), "lead"), None, self._again, done)
        why = column(label(tr("Why can't I see mine?"), "lead"), gap=GRID)
        for reason in reasons():
            why.addLayout(noted(theme, "question", "muted", reason))
        self._simulated = FlowLayout()
        hint = tr("Simulated glasses behave like real ones, over a virtual radio. Their photos are marked as simulated.")
        trial = card(label(tr("Try without glasses"), "lead"), label(hint, tone="muted", wrap=True), self._simulated)
        whole = column(card(head, self.progress, self._none, self._heard, gap=GRID + 4), trial, card(why), None, gap=2 * GRID)
        self.setLayout(column(scrolled(whole)))

    def start(self) -> None:
        """Begin a fresh scan."""
        self._offer_simulated()
        self._found.clear()
        self._said = ""
        self._list()
        self._again.setEnabled(False)
        self.progress.begin(tr("Listening for glasses…"))
        self._round += 1
        self._context.tasks.start(self._scanning(self._round), key="scan", on_error=self._silent)

    def stop(self) -> None:
        self._round += 1
        self._context.tasks.cancel("scan")
        self._again.setEnabled(True)
        self.progress.end()
        self._found.clear()
        self._said = ""
        self._settled()
        self._list()

    def _offer_simulated(self) -> None:
        if self._simulated.count():
            return
        for family, name in self._context.services.glasses.simulated_families():
            text = tr("Start simulated {name}", name=name)
            self._simulated.addWidget(button(self._context.theme, text, partial(self._simulate, family), icon="simulated"))

    async def _scanning(self, number: int) -> None:
        try:
            async with contextlib.aclosing(self._context.services.glasses.scan(SCAN_SECONDS)) as heard:
                async for found in heard:
                    self._found[found.address] = found
                    self._list()
        finally:
            if number == self._round:
                self._again.setEnabled(True)
                if not self._pairing:
                    self.progress.end()
        self._said = tr("Nothing was heard. The reasons below help most often.")
        self._list()

    def _silent(self, said: Explanation) -> None:
        """Nothing can listen. It is said in its place only: simulated glasses work all the same, so nothing is wrong with the page."""
        self.progress.end()
        self._again.setEnabled(True)
        self._said = str(said)
        self._list()
        announce(self, self._said)

    def _list(self) -> None:
        focused = self.focusWidget().accessibleName() if self.focusWidget() is not None else ""
        clear_layout(self._heard)
        for found in sorted(self._found.values(), key=lambda found: (-found.rssi // 6, found.address)):
            self._heard.addWidget(self._row(found, focused))
        self._none.setVisible(not self._found)
        self._none.setText(self._said or tr("Nothing heard yet."))

    def _row(self, found: FoundGlasses, focused: str) -> QFrame:
        theme = self._context.theme
        icon, signal = signal_look(found.rssi)
        name = found.name or tr("Glasses without a name")
        box = QFrame()
        set_role(box, "well")
        line = row(icon_label(theme, icon, "accent", 24), gap=GRID + 4, margins=(2 * GRID - 4, GRID, GRID, GRID))
        family = dict(self._context.services.glasses.simulated_families()).get(found.family, found.family)
        facts = tr("{family} · {signal} · {address}", family=family, signal=signal, address=found.address)
        line.addLayout(column(label(name, "strong"), label(facts, "small", wrap=True), gap=2), 1)
        if found.simulated:
            line.addWidget(Badge(theme, "simulated", tr("Simulated")))
        if found.known:
            line.addWidget(Badge(theme, "good", tr("Paired"), "good"))
        else:
            text = tr("Pairing…") if self._pairing == found.address else tr("Pair")
            pair = button(
                theme, text, partial(self.pair, found), role="primary", name=tr("Pair {name}, {signal}", name=name, signal=signal)
            )
            pair.setEnabled(not self._pairing)
            line.addWidget(pair)
            if focused and pair.accessibleName() == focused:
                pair.setFocus()
        box.setLayout(line)
        return box

    def pair(self, found: FoundGlasses) -> None:
        self._settled()
        self._context.tasks.start(self._pair(found), key="pair", on_error=partial(self._not_paired, found))

    def _not_paired(self, found: FoundGlasses, said: Explanation) -> None:
        self._refused = self._banners.trouble(said, partial(self.pair, found))

    def _settled(self) -> None:
        """What was said of an earlier try is over: another was begun, or the page is left."""
        refused, self._refused = self._refused, None
        if refused is not None:
            refused.close_down()

    async def _pair(self, found: FoundGlasses) -> None:
        name = found.name or found.family
        cautions = self._context.services.glasses.cautions(found.family)
        if cautions and not await ask(
            self, tr("Before you pair {name}", name=name), "\n\n".join(cautions), yes=tr("Pair"), no=tr("Not now")
        ):
            return
        self._pairing = found.address
        self._list()
        self.progress.begin(tr("Pairing with {name}…", name=name))
        try:
            known = await self._context.services.glasses.pair(found)
        finally:
            self._pairing = ""
            self.progress.end()
            self._list()
        self._banners.good(tr("{name} is paired. New photos appear under Captures by themselves.", name=known.name))
        self.closed.emit()

    def _simulate(self, family: str) -> None:
        self._context.tasks.start(self._simulating(family), key="simulate")

    async def _simulating(self, family: str) -> None:
        await self._context.services.glasses.start_simulated(family)
        self.start()
