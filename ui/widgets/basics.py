"""Labels, buttons and layouts in our look, so that pages read as a list of what is on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.i18n import keys, tr
from ui.theme import Theme, set_role
from ui.tokens import GRID

Part = QWidget | QLayout | int | None
"""A widget, a layout, a gap in pixels, or None for whatever space is left."""


def _fill(layout: QBoxLayout, parts: tuple[Part, ...], gap: int, margins: tuple[int, int, int, int]) -> None:
    layout.setSpacing(gap)
    layout.setContentsMargins(*margins)
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        elif part is None:
            layout.addStretch(1)
        else:
            layout.addSpacing(part)


def column(*parts: Part, gap: int = GRID, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    layout = QVBoxLayout()
    _fill(layout, parts, gap, margins)
    return layout


def row(*parts: Part, gap: int = GRID, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    layout = QHBoxLayout()
    _fill(layout, parts, gap, margins)
    return layout


def frame(role: str, layout: QLayout) -> QFrame:
    """A surface: "card", "well", "bar"…"""
    box = QFrame()
    set_role(box, role)
    box.setLayout(layout)
    return box


def boxed(layout: QLayout) -> QWidget:
    """A layout as a widget: it can be hidden as a whole, and stand where only widgets may."""
    box = QWidget()
    box.setLayout(layout)
    return box


CARD = (2 * GRID + 4, 2 * GRID, 2 * GRID + 4, 2 * GRID)
"""Margins inside a card."""


def card(*parts: Part, gap: int = GRID) -> QFrame:
    return frame("card", column(*parts, gap=gap, margins=CARD))


def scrolling(content: QLayout) -> QScrollArea:
    """`content` in an area without a frame that scrolls up and down only, and takes no focus itself."""
    inner = QWidget()
    set_role(inner, "plain")
    inner.setLayout(content)
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    return area


def rule() -> QFrame:
    line = QFrame()
    set_role(line, "rule")
    return line


class Words(QLabel):
    """Plain words that begin where lines begin in the window, also words of the other direction, as names are.

    (Qt puts a line of words where their own direction begins.)
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self._wanted = self.alignment()
        self.turn()

    def setAlignment(self, alignment: Qt.AlignmentFlag) -> None:
        """As from left to right; it is turned round from right to left."""
        self._wanted = alignment
        self.turn()

    def turn(self) -> None:
        """Follow the window's direction. (To watch for its change would cost a call to Python for every change of anything.)"""
        super().setAlignment(QStyle.visualAlignment(self.layoutDirection(), self._wanted) | Qt.AlignmentFlag.AlignAbsolute)


