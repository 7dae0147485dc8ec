"""The approval: exactly what would leave, to whom, under which terms, and two buttons of equal weight.

Everything shown is read from the proposal, that is from the parcel's own bytes. The dialog decides nothing and remembers nothing: it
returns true only after a deliberate press of Send. Every other way out of it means "keep private", and so does not knowing.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QBuffer, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QImage, QImageReader, QKeyEvent, QPaintEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.sharing.types import Picture, PolicyClass, Proposal
from ui import words
from ui.dialogs import opened
from ui.i18n import plural, tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.badge import POLICY_LOOK
from ui.widgets.basics import button, card, column, hide_if, icon_label, label, row, rule

ARM_MS = 1000
"""How long Send stays dead after the pictures were painted, and after the window got the focus back."""

THUMB = 168
_REFLEX_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Select)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def picture_image(picture: Picture, edge: int) -> QImage:
    """The picture as the parcel carries it, no larger than `edge`; null when it cannot be read."""
    buffer = QBuffer()
    buffer.setData(picture.jpeg)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(False)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > edge:
        reader.setScaledSize(size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


class PaintWatch(QLabel):
    """A label that knows whether it has been on the screen."""

    def __init__(self, pixmap: QPixmap) -> None:
        super().__init__()
        self.setPixmap(pixmap)
        self.painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted = True


class ApprovalDialog(QDialog):
    """Accepted means send. Made for one proposal, used once."""

    def __init__(self, parent: QWidget, theme: Theme, proposal: Proposal, *, arm_ms: int = ARM_MS) -> None:
        super().__init__(parent)
        self._theme = theme
        self._proposal = proposal
        self._pressed = False
        self._previews: list[PaintWatch] = []
        self._unreadable = False
        self._armed = QTimer(self, singleShot=True, interval=arm_ms)
        self._armed.timeout.connect(self._update_send)
        self._paint_check = QTimer(self, interval=30)
        self._paint_check.timeout.connect(self._arm_when_painted)
        self._build()
        self.installEventFilter(self)
        for child in self.findChildren(QWidget):
            child.installEventFilter(self)
        if (app := QApplication.instance()) is not None:
            app.aboutToQuit.connect(self.reject)

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        parcel = self._proposal.parcel
        count = len(self._proposal.pictures)
        to = parcel.destination.company
        photos = plural(count, "{count} photo", "{count} photos") if count else tr("this question")
        self.setWindowTitle(tr("Send {photos} to {company}?", photos=photos, company=to))
        self.setModal(True)
        content = column(self._recipient(), self._items(), self._facts(), self._terms(), None, gap=GRID + 4)
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(content)
        content.setContentsMargins(3 * GRID, 2 * GRID + 4, 3 * GRID, GRID)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(rule())
        self._foot = self._decision(photos, to)
        whole.addWidget(self._foot)
        self._content = content
        self.setMinimumSize(56 * GRID, 48 * GRID)
        self.setAccessibleName(self.windowTitle())
        self.setAccessibleDescription(self.summary())

    def _fit(self) -> None:
        """Show the whole decision without scrolling wherever the screen is large enough."""
        wide = max(80 * GRID, self.sizeHint().width())
        room = self.screen().availableGeometry().height() - 5 * GRID
        self.resize(wide, min(room, self._content.totalHeightForWidth(wide) + self._foot.sizeHint().height() + 2))

    def _recipient(self) -> QWidget:
        destination = self._proposal.parcel.destination
        title = label(self.windowTitle(), "title", wrap=True)
        model = destination.model or tr("no model")
        where = tr("{company} at {origin}, model {model}", company=destination.company, origin=destination.origin, model=model)
        self.recipient = label(where, wrap=True, select=True)
        size = tr("{size} on the wire, in one request.", size=words.size(self._proposal.size))
        box = QWidget()
        box.setLayout(column(title, self.recipient, label(size, tone="muted"), gap=6))
        return box

    def _items(self) -> QWidget:
        strip = row(gap=GRID + 4)
        for number, picture in enumerate(self._proposal.pictures, 1):
            strip.addWidget(self._preview(number, picture), 0, Qt.AlignmentFlag.AlignTop)
        strip.addStretch(1)
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(strip)
        shelf = QScrollArea()
        shelf.setFrameShape(QFrame.Shape.NoFrame)
        shelf.setWidget(inner)
        shelf.setWidgetResizable(True)
        shelf.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shelf.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        shelf.setFixedHeight(strip.sizeHint().height() + (GRID + 6 if len(self._previews) > 1 else 0))
        hide_if(shelf, not self._proposal.pictures)
        self.question = label(tr("Your question: “{text}”", text=self._proposal.question), wrap=True, select=True)
        self.removed = label(self._removed_words(), wrap=True, tone="muted")
        alone = label(tr("Nothing else goes with it: no name, no place, no other capture."), wrap=True, tone="muted")
        self.notes = [label(note, wrap=True) for note in self._proposal.notes]
        said = column(self.question, self.removed, alone, *self.notes, None, gap=GRID)
        beside = row(gap=2 * GRID) if len(self._previews) == 1 else column(gap=GRID)
        if len(self._previews) == 1:
            shelf.setFixedWidth(strip.sizeHint().width() + 2)
        beside.addWidget(shelf)
        beside.addLayout(said, 1)
        return card(label(tr("Exactly this would leave"), "lead"), beside)

    def _preview(self, number: int, picture: Picture) -> QWidget:
        ratio = self.devicePixelRatioF()
        image = picture_image(picture, round(THUMB * ratio))
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(ratio)
        self._unreadable = self._unreadable or image.isNull()
        shown = PaintWatch(pixmap)
        facts = tr("{width} × {height}, {size}", width=picture.width, height=picture.height, size=words.size(len(picture.jpeg)))
        shown.setAccessibleName(tr("Photo {number} as it would be sent, {facts}", number=number, facts=facts))
        self._previews.append(shown)
        larger = button(self._theme, tr("Full size…"), partial(self._enlarge, number, picture), role="link")
        larger.setAccessibleName(tr("Show photo {number} in full size", number=number))
        box = QWidget()
        box.setLayout(column(shown, label(facts, "small"), larger, gap=4))
        return box

    def _removed_words(self) -> str:
        taken = sorted({thing for picture in self._proposal.pictures for thing in picture.removed})
        if taken:
            return tr("Removed before sending: {things}.", things=", ".join(taken))
        return tr("Nothing had to be removed from the pictures.") if self._proposal.pictures else ""

    def _facts(self) -> QWidget:
        parcel_card = self._proposal.parcel.card
        icon, tone = POLICY_LOOK[self._class]
        lines = column(gap=GRID)
        self.facts: list[QLabel] = []
        for sign, title, statement in (
            ("trains", tr("Training"), parcel_card.trains.text),
            ("kept", tr("Kept"), parcel_card.retention.text),
            ("people", tr("People"), parcel_card.people.text),
        ):
            text = label(statement, wrap=True)
            text.setAccessibleName(f"{title}: {statement}")
            self.facts.append(text)
            heading = label(title, "strong")
            heading.setMinimumWidth(9 * GRID)
            line = row(icon_label(self._theme, sign, tone), heading, gap=GRID)
            line.addWidget(text, 1)
            lines.addLayout(line)
        head = row(icon_label(self._theme, icon, tone), label(words.policy(self._class), "lead", tone), None)
        self.warning = label(self._warning_words(), "strong", tone if self._class is PolicyClass.TRAINS else "", wrap=True)
        hide_if(self.warning, not self.warning.text())
        return card(head, lines, self.warning, gap=GRID + 4)

    def _terms(self) -> QWidget:
        lines = column(gap=GRID)
        self.bystanders = label(tr("People in this picture have not been asked."), wrap=True)
        hide_if(self.bystanders, not self._leaves)
        read = tr("Terms read on {date}.", date=words.short_day(self._proposal.parcel.card.read_on))
        if self._proposal.parcel.card.expired:
            read = tr("{read} That is too long ago to rely on, so they count as the worst case.", read=read)
        self.terms = label(read, tone="muted", wrap=self._proposal.parcel.card.expired)
        more = button(self._theme, tr("What the terms say…"), self._show_terms, role="link")
        self.checked = QCheckBox(tr("I checked who is in this picture"))
        self.checked.setAccessibleName(self.checked.text())
        hide_if(self.checked, self._class is not PolicyClass.TRAINS)
        self.checked.toggled.connect(self._update_send)
        lines.addWidget(self.bystanders)
        lines.addLayout(row(self.terms, more, None))
        lines.addWidget(self.checked)
        box = QWidget()
        box.setLayout(lines)
        return box

    def _decision(self, photos: str, to: str) -> QWidget:
        self.keep = QPushButton(tr("Keep private"))
        self.send = QPushButton(tr("Send {photos} to {company}", photos=photos, company=to))
        for made in (self.keep, self.send):
            set_role(made, "choice")
            made.setAutoDefault(False)
            made.setAccessibleName(made.text())
            made.ensurePolished()
        wide = max(self.keep.sizeHint().width(), self.send.sizeHint().width())
        for made in (self.keep, self.send):
            made.setFixedSize(wide, max(self.keep.sizeHint().height(), self.send.sizeHint().height()))
        self.keep.setDefault(True)
        self.keep.setFocus()
        self.keep.clicked.connect(self.reject)
        self.send.clicked.connect(self._send_pressed)
        self.send.setEnabled(False)
        self.waiting = label(" ", "small")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignRight)
        bar = row(None, self.keep, self.send, gap=GRID + 4)
        box = QWidget()
        box.setLayout(column(self.waiting, bar, gap=4, margins=(3 * GRID, GRID, 3 * GRID, 2 * GRID)))
        return box

    def _warning_words(self) -> str:
        if self._class is PolicyClass.TRAINS:
            return tr("What you send may be used to train AI and be seen by people. It cannot be recalled once sent.")
        return tr("It cannot be recalled once sent.") if self._leaves else ""

    @property
    def _class(self) -> PolicyClass:
        """The class that counts: terms that are too old are taken as the worst."""
        parcel_card = self._proposal.parcel.card
        return PolicyClass.TRAINS if parcel_card.expired and self._leaves else parcel_card.policy_class

    @property
    def _leaves(self) -> bool:
        parcel = self._proposal.parcel
        return not parcel.destination.local or parcel.card.policy_class in (PolicyClass.TRAINS, PolicyClass.KEPT)

    def summary(self) -> str:
        """The whole decision in the order it is to be read: recipient, items, three facts."""
        parts = (self.recipient.text(), self._removed_words(), *(fact.accessibleName() for fact in self.facts), self.warning.text())
        return " ".join(part for part in parts if part)

    def _enlarge(self, number: int, picture: Picture) -> None:
        dialog = QDialog(self)
        dialog.setWindowTitle(tr("Photo {number} as it would be sent", number=number))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown = QLabel()
        shown.setPixmap(QPixmap.fromImage(picture_image(picture, 1 << 14)))
        shown.setAccessibleName(dialog.windowTitle())
        area = QScrollArea()
        area.setWidget(shown)
        area.setAccessibleName(dialog.windowTitle())
        dialog.setLayout(column(area))
        dialog.resize(min(picture.width + 4, 140 * GRID), min(picture.height + 4, 100 * GRID))
        dialog.open()

    def _show_terms(self) -> None:
        parcel = self._proposal.parcel
        dialog = QDialog(self)
        dialog.setWindowTitle(parcel.card.title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        lines = column(gap=2 * GRID, margins=(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID))
        for statement in (parcel.card.trains, parcel.card.retention, parcel.card.people, parcel.card.opt_out, parcel.card.faces):
            said = [statement.text, f"“{statement.quote}”" if statement.quote else "", statement.source]
            lines.addWidget(label("\n".join(part for part in said if part), wrap=True, select=True))
        for note in parcel.card.notes:
            lines.addWidget(label(note, wrap=True))
        lines.addWidget(label(tr("SHA-256 of the request: {digest}", digest=parcel.sha256), "small", wrap=True, select=True))
        lines.addStretch(1)
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(lines)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setAccessibleName(dialog.windowTitle())
        dialog.setLayout(column(area))
        dialog.resize(72 * GRID, 64 * GRID)
        dialog.open()

    # -- how it is decided -----------------------------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        return self.send.isEnabled()

    def _send_pressed(self) -> None:
        if self.armed:
            self._pressed = True
            self.accept()

    def accept(self) -> None:
        """Only the Send button can accept; whatever else calls this keeps private."""
        if self._pressed:
            super().accept()
        else:
            self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.reject()
        super().closeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
        self.keep.setFocus()
        self._paint_check.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps private wherever the focus is, Send included: sending takes Space or a click."""
        if event.key() in _ENTER:
            self.reject()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate and watched is self:
            self._armed.stop()
            self._update_send()
        elif event.type() == QEvent.Type.WindowActivate and watched is self:
            self._paint_check.start()
        elif isinstance(event, QKeyEvent) and event.isAutoRepeat() and event.key() in _REFLEX_KEYS:
            return True
        return super().eventFilter(watched, event)

    def _arm_when_painted(self) -> None:
        if all(preview.painted for preview in self._previews) and self.isVisible() and self.isActiveWindow():
            self._paint_check.stop()
            self._armed.start()
            self._update_send()

    def _update_send(self) -> None:
        ripe = not self._armed.isActive() and not self._paint_check.isActive() and self.isActiveWindow()
        ticked = self.checked.isChecked() or self.checked.isHidden()
        self.send.setEnabled(ripe and ticked and not self._unreadable)
        if self._unreadable:
            self.waiting.setText(tr("A picture cannot be shown, so it cannot be sent."))
        else:
            self.waiting.setText(" " if ticked or not ripe else tr("Tick the box above to send."))


async def approve(parent: QWidget, theme: Theme, proposal: Proposal) -> bool:
    """Show the proposal and return whether the person pressed Send; cancelling this coroutine keeps private."""
    dialog = await opened(ApprovalDialog(parent, theme, proposal))
    return dialog.result() == QDialog.DialogCode.Accepted
