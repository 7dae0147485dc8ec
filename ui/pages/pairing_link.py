"""The later screens of pairing: what to know before, the link and codes to compare, what went wrong, and glasses that are ready."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.glasses.pairing import PairingState, Remedy, Stage
from app.glasses.types import GlassesView
from ble.types import Capability
from ui import glasses_words, words
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.pages.trail import Notice
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import Badge
from ui.widgets.basics import button, card, clear_layout, column, frame, hide_if, icon_label, label, noted, row
from ui.widgets.flow import FlowLayout
from ui.widgets.page import scrolled
from ui.widgets.progress import ProgressRow

LONGEST_NAME = 64


def _name(state: PairingState) -> str:
    chosen = state.chosen
    return (chosen.name or glasses_words.family(chosen.family)) if chosen else ""


class Screen(QWidget):
    """A card in a scrolling column. `first` is what the focus goes to."""

    first: QPushButton | QLineEdit

    def _place(self, *cards: QFrame) -> None:
        self.setLayout(column(scrolled(column(*cards, None, gap=2 * GRID))))


class BeforeScreen(Screen):
    """What a wearer should know of such glasses before they are paired. The safe answer has the focus."""

    def __init__(self, theme: Theme, agree: Callable[[], None], back: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._title = label("", "title", wrap=True)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(GRID + 4)
        self.first = self.not_now = button(theme, tr("Not now"), back)
        self.agree = button(theme, tr("Pair these glasses"), agree, role="primary")
        for made in (self.first, self.agree):
            made.setAutoDefault(True)
        self._place(card(self._title, self._lines, FlowLayout(self.agree, self.not_now), gap=2 * GRID))

    def show_state(self, state: PairingState) -> None:
        self._title.setText(tr("Before you pair {name}", name=_name(state)))
        clear_layout(self._lines)
        for number, caution in enumerate(state.cautions):
            serious = state.namesake and number == 0
            self._lines.addLayout(noted(self._theme, "error" if serious else "warning", "bad" if serious else "warn", tr_core(caution)))
        self.agree.setText(tr("Pair them all the same") if state.namesake else tr("Pair these glasses"))
        self.agree.setAccessibleName(self.agree.text())
        self.setAccessibleName(" ".join((self._title.text(), *(tr_core(caution) for caution in state.cautions))))


class LinkScreen(Screen):
    """Connecting and securing; where the glasses show a code, a person compares. "Another code" has the focus: no haste says yes."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, stop: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._title = label("", "title", wrap=True)
        self.progress = ProgressRow(theme)
        self.first = self._stop = button(theme, tr("Stop"), stop)
        self.code = label("", "display", select=True)
        self.code.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._why = label("", tone="muted", wrap=True)
        self.differs = button(theme, "", lambda: self.answered.emit(False))
        self.same = button(theme, "", lambda: self.answered.emit(True), role="primary")
        for made in (self.differs, self.same):
            made.setAutoDefault(True)
        self._question = label("", "lead", wrap=True)
        self._compare = frame(
            "well",
            column(
                self._question,
                self.code,
                self._why,
                FlowLayout(self.same, self.differs),
                gap=GRID + 4,
                margins=(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID),
            ),
        )
        hide_if(self._compare, True)
        self._place(card(self._title, self.progress, self._compare, row(self._stop, None), gap=2 * GRID))

    def show_state(self, state: PairingState) -> None:
        name = _name(state)
        self._title.setText(tr("Pairing with {name}", name=name))
        said = tr("Making the link…") if state.stage is Stage.CONNECTING else tr("Securing the link, and asking what they can do…")
        if state.code:
            said = tr("Waiting for you to compare the codes…")
        self.progress.begin(said)
        self._compare.setVisible(bool(state.code))
        self._ask(state)
        self.code.setAccessibleName(tr("Code {digits}", digits=" ".join(state.code)))
        self.first = self.differs if state.code else self._stop
        self.setAccessibleName(f"{self._title.text()}. {said}")

    def _ask(self, state: PairingState) -> None:
        if state.is_spoken:
            question = tr("Do the glasses speak this code?")
            why = tr("Each pair speaks its own. If you hear another one, or none, these are not the glasses you are wearing.")
            answers, shown = (tr("They speak the same"), tr("They do not")), " ".join(state.code)
        else:
            question = tr("Do the glasses show this code?")
            why = tr(
                "Both sides made this code from their keys. "
                "If the glasses show another one, somebody stands between them and this computer."
            )
            answers = (tr("They show the same"), tr("They show another code"))
            shown = tr("{a} {b}", a=state.code[:3], b=state.code[3:])
        self._question.setText(question)
        self._why.setText(why)
        self.code.setText(shown)
        for answer, said in zip((self.same, self.differs), answers, strict=True):
            answer.setText(said)
            answer.setAccessibleName(said)

    def end(self) -> None:
        self.progress.end()
        self.code.clear()


