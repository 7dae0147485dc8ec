"""The first screen of pairing: what is heard nearby, why mine may not be, simulated glasses, and those that cannot be paired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from app.errors import Explanation
from app.glasses.pairing import PairingState
from app.glasses.types import FoundGlasses
from ui import glasses_words
from ui.i18n import tr
from ui.pages.trail import Notice
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.badge import Badge
from ui.widgets.banner import announce
from ui.widgets.basics import button, card, clear_layout, column, dress, icon_label, label, noted, row
from ui.widgets.flow import FlowLayout
from ui.widgets.page import scrolled
from ui.widgets.progress import ProgressRow


def reasons() -> tuple[str, ...]:
    """Why glasses may not be heard, most common first."""
    return (
        tr("Are they out of their case and switched on?"),
        tr("Are they connected to a phone? Most glasses talk to one device at a time: close the phone's app or switch its Bluetooth off."),
        tr("Are they within a few steps of this computer?"),
        tr("Is Bluetooth on, and may this computer's apps use it?"),
    )


class FoundRow(QFrame):
    """One pair that was heard; the same widget for as long as it is, so that nothing moves under the mouse or the focus."""

    def __init__(self, theme: Theme, found: FoundGlasses, choose: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self.found = found
        set_role(self, "well")
        self._bars = icon_label(theme, "signal-1", "accent", 24)
        self._name, self._facts = label("", "strong"), label("", "small", wrap=True)
        self._line = row(self._bars, gap=GRID + 4, margins=(2 * GRID - 4, GRID, GRID, GRID))
        words = column(self._name, self._facts, gap=2)
        self._line.addLayout(words, 1)
        marks = FlowLayout(gap=GRID) if theme.large else row(gap=GRID + 4)
        (words if theme.large else self._line).addLayout(marks)  # large text leaves no room beside the name
        if glasses_words.is_experimental(found.family):
            marks.addWidget(Badge(theme, "warning", tr("Experimental"), "warn"))
        if found.simulated:
            marks.addWidget(Badge(theme, "simulated", tr("Simulated")))
        self.pair = button(theme, tr("Pair"), choose, role="primary")
        if found.known:
            marks.addWidget(Badge(theme, "good", tr("Paired"), "good"))
        else:
            marks.addWidget(self.pair)
        self.setLayout(self._line)
        self.show_found(found)

    def show_found(self, found: FoundGlasses) -> None:
        """The same pair, heard again."""
        self.found = found
        icon, signal = glasses_words.signal(found.rssi)
        name = found.name or tr("Glasses without a name")
        dress(self._theme, self._bars, icon, "accent", size=24)
        self._name.setText(name)
        family = glasses_words.family(found.family)
        self._facts.setText(tr("{family} · {signal} · {address}", family=family, signal=signal, address=found.address))
        self.pair.setAccessibleName(tr("Pair {name}, {signal}", name=name, signal=signal))


class LookScreen(QWidget):
    """`chosen` carries an address, `simulate` a family; `again` wants another search, `left` is done with it."""

    chosen = Signal(str)
    simulate = Signal(str)
    again = Signal()
    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[str, FoundRow] = {}
        self.offered = False
        self.notice = Notice(theme)
        self.progress = ProgressRow(theme)
        self.heard = QVBoxLayout()
        self.heard.setSpacing(GRID)
        self.search = button(theme, tr("Search again"), self.again.emit, icon="refresh")
        self.done = button(theme, tr("Done"), self.left.emit)
        head = row(gap=GRID)
        head.addWidget(label(tr("Glasses nearby"), "lead", wrap=True), 1)
        head.addLayout(FlowLayout(self.search, self.done, at_end=True))
        near = card(head, self.progress, self.notice, self.heard, gap=GRID + 4)
        whole = column(near, self._why(), self._trial(), self._never(), None, gap=2 * GRID)
        self.setLayout(column(scrolled(whole)))

    def _why(self) -> QFrame:
        lines = column(label(tr("Why can't I see mine?"), "lead", wrap=True), gap=GRID)
        for reason in reasons():
            lines.addLayout(noted(self._theme, "question", "muted", reason))
        return card(lines)

    def _trial(self) -> QFrame:
        self.families = FlowLayout()
        self.families.addWidget(label(tr("Getting them ready…"), tone="muted"))
        hint = tr("Simulated glasses behave like real ones, over a virtual radio. Their photos are marked as simulated.")
        return card(label(tr("Try without glasses"), "lead", wrap=True), label(hint, tone="muted", wrap=True), self.families)

    def _never(self) -> QFrame:
        why = tr(
            "Ray-Ban Meta, Oakley Meta and others without an open protocol: their maker lets only its own phone app pair with them, so no "
            "program on a computer can."
        )
        instead = tr(
            "Save their photos and videos from the phone, and bring the files in on the Captures page. They are sealed all the same."
        )
        return card(
            label(tr("Glasses that cannot be paired with a computer"), "lead", wrap=True),
            *(noted(self._theme, icon, "muted", text) for icon, text in (("ban", why), ("captures", instead))),
        )

    def offer(self, families: Sequence[tuple[str, str]]) -> None:
        """The families that can be tried without glasses."""
        self.offered = True
        clear_layout(self.families)
        for family, name in families:
            text, said = name, tr("Start simulated {name}", name=name)
            if glasses_words.is_experimental(family):
                text, said = tr("{name} (experimental)", name=name), tr("Start simulated {name} (experimental)", name=name)
            self.families.addWidget(button(self._theme, text, partial(self.simulate.emit, family), icon="simulated", name=said))

    # -- what is heard ---------------------------------------------------------------------------------------------------------

    def show_state(self, state: PairingState) -> None:
        self.search.setEnabled(not state.searching)
        if state.searching:
            self.progress.begin(tr("Listening for glasses…"))
        else:
            self.progress.end()
        for address in set(self._rows) - {found.address for found in state.found}:
            self._drop(self._rows.pop(address))
        for found in state.found:
            self._put(found)
        self._say(state)

    def _say(self, state: PairingState) -> None:
        """What keeps glasses from being heard stays said while another search is under way, until one is heard."""
        if state.found:
            self.notice.say(None)
        elif state.failure is not None:
            said = Explanation(state.failure.what, state.failure.why, state.failure.action)
            new = str(said) != self.notice.accessibleName() or self.notice.isHidden()
            self.notice.say(said)
            if new:
                announce(self, str(said))

    def _put(self, found: FoundGlasses) -> None:
        shown = self._rows.get(found.address)
        if shown is not None and shown.found.known == found.known:
            shown.show_found(found)
            return
        if shown is not None:
            self._drop(shown)
        made = self._rows[found.address] = FoundRow(self._theme, found, partial(self.chosen.emit, found.address))
        nearer = sum(one.found.rssi >= found.rssi for one in self._rows.values() if one is not made)
        self.heard.insertWidget(nearer, made)
        announce(self, tr("{name} was heard", name=found.name or tr("Glasses without a name")))

    def _drop(self, one: FoundRow) -> None:
        self.heard.removeWidget(one)
        one.hide()
        one.deleteLater()

    def forget(self) -> None:
        """Leave nothing of an earlier search."""
        self._rows.clear()
        clear_layout(self.heard)
        self.notice.say(None)

    def rows(self) -> list[FoundRow]:
        """Those heard, nearest first."""
        found = (self.heard.itemAt(index) for index in range(self.heard.count()))
        return [one for item in found if item is not None and isinstance(one := item.widget(), FoundRow)]

    def first_choice(self) -> QPushButton:
        """Where the focus goes: the first pair that can be paired, or the way out."""
        return next((one.pair for one in self.rows() if not one.found.known), self.done)
