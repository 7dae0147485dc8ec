"""One known pair of glasses: how it is right now, what it can do, and what it can be asked. Capabilities decide what is offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame, QMenu, QPushButton, QVBoxLayout, QWidget

from app.glasses.types import GlassesView
from ble.types import Capabilities, Capability, LinkState
from ui import glasses_words, words
from ui.context import Context
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.pages.trail import Notice
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import Badge, link_badge
from ui.widgets.basics import CARD, Part, button, clear_layout, column, hide_if, icon_label, label, noted, row
from ui.widgets.flow import FlowLayout
from ui.widgets.progress import ProgressRow
from ui.widgets.switch import Switch

LATER_MS = 250
"""How long what has changed waits for a hand that holds something of the card."""


class Acts(Protocol):
    """What a card asks of its page; each for the glasses at an address."""

    def take_photo(self, address: str) -> None: ...

    def look_live(self, address: str) -> None: ...

    def set_continuous(self, address: str, on: bool) -> None: ...

    def set_release(self, address: str, on: bool) -> None: ...

    def connect_to(self, address: str) -> None: ...

    def disconnect_from(self, address: str) -> None: ...

    def record_sound(self, address: str) -> None: ...

    def stop_recording(self, address: str) -> None: ...

    def set_turn(self, address: str, turn: int | None) -> None: ...

    def import_from(self, address: str) -> None: ...

    def rename(self, view: GlassesView) -> None: ...

    def forget_glasses(self, view: GlassesView) -> None: ...

    def why_unseen(self, address: str) -> None: ...


class GlassesCard(QFrame):
    """Built anew with each state; the focus stays on the control of the same name. `below` stands under it all and is not rebuilt."""

    def __init__(self, context: Context, view: GlassesView, page: Acts, below: QWidget) -> None:
        super().__init__()
        self._context = context
        self._page = page
        self.address = view.known.address
        self.below = below
        self._unfolded = False
        set_role(self, "card")
        self.progress = ProgressRow(context.theme)
        self.recording = ProgressRow(context.theme, partial(page.stop_recording, self.address))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID + 4)
        self.setLayout(column(self._rows, self.recording, self.progress, below, gap=GRID, margins=CARD))
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(lambda: self.show_view(self.view))
        self.show_view(view)

    def show_view(self, view: GlassesView) -> None:
        """How they are now. Nothing is taken from under a hand: an open menu or a pressed button is waited for."""
        self.view = view
        if any(menu.isVisible() for menu in self.findChildren(QMenu)) or any(one.isDown() for one in self.findChildren(QAbstractButton)):
            self._later.start()
            return
        self._build(view)

    def _build(self, view: GlassesView) -> None:
        focus = QApplication.focusWidget()
        focused = focus.accessibleName() if focus is not None and self.isAncestorOf(focus) else ""
        clear_layout(self._rows)
        self._rows.addLayout(self._head(view))
        self._rows.addLayout(self._facts(view))
        if view.trouble is not None:
            self._rows.addWidget(self._trouble(view))
        self._rows.addLayout(self._acts(view))
        if (can := view.capabilities) is not None:
            self._rows.addLayout(self._can(can))
            if can.cautions:
                self._rows.addLayout(self._cautions(can.cautions))
        self.setAccessibleName(
            tr("{name}, {state}, battery {battery}", name=view.known.name, state=words.link(view.state), battery=self._battery(view))
        )
        for widget in self.findChildren(QWidget):
            if focused and widget.accessibleName() == focused:
                widget.setFocus()

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def _head(self, view: GlassesView) -> QVBoxLayout:
        theme, known = self._context.theme, view.known
        sub = label(glasses_words.identity(known.family, view.info), "small", wrap=True)
        sub.setToolTip(known.address)
        head = row(icon_label(theme, "glasses", "accent", 28), gap=GRID + 4)
        head.addLayout(column(label(known.name, "lead", wrap=True), sub, gap=0), 1)
        badges = FlowLayout(at_end=True)
        if glasses_words.is_experimental(known.family):
            badges.addWidget(Badge(theme, "warning", tr("Experimental"), "warn"))
        if known.simulated:
            badges.addWidget(Badge(theme, "simulated", tr("Simulated")))
        badges.addWidget(link_badge(theme, view.state))
        head.addLayout(badges, 1)
        return column(head)

    def _battery(self, view: GlassesView) -> str:
        return words.battery(view.status.battery, view.status.battery_at)

    def _facts(self, view: GlassesView) -> FlowLayout:
        """Each with its age, or with the words that say of when it is: a stale figure misleads."""
        status, can = view.status, view.capabilities
        facts = FlowLayout(gap=3 * GRID)
        if can is None or can.can(Capability.BATTERY):
            low = status.battery is not None and status.battery <= 15
            self._fact(facts, "battery", tr("Battery {battery}", battery=self._battery(view)), "warn" if low else "")
        if held := glasses_words.storage(status):
            self._fact(facts, "drive", held)
        if status.received:
            received = plural(status.received, "{count} received since connecting", "{count} received since connecting")
            self._fact(facts, "captures", received)
        if status.damaged:
            self._fact(facts, "broken", tr("{count} arrived damaged", count=status.damaged), "warn")
        if view.state is not LinkState.READY and view.known.last_seen is not None:
            self._fact(facts, "interval", tr("Last seen {ago}", ago=words.ago(view.known.last_seen)))
        return facts

    def _fact(self, facts: FlowLayout, icon: str, text: str, tone: str = "") -> None:
        box = QWidget()
        box.setLayout(row(icon_label(self._context.theme, icon, tone or "muted", 16), label(text, tone=tone), gap=6))
        facts.addWidget(box)

    def _can(self, can: Capabilities) -> QVBoxLayout:
        chips = FlowLayout(gap=6)
        for icon, text in glasses_words.abilities(can):
            chips.addWidget(Badge(self._context.theme, icon, text, "warn" if icon == "unlock" else ""))
        return column(label(tr("What they can do"), "small"), chips, gap=6)

    def _cautions(self, cautions: Sequence[str]) -> QVBoxLayout:
        """Folded away once they were read: the person agreed to them when pairing."""
        said = plural(len(cautions), "{count} thing to know about them", "{count} things to know about them")
        lines = column(gap=6, margins=(0, 0, 0, GRID))
        for caution in cautions:
            lines.addLayout(noted(self._context.theme, "warning", "warn", tr_core(caution), "small"))
        box = QWidget()
        box.setLayout(lines)
        hide_if(box, not self._unfolded)
        name = tr("{what}, {name}", what=said, name=self.view.known.name)
        fold = button(self._context.theme, said, icon="warning", role="link", name=name)
        fold.setCheckable(True)
        fold.setChecked(self._unfolded)
        fold.toggled.connect(partial(self._fold, box))
        return column(row(fold, None), box, gap=4)

    def _fold(self, box: QWidget, shown: bool) -> None:
        self._unfolded = shown
        box.setVisible(shown)

    def _trouble(self, view: GlassesView) -> QWidget:
        box, name = Notice(self._context.theme), view.known.name
        box.setParent(self)  # before it is shown
        later = tr("Trying again at {time}.", time=words.clock(view.retry_at)) if view.retry_at is not None else ""
        box.say(view.trouble, later)
        why = partial(self._page.why_unseen, self.address)
        box.add_button(tr("Why?"), why, name=tr("Why can't I see {name}?", name=name))
        again = partial(self._page.connect_to, self.address)
        box.add_button(tr("Try now"), again, name=tr("Try to connect {name} now", name=name))
        return box

    # -- what can be asked -----------------------------------------------------------------------------------------------------

    def _acts(self, view: GlassesView) -> QVBoxLayout:
        can, name = view.capabilities, view.known.name
        ready = view.state is LinkState.READY
        acts = FlowLayout()
        if can is None or can.can(Capability.TAKE_PHOTO):
            self._act(acts, tr("Take photo"), self._page.take_photo, "camera", tr("Take photo with {name}", name=name), ready)
        if can is not None and (can.can(Capability.TAKE_PHOTO) or can.can(Capability.CONTINUOUS_CAPTURE)):
            self._act(acts, tr("Live look…"), self._page.look_live, "video", tr("Live look with {name}", name=name), ready)
        if can is not None and can.can(Capability.MICROPHONE):
            self._act(acts, tr("Voice note"), self._page.record_sound, "sound", tr("Record a voice note with {name}", name=name), ready)
        if can is not None and can.can(Capability.WIFI):
            enabled = ready and self.below.isHidden()
            self._act(acts, tr("Import now"), self._page.import_from, "import", tr("Import now from {name}", name=name), enabled)
        if not ready and view.trouble is None:
            waiting = view.state in (LinkState.IDLE, LinkState.WAITING, LinkState.LOST, LinkState.BLOCKED)
            self._act(acts, tr("Connect"), self._page.connect_to, "", tr("Connect {name}", name=name), waiting)
        line = row(acts, gap=GRID)
        line.setStretch(0, 1)
        line.addWidget(self._more(view))
        switches = FlowLayout(gap=2 * GRID)
        for made in self._switches(view, ready):
            switches.addWidget(made)
        parts: list[Part] = [line, switches] if switches.count() else [line]
        if can is not None and can.can(Capability.MICROPHONE):
            parts.append(label(tr("The microphone is off except while a voice note is recorded."), "small", wrap=True))
        return column(*parts, gap=GRID)

    def _act(self, acts: FlowLayout, text: str, do: Callable[[str], None], icon: str, name: str, enabled: bool) -> None:
        made = button(self._context.theme, text, partial(do, self.address), icon=icon, name=name)
        made.setEnabled(enabled)
        acts.addWidget(made)

    def _switches(self, view: GlassesView, ready: bool) -> list[Switch]:
        can, name, made = view.capabilities, view.known.name, []
        if can is not None and can.can(Capability.CONTINUOUS_CAPTURE):
            every = tr("Capture every {n} s", n=can.interval_seconds) if can.interval_seconds else tr("Capture at intervals")
            switch = Switch(self._context.theme, every)
            switch.setAccessibleName(tr("{what}, {name}", what=every, name=name))
            switch.setChecked(view.known.continuous)
            switch.setEnabled(ready)
            switch.clicked.connect(partial(self._page.set_continuous, self.address))
            made.append(switch)
        if can is not None and can.can(Capability.RELEASE):
            text = tr("Remove from the glasses once safe here")
            switch = Switch(self._context.theme, text)
            switch.setAccessibleName(tr("{what}, {name}", what=text, name=name))
            switch.setAccessibleDescription(tr("Only after the sealed copy in the vault was read back and found whole"))
            switch.setToolTip(switch.accessibleDescription())
            switch.setChecked(view.known.release)
            switch.clicked.connect(partial(self._page.set_release, self.address))
            made.append(switch)
        return made

    def _more(self, view: GlassesView) -> QPushButton:
        """What is seldom wanted."""
        theme, name = self._context.theme, view.known.name
        made = button(theme, tr("More"), icon="down", role="quiet", name=tr("More for {name}", name=name))
        menu = QMenu(made)
        menu.addAction(theme.icon("edit"), tr("Rename…"), partial(self._page.rename, view))
        if view.state is LinkState.READY:
            menu.addAction(theme.icon("close"), tr("Disconnect"), partial(self._page.disconnect_from, self.address))
        else:
            menu.addAction(theme.icon("question"), tr("Why can't I see them?"), partial(self._page.why_unseen, self.address))
        turns = menu.addMenu(theme.icon("refresh"), tr("Turn their photos"))
        for turn, said in (
            (None, tr("As the glasses say")),
            (0, tr("Not at all")),
            (90, tr("A quarter to the right")),
            (180, tr("Upside down")),
            (270, tr("A quarter to the left")),
        ):
            action = turns.addAction(said, partial(self._page.set_turn, self.address, turn))
            action.setCheckable(True)
            action.setChecked(view.known.turn == turn)
        menu.addSeparator()
        menu.addAction(theme.icon("trash"), tr("Forget…"), partial(self._page.forget_glasses, view))
        made.setMenu(menu)
        return made
