"""The style sheet, generated from tokens. One pure function; widgets ask for a look by their `role` property.

Every focusable widget keeps a border of the same width in all states, so that a focus ring never moves anything.
"""

from __future__ import annotations

from collections.abc import Callable

from ui.tokens import GRID, RADIUS, TARGET, TYPE, Palette


def sheet(p: Palette, px: Callable[[int], int], picture: Callable[[str], str], *, mirrored: bool = False) -> str:
    """The whole style sheet for one palette; `px` scales a font size, `picture` is the path of one by its name ("tick", "arrow", "clear").

    `mirrored`: for a window from right to left. (Qt turns texts round by itself, lines not.)
    """
    parts = [part(p, px) for part in (_base, _text, _buttons, _chips, _views)]
    return "\n".join((*parts, _fields(p, px, picture), _surfaces(p, px, mirrored=mirrored)))


def _edge(colour: str, up: int, along: int) -> str:
    """A thin border with so much room inside, above and beside what it holds."""
    return f"border: 1px solid {colour}; padding: {up - 1}px {along - 1}px;"


def _ring(colour: str, up: int, along: int) -> str:
    """The thick border of what has the focus. It takes its second pixel from the room inside, so that nothing moves."""
    return f"border: 2px solid {colour}; padding: {up - 2}px {along - 2}px;"


def _tall(px: Callable[[int], int]) -> int:
    """Least height of what is inside a button or a field: a line of text is never cut, however large it is."""
    return max(TARGET - 12, round(px(TYPE.body) * 1.4))


def _base(p: Palette, px: Callable[[int], int]) -> str:
    return f"""
QWidget {{ color: {p.text}; font-size: {px(TYPE.body)}px; }}
QWidget[role="page"][target="true"] {{ border: 2px dashed {p.accent}; }}
QMainWindow, QDialog, QWidget[role="page"], QWidget[role="window"] {{ background: {p.window}; }}
QDialog {{ border: 1px solid {p.line if p.dark else p.window}; }}
QToolTip {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.control}; padding: 4px 8px; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="plain"] {{ background: transparent; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {p.control}; border-radius: 4px; margin: 2px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::handle:hover {{ background: {p.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {p.line}; }}
"""


def _text(p: Palette, px: Callable[[int], int]) -> str:
    tones = "\n".join(
        f'QLabel[tone="{tone}"] {{ color: {getattr(p, tone)}; }}' for tone in ("good", "warn", "bad", "sent", "muted", "accent")
    )
    return f"""
QLabel {{ background: transparent; }}
QLabel[role="display"] {{ font-size: {px(TYPE.display)}px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: {px(TYPE.title)}px; font-weight: 600; }}
QLabel[role="lead"] {{ font-size: {px(TYPE.lead)}px; font-weight: 600; }}
QLabel[role="small"] {{ font-size: {px(TYPE.small)}px; color: {p.muted}; }}
QLabel[role="strong"] {{ font-weight: 600; }}
{tones}
"""


def _buttons(p: Palette, px: Callable[[int], int]) -> str:
    usual, choice = (6, 2 * GRID - 2), (GRID + 2, 2 * GRID + 2)
    bare = "\n".join(
        f"""
{kind} {{ background: transparent; color: {colour}; {_edge("transparent", *room)} }}
{kind}:focus {{ {_ring(p.focus, *room)} }}"""
        for kind, colour, room in (
            ('QPushButton[role="quiet"]', p.text, (6, GRID + 2)),
            ('QToolButton[role="quiet"]', p.text, (6, 6)),
            ('QPushButton[role="link"]', p.accent, (6, 2)),
            ('QPushButton[role="inline"]', p.accent, (2, 2)),
        )
    )
    return f"""
QPushButton, QToolButton {{
  background: {p.raised}; {_edge(p.line, *usual)} border-radius: {RADIUS}px; min-height: {_tall(px)}px;
}}
QPushButton:hover, QToolButton:hover {{ background: {p.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {p.pressed}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {p.off}; background: transparent; }}
QPushButton:focus, QToolButton:focus {{ {_ring(p.focus, *usual)} }}
QPushButton[role="primary"] {{ background: {p.accent}; color: {p.on_accent}; border-color: {p.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {p.accent_hover}; border-color: {p.accent_hover}; }}
QPushButton[role="primary"]:pressed {{ background: {p.accent_pressed}; border-color: {p.accent_pressed}; }}
QPushButton[role="primary"]:focus {{ border-color: {p.text}; }}
QPushButton[role="primary"]:disabled {{ background: {p.pressed}; border-color: {p.pressed}; color: {p.muted}; }}
QPushButton[role="choice"] {{ {_edge(p.control, *choice)} font-weight: 600; }}
QPushButton[role="choice"]:focus {{ {_ring(p.focus, *choice)} }}
QPushButton[role="choice"]:disabled {{ border: 1px dashed {p.off}; color: {p.off}; }}
{bare}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {p.hover}; }}
QPushButton[role="quiet"]:pressed, QToolButton[role="quiet"]:pressed {{ background: {p.pressed}; }}
QToolButton[role="quiet"]:checked {{ background: {p.selected}; }}
QPushButton[role="link"], QPushButton[role="inline"] {{ text-align: left; }}
QPushButton[role="inline"] {{ min-height: 20px; }}
QPushButton[role="link"]:hover, QPushButton[role="inline"]:hover {{ text-decoration: underline; }}
QPushButton[role="link"]:disabled, QPushButton[role="inline"]:disabled {{ color: {p.off}; }}
QToolButton[role="disc"] {{
  background: {p.surface}; border: 2px solid {p.control}; border-radius: {px(8) + 4}px; padding: 2px; min-height: 0;
}}
QToolButton[role="disc"]:hover {{ background: {p.hover}; }}
QToolButton[role="disc"]:focus {{ border-color: {p.focus}; }}
QToolButton[role="frame"] {{ {_edge(p.line, GRID, GRID)} }}
QToolButton[role="frame"]:focus {{ {_ring(p.focus, GRID, GRID)} }}
QToolButton[role="frame"]:checked {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; font-weight: 600; }}
QToolButton[role="frame"]:checked:focus {{ border-color: {p.text}; }}
"""