class FailedScreen(Screen):
    """What, why, and the one thing to do about it."""

    def __init__(self, theme: Theme, again: Callable[[], None], back: Callable[[], None]) -> None:
        super().__init__()
        self._title = label("", "title", wrap=True)
        self.notice = Notice(theme)
        self.first = self.again = button(theme, tr("Try again"), again, role="primary")
        self.back = button(theme, tr("Back to the list"), back)
        self._elsewhere = label(
            tr(
                "If they were paired with another computer or a phone, they may have to forget it first: hold their pairing button, or "
                "remove this computer in the other device's Bluetooth settings."
            ),
            tone="muted",
            wrap=True,
        )
        self._place(card(self._title, self.notice, self._elsewhere, FlowLayout(self.again, self.back), gap=2 * GRID))

    def show_state(self, state: PairingState) -> None:
        self._title.setText(tr("{name}: not paired", name=_name(state)))
        self.notice.say(state.failure)
        said = {Remedy.SEARCH: tr("Search again"), Remedy.RETRY: tr("Try again"), Remedy.OTHERS: tr("Choose others")}[state.remedy]
        self.again.setText(said)
        self.again.setAccessibleName(said)
        self.back.setVisible(state.remedy is Remedy.RETRY)
        self._elsewhere.setVisible(state.remedy is Remedy.RETRY)
        self.setAccessibleName(f"{self._title.text()}. {self.notice.text}")


class ReadyScreen(Screen):
    """They are paired: what they are, what they can do, and what to call them. `renamed` carries the name that was typed."""

    renamed = Signal(str)

    def __init__(self, theme: Theme, photo: Callable[[], None], done: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._title = label("", "title", wrap=True)
        self._facts = FlowLayout(gap=GRID)
        self._can = FlowLayout(gap=GRID)
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(tr("What to call them"))
        self.name.editingFinished.connect(self._named)
        self.first = self.done = button(theme, tr("Done"), done, role="primary")
        self.photo = button(theme, tr("Take a first photo"), photo, icon="camera")
        called = label(tr("What to call them"), "strong")
        called.setBuddy(self.name)
        by_itself = tr("From now on they connect by themselves, and new captures appear under Captures.")
        head = row(icon_label(theme, "good", "good", 28), gap=GRID + 4)
        head.addWidget(self._title, 1)
        self._place(
            card(
                head,
                label(by_itself, tone="muted", wrap=True),
                self._facts,
                label(tr("What they can do"), "strong"),
                self._can,
                column(called, self.name, gap=6),
                FlowLayout(self.done, self.photo),
                gap=2 * GRID,
            )
        )

    def show_ready(self, view: GlassesView) -> None:
        self._was = view.known.name
        self._title.setText(tr("{name} is paired", name=view.known.name))
        if not self.name.hasFocus():
            self.name.setText(view.known.name)
        clear_layout(self._facts)
        clear_layout(self._can)
        facts = [
            ("glasses", glasses_words.family(view.known.family)),
            ("info", tr("firmware {version}", version=view.info.firmware) if view.info and view.info.firmware else ""),
            ("battery", words.battery(view.status.battery, view.status.battery_at) if view.status.battery is not None else ""),
            ("drive", glasses_words.storage(view.status)),
        ]
        for icon, text in facts:
            if text:
                self._facts.addWidget(Badge(self._theme, icon, text))
        for icon, text in glasses_words.abilities(view.capabilities) if view.capabilities else ():
            self._can.addWidget(Badge(self._theme, icon, text, "warn" if icon == "unlock" else ""))
        self.photo.setVisible(view.capabilities is not None and view.capabilities.can(Capability.TAKE_PHOTO))
        self.setAccessibleName(self._title.text())

    def _named(self) -> None:
        name = self.name.text().strip()
        if name and name != self._was:
            self.renamed.emit(name)
