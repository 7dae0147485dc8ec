"""What the finders say of the pictures, line by line as it comes in, with one click to cover it. They miss things, and that is said too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.media.look.types import Check, Findings, Kind, Part
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, dress, icon_label, label, row
from ui.widgets.marks import Mark, Marks

KINDS: dict[Part, tuple[Kind, ...]] = {
    Part.FACES: (Kind.FACE,),
    Part.TEXT: (Kind.TEXT, Kind.DOCUMENT),
    Part.CODES: (Kind.CODE,),
}
"""What each finder finds; that of the metadata covers nothing, since none of it is ever sent."""


def _looking(part: Part) -> str:
    return {
        Part.FACES: tr("Looking for faces…"),
        Part.TEXT: tr("Looking for text, screens and papers…"),
        Part.CODES: tr("Looking for QR and bar codes…"),
    }[part]


def _nothing(part: Part) -> str:
    return {
        Part.FACES: tr("The finder saw no face."),
        Part.TEXT: tr("The finder saw no text."),
        Part.CODES: tr("The finder saw no code."),
    }[part]


def _not_checked(part: Part, why: str) -> str:
    return {
        Part.FACES: tr("Faces not checked. {why}", why=why),
        Part.TEXT: tr("Text not checked. {why}", why=why),
        Part.CODES: tr("Codes not checked. {why}", why=why),
    }[part]


def _found(part: Part, marks: Sequence[Mark]) -> str:
    count = len(marks)
    said = {
        Part.FACES: lambda: plural(count, "{count} face found", "{count} faces found"),
        Part.TEXT: lambda: plural(count, "{count} text, screen or paper found", "{count} texts, screens or papers found"),
        Part.CODES: lambda: plural(count, "{count} QR or bar code found", "{count} QR or bar codes found"),
    }[part]()
    covered = sum(mark.covered for mark in marks)
    if covered == count:
        return tr("{said}, covered", said=said)
    return tr("{said}, {covered} of them covered", said=said, covered=covered) if covered else said


def _cover(part: Part, count: int, on: bool) -> str:
    if part is Part.FACES:
        return plural(count, "Cover the face", "Cover all faces") if on else plural(count, "Show the face", "Show all faces")
    if part is Part.TEXT:
        return tr("Cover all text") if on else tr("Show the text")
    return tr("Cover all codes") if on else tr("Show the codes")


LINE = 30
"""Height of a line in pixels, with a button or without."""


class Line(QWidget):
    """One finder: what it does or found, and the button that covers all of it."""

    def __init__(self, theme: Theme, part: Part) -> None:
        super().__init__()
        self._theme = theme
        self.part = part
        self.sign = icon_label(theme, "search", "muted", 16)
        self.words = label("", wrap=True)
        self.act: QPushButton = button(theme, "", role="link")
        self.act.hide()
        line = row(self.sign, gap=GRID)
        line.addWidget(self.words, 1)
        line.addWidget(self.act)
        self.setLayout(line)
        self.setMinimumHeight(theme.scaled(LINE))
        self.on = True

    def say(self, text: str, icon: str, tone: str) -> None:
        dress(self._theme, self.sign, icon, tone, size=16)
        set_role(self.words, tone="" if tone == "muted" else tone)
        self.words.setText(text)
        self.setAccessibleName(text)

    def offer(self, count: int, on: bool) -> None:
        """Offer to cover (`on`) or to show again all that was found."""
        self.on = on
        self.act.setVisible(bool(count))
        if count:
            self.act.setText(_cover(self.part, count, on))
            self.act.setAccessibleName(self.act.text())


class FoundPanel(QWidget):
    """`cover` carries the kinds and whether they are to be covered."""

    cover = Signal(object, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lines = {part: Line(theme, part) for part in KINDS}
        stack: QVBoxLayout = column(label(tr("What is on it"), "strong"), gap=2)
        for part, line in self.lines.items():
            line.act.clicked.connect(partial(self._press, part))
            stack.addWidget(line)
        self.caution = label(
            tr("The finders miss some, above all what is small, dark or turned away, and know nothing of names or places. Check yourself."),
            "small",
            wrap=True,
        )
        stack.addWidget(self.caution)
        stack.addStretch(1)
        self.setLayout(stack)
        self.setAccessibleName(tr("What is on it"))

    def _press(self, part: Part, _checked: bool = False) -> None:
        self.cover.emit(KINDS[part], self.lines[part].on)

    def show_found(self, findings: Sequence[Findings | None], marks: Sequence[Marks]) -> None:
        """Say what is known of all pictures together; None stands for one that nothing has been heard of yet."""
        for part, line in self.lines.items():
            checks = [_check(each, part) for each in findings]
            seen = [mark for each in marks for mark in each.of(KINDS[part])]
            line.offer(len(seen), on=not all(mark.covered for mark in seen))
            if any(check is None for check in checks):
                line.say(_looking(part), "search", "muted")
                continue
            why = next((check.reason for check in checks if check and not check.checked), "")
            if seen and not why:
                done = all(mark.covered for mark in seen)
                line.say(_found(part, seen), "check" if done else _SIGNS[part], "good" if done else "warn")
            elif why:
                said = _not_checked(part, tr_core(why))
                line.say(tr("{found}. {rest}", found=_found(part, seen), rest=said) if seen else said, "warning", "warn")
            else:
                line.say(_nothing(part), "eye", "muted")


_SIGNS = {Part.FACES: "people", Part.TEXT: "info", Part.CODES: "info"}


def _check(findings: Findings | None, part: Part) -> Check | None:
    return next((check for check in findings.checks if check.part is part), None) if findings is not None else None