def _chips(p: Palette, px: Callable[[int], int]) -> str:
    push, box, nav = (4, 2 * GRID - 2), (4, GRID + 2), (GRID + 2, GRID + 4)
    return f"""
QPushButton[role="chip"] {{ background: {p.surface}; {_edge(p.line, *push)} border-radius: 14px; }}
QPushButton[role="chip"]:hover {{ background: {p.hover}; }}
QPushButton[role="chip"]:pressed {{ background: {p.pressed}; }}
QPushButton[role="chip"]:checked {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; }}
QPushButton[role="chip"]:focus {{ {_ring(p.focus, *push)} }}
QPushButton[role="chip"]:checked:focus {{ border-color: {p.text}; }}
QComboBox[role="chip"] {{ {_edge(p.line, *box)} border-radius: 14px; min-height: {_tall(px)}px; }}
QComboBox[role="chip"]:hover {{ background: {p.hover}; }}
QComboBox[role="chip"][tone="accent"] {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; }}
QComboBox[role="chip"]:focus {{ {_ring(p.focus, *box)} }}
QToolButton[role="nav"] {{
  background: transparent; {_edge("transparent", *nav)} border-radius: {RADIUS}px; font-size: {px(TYPE.body)}px; text-align: left;
}}
QToolButton[role="nav"]:hover {{ background: {p.hover}; }}
QToolButton[role="nav"]:pressed {{ background: {p.pressed}; }}
QToolButton[role="nav"]:checked {{ background: {p.selected}; color: {p.accent}; font-weight: 600; }}
QToolButton[role="nav"]:focus {{ {_ring(p.focus, *nav)} }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ image: none; width: 0; }}
"""


def _fields(p: Palette, px: Callable[[int], int], picture: Callable[[str], str]) -> str:
    ring, inside = f"border: 2px solid {p.focus};", (6, GRID + 2)
    tick, arrow, clear = map(picture, ("tick", "arrow", "clear"))
    return f"""
QLineEdit, QPlainTextEdit, QComboBox {{
  background: {p.surface}; {_edge(p.control, *inside)} border-radius: {RADIUS}px;
  selection-background-color: {p.accent}; selection-color: {p.on_accent};
}}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {p.muted}; }}
QLineEdit, QComboBox {{ min-height: {_tall(px)}px; }}
QLineEdit QToolButton {{ background: transparent; border: none; padding: 0; min-height: 0; }}
QLineEdit {{ lineedit-clear-button-icon: url("{clear}"); }}
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus {{ {_ring(p.focus, *inside)} }}
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled {{ color: {p.muted}; border-color: {p.line}; }}
QTextBrowser {{ background: {p.surface}; border: 1px solid {p.line}; border-radius: {RADIUS}px; }}
QTextBrowser:focus {{ border: 2px solid {p.focus}; }}
QPlainTextEdit[role="answer"] {{ border-color: {p.line}; font-size: {px(TYPE.body)}px; }}
QPlainTextEdit[role="answer"]:focus {{ border-color: {p.focus}; }}
QComboBox::drop-down {{ border: none; width: {px(4 * GRID)}px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: {px(16)}px; height: {px(16)}px; }}
QComboBox QAbstractItemView {{
  background: {p.raised}; border: 1px solid {p.control}; outline: none; padding: 4px;
  selection-background-color: {p.selected}; selection-color: {p.text};
}}
QComboBox QAbstractItemView::item {{ min-height: {TARGET}px; }}
QCheckBox {{ spacing: {GRID}px; border: 2px solid transparent; border-radius: 6px; padding: 4px 4px 4px 0; background: transparent; }}
QCheckBox:focus {{ {ring} }}
QCheckBox::indicator, QListWidget::indicator {{
  width: {px(18)}px; height: {px(18)}px; border: 2px solid {p.control}; border-radius: 5px; background: {p.surface};
}}
QCheckBox::indicator:checked, QListWidget::indicator:checked {{ background: {p.accent}; border-color: {p.accent}; image: url("{tick}"); }}
QSlider {{ background: transparent; border: 2px solid transparent; border-radius: 6px; min-height: 24px; }}
QSlider:focus {{ {ring} }}
QSlider::groove:horizontal {{ height: 6px; border-radius: 3px; background: {p.pressed}; }}
QSlider::sub-page:horizontal {{ height: 6px; border-radius: 3px; background: {p.accent}; }}
QSlider::handle:horizontal {{ width: 16px; height: 16px; margin: -5px 0; border-radius: 8px; background: {p.accent}; }}
QSlider::handle:horizontal:hover {{ background: {p.accent_hover}; }}
QProgressBar {{ background: {p.pressed}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 3px; }}
QMenu {{ background: {p.raised}; border: 1px solid {p.control}; border-radius: {RADIUS}px; padding: 4px; }}
QMenu::item {{ padding: 6px {3 * GRID}px 6px {GRID}px; border-radius: 4px; }}
QMenu::item:selected {{ background: {p.selected}; color: {p.text}; }}
QMenu::item:disabled {{ color: {p.off}; }}
QMenu::icon {{ padding-left: {GRID}px; }}
QMenu::separator {{ height: 1px; background: {p.line}; margin: 4px {GRID}px; }}
"""


