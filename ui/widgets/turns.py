"""A conversation as it is read: what was asked, where, with what, and the answer as it comes in. Answers are hostile text: plain only."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from app.sharing.destinations import MIRROR_COMPANY
from app.sharing.types import Outcome, Receipt
from ui import words
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import CARD, button, column, icon_label, label, row

LONGEST_ANSWER = 200_000
"""Characters of an answer that are shown; a server may send without end."""

TALLEST = 64 * GRID
"""Height of an answer before it scrolls by itself, at a text size of 100 %."""

_LEAST = 5 * GRID


class AnswerView(QPlainTextEdit):
    """Text that grows with what is in it."""

    def __init__(self, theme: Theme, text: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(tr("Answer"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_role(self, "answer")
        self.setPlainText(text[:LONGEST_ANSWER])
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        self._fit()

    def add(self, text: str) -> None:
        """Put `text` behind what is there, wherever the person's own cursor is."""
        room = LONGEST_ANSWER - self.document().characterCount()
        cursor = self.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        cursor.insertText(text[: max(0, room)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(40 * GRID, self.height())

    def _fit(self) -> None:
        """A plain text's layout counts its height in lines."""
        lines = max(1, round(self.document().documentLayout().documentSize().height()))
        tall = lines * self.fontMetrics().lineSpacing() + 2 * round(self.document().documentMargin()) + 2 * GRID
        self.setFixedHeight(max(_LEAST, min(tall, self._theme.scaled(TALLEST))))


class Turn(QFrame):
    """One question and its answer. `again` asks for the same to be looked at again; `receipt_asked` carries a receipt's number."""

    again = Signal()
    receipt_asked = Signal(int)

    def __init__(self, theme: Theme, question: str, company: str, carried: str, at: datetime | None = None) -> None:
        """`carried` says what went with the words."""
        super().__init__()
        self._theme = theme
        self.question = question
        self._ours = company == MIRROR_COMPANY
        """The mirror's answer is in Eyelid's own words, which are the core's."""
        company = tr_core(company)
        self.receipt = 0
        self.kept = False
        """Whether the exchange is kept with the capture, so that a further question can go on from it."""
        set_role(self, "card")
        when = label(words.title_when(at), "small") if at is not None else label(carried, "small")
        asked = label(question, "strong", wrap=True, select=True)
        self.answer = AnswerView(theme)
        self.answer.setAccessibleName(tr("Answer of {company}", company=company))
        self.waiting = label(tr("Waiting for {company}…", company=company), tone="muted")
        self.ended = label("", "small", wrap=True)
        self.ended.hide()
        self._receipt = button(theme, "", lambda: self.receipt_asked.emit(self.receipt), role="link")
        self._receipt.hide()
        self.retry = button(theme, tr("Send again…"), self.again.emit, icon="refresh", role="quiet")
        self.retry.hide()
        head = row(icon_label(theme, "ask", "accent", 16), label(tr("You"), "small"), when, None, gap=GRID)
        reply = row(icon_label(theme, "eye", "muted", 16), label(company, "small"), None, gap=GRID)
        foot = row(gap=GRID)
        foot.addWidget(self.ended, 1)
        foot.addWidget(self._receipt)
        foot.addWidget(self.retry)
        self.setLayout(column(head, asked, GRID // 2, reply, self.answer, self.waiting, foot, gap=6, margins=CARD))
        self.answer.hide()
        self.setAccessibleName(tr("You asked {company}: {question}", company=company, question=question))

    def waits(self, text: str) -> None:
        self.waiting.setText(text)

    def hear(self, text: str) -> None:
        """A piece of the answer."""
        self.waiting.hide()
        self.answer.show()
        self.answer.add(tr_core(text) if self._ours else text)

    def keep(self, answer: str, receipt: int) -> None:
        """An exchange of before."""
        self.hear(answer)
        self.kept = True
        self._link(receipt)

    def finish(self, receipt: Receipt) -> None:
        """How it ended, in words that name the bytes that had left."""
        sent = tr("{size} went to {origin}.", size=words.size(receipt.bytes_sent), origin=receipt.origin)
        nothing = tr("Nothing had left.")
        parts = (tr("{outcome}.", outcome=words.outcome(receipt.outcome)), sent if receipt.bytes_sent else nothing, tr_core(receipt.detail))
        said = " ".join(part for part in parts if part)
        good = receipt.outcome is Outcome.ANSWERED
        self.waiting.hide()
        self.ended.setText(said)
        set_role(self.ended, tone="" if good else "bad")
        self.ended.show()
        self.retry.setVisible(not good)
        self.kept = bool(receipt.bytes_sent) and not self.answer.isHidden()
        self._link(receipt.number)
        announce(self, said)

    def _link(self, number: int) -> None:
        self.receipt = number
        self._receipt.setText(tr("Receipt {number}", number=number))
        self._receipt.setAccessibleName(tr("Show receipt {number}", number=number))
        self._receipt.show()


class Conversation(QWidget):
    """The turns, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = column(gap=GRID + 4)
        self.setLayout(self._stack)
        self.turns: list[Turn] = []
        self.setAccessibleName(tr("Conversation"))
        self.hide()

    def add(self, turn: Turn) -> Turn:
        self.turns.append(turn)
        self._stack.addWidget(turn)
        self.show()
        return turn

    def clear(self) -> None:
        for turn in self.turns:
            turn.hide()
            turn.deleteLater()
        self.turns = []
        self.hide()
