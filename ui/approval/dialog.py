"""The approval dialog: what would leave, to whom, under which terms, and two buttons of equal weight.

Everything shown of the request is read from the proposal, that is from the parcel's own bytes. The dialog decides nothing and remembers
nothing: it is accepted only after a deliberate press of Send. Every other way out of it means "keep private", and so does not knowing.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from app.errors import Explanation
from app.sharing.types import Destination, PolicyCard, PolicyClass, Proposal
from ui import words
from ui.approval.decision import ARM_MS, DecisionDialog
from ui.approval.facts import FactsPart, class_of, leaves
from ui.approval.found import FoundPanel
from ui.approval.pictures import ALONE, THUMB, FullSize, Tile, shelf_of
from ui.approval.wish import WishBox
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import button, card, clear_layout, column, label, noted, row
from ui.widgets.told import Told

BESIDE = 112 * GRID
"""From this width on the terms stand beside what would leave."""


class ApprovalDialog(DecisionDialog):
    """Accepted means send `proposal`. Used once. `redact`, `leave_out` and `choose_frames` ask for a changed proposal by picture number."""

    redact = Signal(int)
    leave_out = Signal(int)
    choose_frames = Signal(int)

    def __init__(self, parent: QWidget, theme: Theme, destination: Destination, known: PolicyCard, *, arm_ms: int = ARM_MS) -> None:
        super().__init__(parent, theme, arm_ms=arm_ms)
        self.destination = destination
        self.proposal: Proposal | None = None
        self.tiles: list[Tile] = []
        self._class = class_of(destination, known)
        self._leaves = leaves(destination, known)
        self._busy = tr("Preparing exactly what would be sent…")
        self._must_look = False
        self._build(known)
        self._say_what(tr("this"))

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def _build(self, known: PolicyCard) -> None:
        self.facts_part = FactsPart(self.theme, self.destination, known)
        self.facts, self.warning = self.facts_part.facts, self.facts_part.warning
        self.found = FoundPanel(self.theme)
        self.told = Told(self.theme)
        self._pictures = QVBoxLayout()
        self._said = column(gap=GRID)
        self._middle = row(gap=GRID + 4)
        self._middle.addWidget(self._leaving(), 3)
        self._middle.addWidget(self.facts_part, 2)
        self.title = label("", "title", wrap=True)
        self.top.addWidget(self.title)
        # Large text leaves no room for more that stays: the company is in the title, its address may scroll.
        (self.content if self.theme.large else self.top).addWidget(self._recipient())
        self.content.addLayout(self._middle, 1)
        self.wish = WishBox(self.theme)
        last = column(gap=GRID) if self.theme.large else row(gap=3 * GRID)
        last.addLayout(self.facts_part.consequence, 1)
        last.addWidget(self.wish)
        self.above.addLayout(last)

    def _recipient(self) -> QWidget:
        to = self.destination
        model = to.model or tr("no model")
        where = tr("{company} at {origin}, model {model}", company=tr_core(to.company), origin=to.origin, model=model)
        self.recipient = label(where, wrap=True, select=True)
        self.size_line = label(self._busy, tone="muted", wrap=True)
        box = QWidget()
        box.setLayout(column(self.recipient, self.size_line, gap=6))
        return box

    def _leaving(self) -> QFrame:
        self._beside = column(gap=2 * GRID)
        self._beside.addLayout(self._pictures)
        self._words = column(gap=GRID + 4)
        self._words.addLayout(self._said, 1)
        self._words.addWidget(self.found, 1)
        self._beside.addLayout(column(self._words, self.told, None, gap=GRID + 4), 1)
        self.found.hide()
        return card(label(tr("Exactly this would leave"), "lead", wrap=True), self._beside)

    def arrange(self, wide: int) -> None:
        """The terms beside what would leave, so that all of it is seen at once; below it where there is no room for both."""
        beside = wide >= BESIDE and not self.theme.large
        self._middle.setDirection(self._middle.Direction.LeftToRight if beside else self._middle.Direction.TopToBottom)

    def _say_what(self, photos: str) -> None:
        """Say what and to whom, in the title and on the button."""
        to = tr_core(self.destination.company)
        title = tr("Send {photos} to {company}?", photos=photos, company=to)
        self.title.setText(title)
        self.name(title, tr("Send {photos} to {company}", photos=photos, company=to))
        self.setAccessibleDescription(self.summary())

    def show_proposal(self, proposal: Proposal) -> None:
        """Show this, in place of whatever was shown before. Ticks stay only for pictures that are the same to the byte."""
        ticked = {tile.picture.jpeg for tile in self.tiles if tile.check.isChecked()}
        inside = self.area.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.proposal, self._busy = proposal, ""
        self._make_tiles(proposal, ticked)
        self._say(proposal)
        count = len(proposal.pictures)
        frames = all(picture.at_ms is not None for picture in proposal.pictures)
        noun = plural(count, "{count} frame", "{count} frames") if frames else plural(count, "{count} photo", "{count} photos")
        self._say_what(noun if count else tr("this question"))
        self.found.setVisible(bool(count))
        self.facts_part.without_pictures(not count)
        self.facts_part.digest = proposal.parcel.sha256
        if inside:
            self.keep.setFocus()
        if self.isVisible():
            self.fit_soon()
        self.wait_again()

    def _make_tiles(self, proposal: Proposal, ticked: set[bytes]) -> None:
        clear_layout(self._pictures)
        pictures = proposal.pictures
        single = len(pictures) == 1
        self.tiles = []
        for number, picture in enumerate(pictures, 1):
            edge, tick = (ALONE if single else THUMB), self._class is PolicyClass.TRAINS
            tile = Tile(self.theme, number, picture, edge=edge, can_leave=not single, tick=tick)
            tile.check.setChecked(picture.jpeg in ticked)
            tile.ticked.connect(self._update_send)
            tile.redact.connect(partial(self.redact.emit, number - 1))
            tile.leave_out.connect(partial(self.leave_out.emit, number - 1))
            tile.enlarge.connect(partial(self._enlarge, number))
            self.tiles.append(tile)
        direction = self._beside.Direction.LeftToRight if single and not self.theme.large else self._beside.Direction.TopToBottom
        self._beside.setDirection(direction)
        wide = len(pictures) > 1 and not self.theme.large
        self._words.setDirection(self._words.Direction.LeftToRight if wide else self._words.Direction.TopToBottom)
        if self.tiles:
            shelf = shelf_of(self.tiles)
            if single:
                shelf.setFixedWidth(self.tiles[0].width())
            self._pictures.addWidget(shelf)
            self._pictures.addStretch(1)
        if videos := [index for index, picture in enumerate(pictures) if picture.at_ms is not None]:
            frames = button(self.theme, tr("Choose other frames…"), partial(self.choose_frames.emit, videos[0]), icon="video")
            self._pictures.insertWidget(1, frames, 0, Qt.AlignmentFlag.AlignLeft)
        self.watch_keys()

    def _say(self, proposal: Proposal) -> None:
        clear_layout(self._said)
        self._say_size(proposal)
        self.question = label(tr("Your question: “{text}”", text=proposal.question), wrap=True, select=True)
        self._said.addWidget(self.question)
        if proposal.earlier:
            self._said.addWidget(self._earlier(proposal))
        self._said.addWidget(label(self._removed_words(), "small", wrap=True))
        self._said.addWidget(label(tr("Nothing else goes with it: no name, no place, no other capture."), "small", wrap=True))
        for note in proposal.notes:
            self._said.addLayout(noted(self.theme, "info", "warn", tr_core(note)))
        self._said.addStretch(1)

    def _say_size(self, proposal: Proposal) -> None:
        self.size_line.setText(tr("{size} on the wire, in one request.", size=words.size(proposal.size)))

    def _earlier(self, proposal: Proposal) -> QWidget:
        """The words that go again, all of them."""
        title = label(tr("Said before, and sent again:"), "strong")
        said = "\n\n".join(tr("You: {question}\nAnswer: {answer}", question=turn.question, answer=turn.answer) for turn in proposal.earlier)
        field = QPlainTextEdit(said)
        field.setReadOnly(True)
        field.setTabChangesFocus(True)
        field.setAccessibleName(title.text())
        field.setFixedHeight(self.theme.scaled(11 * GRID))
        box = QWidget()
        box.setLayout(column(title, field, gap=4))
        return box

    def _removed_words(self) -> str:
        pictures = self.proposal.pictures if self.proposal is not None else ()
        taken = sorted({thing for picture in pictures for thing in picture.removed})
        if taken:
            return tr("Removed before sending: {things}.", things=tr(", ").join(map(tr_core, taken)))
        return tr("Nothing had to be removed from the pictures.") if pictures else tr("No picture goes with it.")

    def summary(self) -> str:
        """The whole decision in the order it is to be read: recipient, items, three facts."""
        removed = self._removed_words() if self.proposal is not None else ""
        parts = (self.recipient.text(), removed, *(fact.accessibleName() for fact in self.facts), self.warning.text())
        return " ".join(part for part in parts if part)

    def _enlarge(self, number: int) -> None:
        sheet = FullSize(self, self.theme, number, self.tiles[number - 1].picture)
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def be_busy(self, what: str) -> None:
        """A changed copy is being made: nothing can be sent until it is shown."""
        self._busy = what
        self.told.say("")
        self.size_line.setText(what)
        announce(self, what)
        self._update_send()

    def stay(self, said: Explanation) -> None:
        """The change could not be made: say why, and leave what is shown as it is."""
        self._busy = ""
        if self.proposal is not None:
            self.told.trouble(said)
            self._say_size(self.proposal)
        self._update_send()

    def must_look(self, waiting: bool) -> None:
        """Whether Send has to wait for the face finder's answer."""
        if waiting != self._must_look:
            self._must_look = waiting
            self._update_send()

    # -- how it is decided -----------------------------------------------------------------------------------------------------

    @property
    def checks(self) -> list[QCheckBox]:
        """The ticks there are, one a picture."""
        return [tile.check for tile in self.tiles if not tile.check.isHidden()]

    def seen(self) -> bool:
        """Decode what is not yet there, one picture a call, until all that are in view have been painted.

        Those scrolled out of sight cannot be painted where they are; they are not waited for.
        """
        if (tile := next((tile for tile in self.tiles if not tile.decoded), None)) is not None:
            tile.decode()
            return False
        return self.proposal is not None and all(tile.painted or tile.shown.visibleRegion().isEmpty() for tile in self.tiles)

    def hindrance(self, ripe: bool) -> tuple[bool, str]:
        if any(tile.unreadable for tile in self.tiles):
            return True, tr("A picture cannot be shown, so it cannot be sent.")
        if self._busy:
            return True, self._busy
        if self._must_look:
            return True, tr("Waiting for the look at faces, because it may be used for training.")
        unticked = sum(tile.needs_tick for tile in self.tiles)
        why = plural(unticked, "Tick the box at the picture to send.", "Tick the box at each picture to send.")
        return bool(unticked), why if ripe and unticked else ""