def _views(p: Palette, px: Callable[[int], int]) -> str:
    return f"""
QListView, QTableView, QGraphicsView {{ background: transparent; border: 2px solid transparent; border-radius: {RADIUS}px; outline: none; }}
QListView[role="timeline"] {{ border: none; border-radius: 0; }}
QGraphicsView[ring="true"]:focus, QTableView:focus {{ border: 2px solid {p.focus}; }}
QListWidget::item {{ border: 2px solid transparent; border-radius: {RADIUS}px; padding: {GRID}px; }}
QListWidget::item:hover {{ background: {p.hover}; }}
QListWidget::item:selected {{ background: {p.selected}; color: {p.text}; }}
QTableView {{ background: {p.surface}; border-color: {p.line}; gridline-color: {p.line}; selection-background-color: {p.selected};
  selection-color: {p.text}; alternate-background-color: {p.surface}; }}
QTableView::item {{ padding: 0 {GRID}px; border-bottom: 1px solid {p.line}; }}
QTableView::item:selected {{ background: {p.selected}; color: {p.text}; }}
QHeaderView {{ background: {p.surface}; border-top-left-radius: {RADIUS}px; }}
QHeaderView::section {{ background: {p.surface}; color: {p.muted}; border: none; border-bottom: 1px solid {p.line};
  padding: {GRID}px {GRID}px {GRID}px {GRID + 3}px; font-size: {px(TYPE.small)}px; font-weight: 600; text-align: left; }}
"""


def _surfaces(p: Palette, px: Callable[[int], int], *, mirrored: bool) -> str:
    tones = "\n".join(_toned(p, tone) for tone in ("good", "warn", "bad", "sent"))
    return f"""
QFrame[role="card"] {{ background: {p.surface}; border: 1px solid {p.line}; border-radius: {RADIUS + 4}px; }}
QFrame[role="well"] {{ background: {p.window}; border: 1px solid {p.line}; border-radius: {RADIUS}px; }}
QFrame[role="sidebar"] {{ background: {p.surface}; border: none; border-{"left" if mirrored else "right"}: 1px solid {p.line}; }}
QFrame[role="strip"] {{ background: {p.surface}; border: none; border-top: 1px solid {p.line}; }}
QFrame[role="bar"] {{ background: {p.raised}; border: 1px solid {p.line}; border-radius: {RADIUS + 4}px; }}
QFrame[role="rule"] {{ background: {p.line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="banner"] {{ border: 1px solid {p.line}; border-radius: {RADIUS}px; background: {p.raised}; }}
QFrame[role="badge"] {{ border: 1px solid {p.hover}; border-radius: {RADIUS}px; background: {p.hover}; }}
QFrame[role="badge"] QLabel {{ font-size: {px(TYPE.small)}px; font-weight: 600; }}
{tones}
"""


def _toned(p: Palette, tone: str) -> str:
    """Banners and badges of one tone. A line tells a badge from words where its soft colour is that of the ground."""
    colour, soft = getattr(p, tone), getattr(p, f"{tone}_soft")
    return f"""
QFrame[role="banner"][tone="{tone}"] {{ background: {soft}; border-color: {colour}; }}
QFrame[role="badge"][tone="{tone}"] {{ background: {soft}; border-color: {colour if soft == p.surface else soft}; }}"""