def label(text: str = "", role: str = "", tone: str = "", *, wrap: bool = False, select: bool = False) -> QLabel:
    """Plain text only: nothing that came from a device or a server is ever read as markup."""
    made = Words(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    set_role(made, role, tone)
    if select:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        made.setAccessibleName(text)
    return made


def picture_well(size: QSize) -> QLabel:
    """Where a small picture is put, in the middle of its own ground."""
    made = QLabel()
    made.setFixedSize(size)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    set_role(made, "well")
    return made


def named(name: str, control: QWidget, gap: int = 4) -> QVBoxLayout:
    """A control below its name, which a screen reader takes for the control's own."""
    title = label(name, "strong")
    title.setBuddy(control)
    return column(title, control, gap=gap)


def choice(name: str, offered: Sequence[tuple[str, int]], usual: int = 0) -> QComboBox:
    """A box to choose one of few numbers, in words; `usual` is chosen beforehand."""
    made = QComboBox()
    made.setAccessibleName(name)
    for text, value in offered:
        made.addItem(text, value)
    made.setCurrentIndex(max(0, made.findData(usual)))
    return made


def dress(theme: Theme, widget: QAbstractButton | QLabel, icon: str, tone: str = "text", *, on: str = "", size: int = 20) -> None:
    """Give `widget` an icon that `redress` will tint anew when the theme changes. One that it has already costs nothing."""
    wanted = (icon, tone, on, size)
    if wanted != _dress_of(widget):
        for key, value in zip(_DRESS, wanted, strict=True):
            widget.setProperty(key, value)
        _tint(theme, widget)


_DRESS = ("tintIcon", "tintTone", "tintOn", "tintSize")
"""Properties of a widget: its icon by name, its colour, that while checked, and its size."""


def _dress_of(widget: QWidget) -> tuple[object, ...]:
    return tuple(widget.property(key) for key in _DRESS)


def _tint(theme: Theme, widget: QAbstractButton | QLabel) -> None:
    name, tone, on, size = (widget.property(key) for key in _DRESS)
    size = theme.scaled(size)
    if isinstance(widget, QLabel):
        widget.setFixedSize(size, size)
        widget.setPixmap(theme.pixmap(name, tone, size, widget.devicePixelRatioF()))
    else:
        gap = 6 if widget.text() else 0
        widget.setIcon(theme.icon(name, tone, on, size=size, gap=gap))
        widget.setIconSize(QSize(size + gap, size))


def redress(theme: Theme, root: QWidget) -> None:
    """Tint every icon below `root` for the theme in force, and turn the words the way the window is written."""
    widgets: list[QAbstractButton | QLabel] = [*root.findChildren(QAbstractButton), *root.findChildren(QLabel)]
    for widget in widgets:
        if widget.property("tintIcon"):
            _tint(theme, widget)
        elif isinstance(widget, Words):
            widget.turn()


def icon_label(theme: Theme, icon: str, tone: str = "text", size: int = 20) -> QLabel:
    """A picture beside a word that says the same; the word is what is read aloud."""
    made = QLabel()
    dress(theme, made, icon, tone, size=size)
    return made


def button(
    theme: Theme,
    text: str,
    pressed: Callable[[], object] | None = None,
    *,
    icon: str = "",
    role: str = "",
    name: str = "",
    help: str = "",
) -> QPushButton:
    """A push button; `name` is what a screen reader says when the text alone is not enough."""
    made = QPushButton(text)
    set_role(made, role)
    made.setAutoDefault(False)
    if icon:
        dress(theme, made, icon, {"primary": "on_accent", "link": "accent"}.get(role, "text"))
    if pressed is not None:
        made.clicked.connect(lambda _checked=False: pressed())
    made.setAccessibleName(name or text)
    if help:
        made.setToolTip(help)
        made.setAccessibleDescription(help)
    return made


def tool(
    theme: Theme, name: str, icon: str, pressed: Callable[[], object] | None = None, *, shortcut: str = "", on_picture: bool = False
) -> QToolButton:
    """A button with an icon only; its name is its tool tip and what is read aloud."""
    made = QToolButton()
    set_role(made, "disc" if on_picture else "quiet")
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    dress(theme, made, icon, size=16 if on_picture else 20)
    made.setAccessibleName(name)
    made.setToolTip(tr("{name} ({keys})", name=name, keys=keys(shortcut)) if shortcut else name)
    if pressed is not None:
        made.clicked.connect(lambda _checked=False: pressed())
    return made


def noted(theme: Theme, icon: str, tone: str, text: str, role: str = "") -> QHBoxLayout:
    """A sentence with a small icon beside its first line."""
    line = row(gap=GRID)
    mark = icon_label(theme, icon, tone, 16)
    line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(label(text, role, wrap=True), 1)
    return line


def heading(theme: Theme, icon: str, text: str, *behind: QWidget) -> QHBoxLayout:
    """The first line of a card: what it is about, and what stands at its end."""
    line = row(icon_label(theme, icon, "accent"), gap=GRID + 2)
    line.addWidget(label(text, "lead", wrap=True), 1)
    for each in behind:
        line.addWidget(each)
    return line


def hide_if(widget: QWidget, unwanted: bool) -> None:
    """Leave `widget` out. (To show one that stands in no window yet would open it as a window of its own, for a moment.)"""
    if unwanted:
        widget.hide()


def clear_layout(layout: QLayout) -> None:
    """Take everything out of `layout` and delete it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear_layout(inner)
            inner.deleteLater()
