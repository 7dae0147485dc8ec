"""House rules of the window room, read from its source; and the small parts that need no window."""

from __future__ import annotations

import ast
import linecache
import re
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsPixmapItem, QWidget

from app.settings import THEME
from ui import words
from ui.main import spare_reading
from ui.theme import Theme
from ui.widgets.basics import button, dress, redress
from ui.widgets.passphrase import strength
from ui.widgets.picture import decode, upright

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "ui").rglob("*.py"))


def test_no_dialog_runs_a_loop_of_its_own() -> None:
    forbidden = re.compile(r"\.exec_?\(|QMessageBox|QFileDialog\.get|QInputDialog\.get|QColorDialog\.get|processEvents|waitFor")
    for path in SOURCES:
        assert not forbidden.search(path.read_text("utf-8")), path


def test_the_window_imports_neither_radio_nor_crypto_nor_network() -> None:
    never = {"bleak", "bumble", "cryptography", "socket", "httpx2", "urllib", "http", "keyring", "webbrowser", "sqlite3", "apsw"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in never, (path, name)
                assert not name.startswith(("PySide6.QtNetwork", "PySide6.QtWebEngine", "PySide6.QtQml", "PySide6.QtQuick")), (path, name)
        assert "openUrl" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < (300 if path.name == "main_window.py" else 400)


def test_labels_never_read_markup() -> None:
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert "setHtml" not in text
        assert "RichText" not in text
        for call in re.findall(r"QLabel\((.*?)\)", text):
            assert call in ("", "text") or path.name == "dialogs.py", (path, call)


# -- words ---------------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("past", "said"),
    [(5, "just now"), (240, "4 min ago"), (7200, "2 h ago"), (86400, "1 day ago"), (5 * 86400, "5 days ago"), (-30, "just now")],
)
def test_ages_are_coarse(past: int, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=past), NOW) == said


def test_days_are_named() -> None:
    today = date(2026, 5, 12)
    assert words.day(today, today) == "Today"
    assert words.day(date(2026, 5, 11), today) == "Yesterday"
    assert "2026" in words.day(date(2026, 5, 1), today)


def test_lengths_and_sizes() -> None:
    assert words.duration(20_010) == "0:20"
    assert words.duration(3_727_000) == "1:02:07"
    assert words.size(310_000) == "310 kB"
    assert words.size(1_230_000) == "1.23 MB"


def test_a_battery_is_never_told_without_its_age() -> None:
    assert words.battery(62, NOW - timedelta(minutes=4), NOW) == "62 %, 4 min ago"
    assert words.battery(None, None) == "not known"


@pytest.mark.parametrize(
    ("passphrase", "tone"),
    [("", "muted"), ("short", "bad"), ("aaaaaaaaaaaaaaaa", "bad"), ("abcdefghijklmnop", "bad"), ("river stone candle harbour", "good")],
)
def test_a_passphrase_is_judged_in_words(passphrase: str, tone: str) -> None:
    assert strength(passphrase)[1] == tone


# -- pictures ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1)), (99, (0, 0))],
)
def test_pictures_are_turned_upright(qapp, orientation: int, corner: tuple[int, int]) -> None:
    """Where the first stored pixel comes to stand: Exif 2.32, tag 0x0112."""
    item = QGraphicsPixmapItem()
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    from PySide6.QtGui import QPixmap

    item.setPixmap(QPixmap.fromImage(image))
    item.setTransform(upright(orientation))
    area = item.sceneBoundingRect()
    assert (area.width(), area.height()) == ((20, 40) if orientation in (5, 6, 7, 8) else (40, 20))
    first = item.mapToScene(0.5, 0.5)
    assert ((first.x() - area.left()) / area.width() > 0.5, (first.y() - area.top()) / area.height() > 0.5) == tuple(map(bool, corner))


def test_a_picture_too_large_is_not_decoded(monkeypatch, fake) -> None:
    monkeypatch.setattr("ui.widgets.picture.MOST_PIXELS", 100)
    assert decode(fake.jpeg()).isNull()
    monkeypatch.undo()
    assert decode(fake.jpeg()).width() == 320


def test_a_picture_is_painted_with_the_right_painter(theme: Theme) -> None:
    canvas = QImage(32, 32, QImage.Format.Format_ARGB32)
    canvas.fill(0)
    painter = QPainter(canvas)
    painter.drawPixmap(0, 0, theme.app_pixmap(32))
    painter.end()
    assert canvas.pixelColor(16, 4).alpha() > 0


def test_an_icon_is_tinted_when_it_is_another_one_or_the_theme_is(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    tinted: list[str] = []
    icon = theme.icon
    monkeypatch.setattr(theme, "icon", lambda name, *rest, **sizes: tinted.append(name) or icon(name, *rest, **sizes))
    page = QWidget()
    star = button(theme, "Favourite", icon="star")
    star.setParent(page)
    dress(theme, star, "star")
    assert tinted == ["star"]
    dress(theme, star, "star-full")
    redress(theme, page)
    assert tinted == ["star", "star-full", "star-full"]


def test_garbage_is_collected_on_this_thread_only(qapp, collector) -> None:
    import gc

    assert not gc.isenabled()
    gone = []

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            gone.append(threading.current_thread())

    gc.collect()
    for _ in range(gc.get_threshold()[0] + 50):
        Cycle()
    assert gone == []
    assert collector.check() is not None
    assert set(gone) == {threading.main_thread()}


# -- the program ---------------------------------------------------------------------------------------------------------------


def test_without_a_screen_it_says_so_in_one_sentence(tmp_path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a screen")
    import os

    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    code = "import sys; from ui.main import main; sys.exit(main(sys.argv[1:]))"
    for extra in ({}, {"DISPLAY": ":987"}):
        ran = subprocess.run(
            [sys.executable, "-c", code, "--profile", str(tmp_path)], cwd=ROOT, env=env | extra, capture_output=True, text=True, timeout=50
        )
        assert ran.returncode == 1
        assert "needs a screen" in ran.stderr
        assert "Traceback" not in ran.stderr
    assert THEME.default == "system"


def test_qt_does_not_read_the_source_of_every_module(tmp_path, monkeypatch) -> None:
    import shibokensupport.feature as feature

    monkeypatch.setattr(feature, "_mod_uses_pyside", feature._mod_uses_pyside)
    monkeypatch.syspath_prepend(tmp_path)
    for name, read in (("read_by_qt", True), ("spared_by_qt", False)):
        if not read:
            spare_reading()
        path = tmp_path / f"{name}.py"
        path.write_text("value = 1\n", "utf-8")
        assert __import__(name).value == 1  # what an import statement calls
        assert (str(path) in linecache.cache) == read
