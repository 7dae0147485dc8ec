"""For people who do not see the screen, or need it large: names for everything, a way there by keyboard, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QLocale, QObject, QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGraphicsView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from app.errors import Explanation
from app.glasses.pairing import PairingState, Remedy, Stage
from app.glasses.types import FoundGlasses
from app.imports.families import FAMILIES
from app.vault.types import LockState
from ble.types import LinkState
from ui import i18n

INTERACTIVE = (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QAbstractItemView, QGraphicsView)


def pairing_states() -> list[PairingState]:
    """The later screens of pairing, with as much on them as there can be."""
    chosen = FoundGlasses("AA:BB:CC:DD:EE:09", "heycyan", "A pair with a long name of its own", -60, known=False, simulated=True)
    warned = PairingState(Stage.CAUTIONS, chosen=chosen, cautions=("These are others. " * 8, "The link is not encrypted."), namesake=True)
    why = Explanation("They did not answer in time.", "They may be out of range or switched off.", "Bring them closer.")
    return [
        warned,
        replace(warned, stage=Stage.SECURING, code="123456"),
        replace(warned, stage=Stage.FAILED, failure=why, remedy=Remedy.RETRY),
    ]


@pytest.fixture
async def pages(window, services, fake, until):
    """Brings up every page in turn, filled."""
    QAccessible.setActive(True)
    services.library.add(*(fake.tile(number) for number in range(6)))
    services.glasses.put(fake.view())
    waiting = fake.view(LinkState.WAITING, trouble=Explanation("They are out of reach.", "", "Bring them nearer."))
    services.glasses.air = [fake.FOUND]

    async def each():
        await until(lambda: window.captures.model.rowCount() == 6)
        window.captures.view.selectAll()
        yield "captures"
        window.view(fake.item_id(0))
        await until(lambda: not window.viewer.picture.empty)
        yield "viewer"
        window.go("glasses")
        yield "glasses"
        services.glasses.put(waiting)
        await until(lambda: window.glasses._cards["AA:BB:CC:DD:EE:01"].view.trouble)
        yield "glasses in trouble"
        window.glasses.open_pairing()
        await until(lambda: window.glasses.pairing.look.rows() and not window.glasses.pairing.state.searching)
        yield "pairing"
        for state in pairing_states():
            window.glasses.pairing._show(state)
            yield f"pairing, {state.stage.value}"
        window.ask_about((fake.item_id(0), fake.item_id(1)))
        await until(lambda: window.ask.shelf.strip.count() == 3)
        yield "ask"
        window.go("shared")
        yield "shared"
        window.gate.show_compare()
        yield "comparison"
        window.go("settings")
        yield "settings"
        services.vault.become(LockState.LOCKED)
        await until(lambda: window.rooms.currentWidget() is window.lock_page)
        yield "locked"
        services.vault.become(LockState.ABSENT)
        await until(lambda: window.rooms.currentWidget() is window.welcome)
        for step in range(len(window.welcome._steps)):
            window.welcome._go(step)
            yield f"first run {step + 1}"
        window.welcome._show(fake.CODE)
        yield "recovery code"

    return each


def interactive(window: QWidget) -> list[QWidget]:
    found = [widget for widget in window.findChildren(QWidget) if isinstance(widget, INTERACTIVE) and widget.isVisible()]
    return [widget for widget in found if not widget.objectName().startswith("qt_")]


async def test_everything_that_can_be_used_has_a_name(window, pages) -> None:
    async for page in pages():
        for widget in interactive(window):
            interface = QAccessible.queryAccessibleInterface(widget)
            assert interface is not None
            assert interface.text(QAccessible.Text.Name).strip(), f"{page}: {widget} has no name"


async def test_names_that_must_differ_do(window, pages) -> None:
    async for page in pages():
        names = [widget.accessibleName() for widget in interactive(window) if isinstance(widget, QPushButton) and widget.isEnabled()]
        double = {name for name in names if names.count(name) > 1}
        assert double <= {"Pair glasses"}, page


async def test_every_item_of_the_timeline_is_read_with_its_status(window, pages) -> None:
    async for _page in pages():
        interface = QAccessible.queryAccessibleInterface(window.captures.view)
        names = [interface.child(number).text(QAccessible.Text.Name) for number in range(interface.childCount())]
        assert len(names) == 6
        assert all(name.startswith("Photo, ") and name.endswith("Private") for name in names)
        break


async def test_the_keyboard_reaches_everything(window, pages) -> None:
    """Tab goes round without a trap, and comes by everything that can be used and takes part in it."""
    async for page in pages():
        wanted = {
            widget
            for widget in interactive(window)
            if widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
        }
        # Of exclusive buttons that are checked one after another, Tab comes by one; arrows reach the others.
        wanted -= {button for button in wanted if isinstance(button, QAbstractButton) and button.group() and not button.isChecked()}
        seen: set[QWidget] = set()
        for _ in range(3 * len(wanted) + 20):
            focus = QApplication.focusWidget() or window
            QTest.keyClick(focus, Qt.Key.Key_Tab)
            seen.add(QApplication.focusWidget())
        assert wanted <= seen, (page, [widget.accessibleName() for widget in wanted - seen])


@pytest.fixture
def spoken(request: pytest.FixtureRequest) -> Iterator[None]:
    """A language that is shipped; asked for before the window is made."""
    locale = QLocale()
    QLocale.setDefault(QLocale(i18n.use(request.param)))
    yield
    i18n.use(i18n.ENGLISH)
    QLocale.setDefault(locale)


@pytest.mark.parametrize(
    ("spoken", "percent", "width", "height"),
    [("en", 100, 896, 560), ("en", 100, 1280, 900), ("en", 200, 1024, 640), ("de", 200, 1024, 640)],
    indirect=["spoken"],
)
async def test_no_word_is_cut_off(spoken, window, theme, pages, percent: int, width: int, height: int) -> None:
    theme.scale_text(percent)
    window.resize(width, height)
    async for page in pages():
        for _ in range(4):  # each layout tells the one above it
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        for label in window.findChildren(QLabel):
            if label.isVisible() and label.text() and not label.wordWrap():
                assert label.width() >= label.sizeHint().width(), f"{page}: “{label.text()}” is cut"
            if label.isVisible() and label.text() and label.wordWrap():
                assert label.height() >= label.heightForWidth(label.width()), f"{page}: “{label.text()}” is cut"
        for widget in interactive(window):
            left = widget.mapTo(window, QPoint()).x()
            assert left >= 0, f"{page}: {widget.accessibleName()} begins outside"
            assert left + widget.width() <= window.width(), f"{page}: {widget.accessibleName()} ends outside"
        for button in window.findChildren(QAbstractButton):
            if button.isVisible() and button.text() and isinstance(button, QPushButton | QToolButton):
                assert button.width() >= button.minimumSizeHint().width(), f"{page}: “{button.text()}” is cut"
                assert button.height() >= button.fontMetrics().height(), f"{page}: “{button.text()}” is cut"


async def test_nothing_flashes_up_as_a_window_of_its_own(window, pages) -> None:
    flashed: list[QWidget] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow() and watched is not window:
                flashed.append(watched)
            return False

    watch = Watch()
    QApplication.instance().installEventFilter(watch)
    try:
        async for page in pages():
            assert flashed == [], page
    finally:
        QApplication.instance().removeEventFilter(watch)


async def test_targets_are_large_enough(window, pages) -> None:
    async for page in pages():
        for widget in interactive(window):
            if isinstance(widget, QAbstractButton):
                assert min(widget.width(), widget.height()) >= 24, f"{page}: {widget.accessibleName()} {widget.size()}"


async def test_the_focus_can_be_seen(window, theme, pages) -> None:
    """Focus changes what is painted, for each kind of control of a page."""
    async for page in pages():
        for widget in interactive(window):
            if (
                isinstance(widget, QPushButton | QComboBox | QLineEdit)
                and widget.isEnabled()
                and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            ):
                window.setFocus()
                before = widget.grab().toImage()
                widget.setFocus(Qt.FocusReason.TabFocusReason)
                assert widget.grab().toImage() != before, f"{page}: {widget.accessibleName()}"
        if page == "ask":
            break


WORDS = re.compile(r"[A-Za-z]{3}")
DATA = re.compile(
    r"\[.*\]( · Omi.*)?|.*([0-9A-F]{2}:){5}.*|Omi.*|OMI.*|OpenGlass|OpenAI|Mirror|Eyelid|[\d\W]*|.*\d{4}.*|[0-9a-f]{8,}.*|image/\w+|https?://.*|EYELID.*",
    re.DOTALL,
)
"""What is in no language: what somebody called something, addresses, dates by the system's own words."""


INVENTED = re.compile(r"They are out of reach\.|Bring them (nearer|closer)\.|The link is not encrypted\.|(These are others\. )+")
"""What the stand-ins of these tests say, which no catalogue has."""


@pytest.fixture
def pseudo() -> Iterator[None]:
    i18n.use(i18n.PSEUDO)
    yield
    i18n.use(i18n.ENGLISH)


@pytest.mark.usefixtures("pseudo")
async def test_every_word_has_gone_through_the_door_for_words(pages, window) -> None:
    """In a language made for testing, which puts brackets around all that the catalogues have, words of the core's included."""
    products = {family.label for family in FAMILIES}
    forgotten = {}
    async for page in pages():
        for widget in window.findChildren(QWidget):
            if (
                widget.isVisible()
                and (text := shown_text(widget))
                and WORDS.search(text)
                and text not in products
                and not DATA.fullmatch(text.strip())
                and not INVENTED.fullmatch(text)
            ):
                forgotten.setdefault(text, page)
    assert forgotten == {}


def shown_text(widget: QWidget) -> str:
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.placeholderText() if isinstance(widget, QLineEdit | QPlainTextEdit) else ""
