"""The look as data: contrast by computation, a style sheet without holes, icons for every name that is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from ui import tokens
from ui.style import sheet
from ui.widgets.badge import LINK_LOOK, POLICY_LOOK

UI = Path(__file__).parents[2] / "ui"


@pytest.mark.parametrize("palette", tokens.PALETTES, ids=lambda palette: palette.name)
@pytest.mark.parametrize(("fore", "back", "least"), tokens.PAIRS)
def test_every_pair_that_is_painted_has_enough_contrast(palette: tokens.Palette, fore: str, back: str, least: float) -> None:
    assert tokens.contrast(getattr(palette, fore), getattr(palette, back)) >= least


def test_contrast_is_that_of_wcag() -> None:
    assert tokens.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert tokens.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert tokens.contrast("#ffffff", "#777777") == tokens.contrast("#777777", "#ffffff")


@pytest.mark.parametrize("palette", tokens.PALETTES, ids=lambda palette: palette.name)
def test_the_style_sheet_is_whole(palette: tokens.Palette) -> None:
    made = sheet(palette, lambda size: size, "{}.svg".format)
    assert made.count("{") == made.count("}")
    assert not re.search(r"\{\w+(\.\w+)?\}", made), "a token was left unfilled"


def test_text_follows_the_chosen_size(theme) -> None:
    before = theme.px(tokens.TYPE.body)
    theme.scale_text(200)
    assert theme.px(tokens.TYPE.body) == 2 * before
    assert f"font-size: {2 * before}px" in theme._app.styleSheet()


@pytest.mark.parametrize("palette", tokens.PALETTES, ids=lambda palette: palette.name)
def test_a_theme_can_be_chosen(theme, palette: tokens.Palette) -> None:
    theme.choose("dark" if palette.name == "light" else "light")
    told = []
    theme.changed.connect(lambda: told.append(theme.palette.name))
    theme.choose(palette.name)
    assert told == [palette.name]
    assert theme.colour("text") == QColor(palette.text)


def test_nothing_moves_where_no_motion_is_wanted(theme, monkeypatch, qtbot) -> None:
    from ui.widgets.switch import Switch

    switch = Switch(theme, "AI off")
    qtbot.addWidget(switch)
    switch.show()
    monkeypatch.setattr(theme, "motion", lambda time: 0)
    switch.setChecked(True)
    assert switch._place == 1.0
    monkeypatch.setattr(theme, "motion", lambda time: time)
    switch.setChecked(False)
    assert switch._slide.duration() == tokens.MOTION.quick
    qtbot.waitUntil(lambda: switch._place == 0.0)


def test_icons_are_tinted(theme) -> None:
    image = theme.pixmap("lock", "bad", 24).toImage()
    seen = {image.pixelColor(x, y).name() for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() == 255}
    assert seen == {theme.palette.bad}


def test_arrows_along_the_text_turn_with_it(theme, qapp) -> None:
    def drawn(name: str) -> list[list[int]]:
        theme._icons.clear()
        image = theme.pixmap(name, "text", 24).toImage()
        return [[image.pixelColor(x, y).alpha() for x in range(24)] for y in range(24)]

    before = {name: drawn(name) for name in ("back", "play")}
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        for line, mirrored in zip(before["back"], drawn("back"), strict=True):
            assert line[::-1] == pytest.approx(mirrored, abs=8)
        assert drawn("play") == before["play"]
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        theme._icons.clear()


def test_every_icon_named_in_the_code_exists() -> None:
    named = {icon for icon, _ in (*POLICY_LOOK.values(), *LINK_LOOK.values())}
    for path in UI.rglob("*.py"):
        text = path.read_text("utf-8")
        named |= set(re.findall(r'icon="([a-z0-9-]+)"', text))
        named |= set(re.findall(r'(?:icon_label|noted|Empty|Badge)\((?:self\._context\.)?(?:self\._)?theme, "([a-z0-9-]+)"', text))
        named |= set(re.findall(r'tool\((?:self\._context\.)?theme, [^"]+"[^"]+"\), "([a-z0-9-]+)"', text))
    assert len(named) > 20
    have = {path.stem for path in (UI.parent / "resources" / "icons").glob("*.svg")}
    assert named <= have
