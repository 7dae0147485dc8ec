"""The style sheet, generated from tokens. One pure function; widgets ask for a look by their `role` property.

Every focusable widget keeps a border of the same width in all states, so that a focus ring never moves anything.
"""

from __future__ import annotations

from collections.abc import Callable

from ui.tokens import GRID, RADIUS, TARGET, TYPE, Palette


def sheet(p: Palette, px: Callable[[int], int], tick: str, arrow: str) -> str:
    """The whole style sheet for one palette; `px` scales a font size, `tick` and `arrow` are paths of pictures."""
    parts = (_base(p, px), _text(p, px), _buttons(p, px), _chips(p, px), _fields(p, px, tick, arrow), _views(p, px), _surfaces(p, px))
    return "\n".join(parts)


def _base(p: Palette, px: Callable[[int], int]) -> str:
    return f"""
QWidget {{ color: {p.text}; font-size: {px(TYPE.body)}px; }}
QWidget[role="page"][target="true"] {{ border: 2px dashed {p.accent}; }}
QMainWindow, QDialog, QWidget[role="page"], QWidget[role="window"] {{ background: {p.window}; }}
QToolTip {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.control}; padding: 4px 8px; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="plain"] {{ background: transparent; border: none; }}
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
    ring = f"border: 2px solid {p.focus};"
    return f"""
QPushButton, QToolButton {{
  background: {p.raised}; border: 2px solid {p.line}; border-radius: {RADIUS}px;
  padding: 4px {2 * GRID - 4}px; min-height: {TARGET - 12}px;
}}
QPushButton:hover, QToolButton:hover {{ background: {p.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {p.pressed}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {p.off}; background: transparent; }}
QPushButton:focus, QToolButton:focus {{ {ring} }}
QPushButton[role="primary"] {{ background: {p.accent}; color: {p.on_accent}; border-color: {p.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {p.accent_hover}; border-color: {p.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {p.text}; }}
QPushButton[role="primary"]:disabled {{ background: {p.pressed}; border-color: {p.pressed}; color: {p.muted}; }}
QPushButton[role="choice"] {{ border-color: {p.control}; font-weight: 600; padding: 8px {2 * GRID}px; }}
QPushButton[role="choice"]:focus {{ {ring} }}
QPushButton[role="choice"]:disabled {{ border: 2px dashed {p.off}; color: {p.off}; }}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent; border-color: transparent; padding: 4px {GRID}px; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {p.hover}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{ {ring} }}
QToolButton[role="disc"] {{ background: {p.surface}; border: 2px solid {p.control}; border-radius: 13px; padding: 2px; min-height: 0; }}
QToolButton[role="disc"]:hover {{ background: {p.hover}; }}
QToolButton[role="disc"]:focus {{ {ring} }}
QToolButton[role="frame"] {{ padding: 6px; }}
QToolButton[role="frame"]:checked {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; font-weight: 600; }}
QToolButton[role="frame"]:checked:focus {{ border: 2px solid {p.text}; }}
QPushButton[role="link"] {{ background: transparent; border-color: transparent; color: {p.accent}; padding: 4px 4px; text-align: left; }}
QPushButton[role="link"]:hover {{ text-decoration: underline; }}
QPushButton[role="link"]:focus {{ {ring} }}
QPushButton[role="inline"] {{ background: transparent; border-color: transparent; color: {p.accent}; padding: 0; text-align: left; }}
QPushButton[role="inline"]:hover {{ text-decoration: underline; }}
QPushButton[role="inline"]:focus {{ {ring} }}
"""


def _chips(p: Palette, px: Callable[[int], int]) -> str:
    ring = f"border: 2px solid {p.focus};"
    return f"""
QPushButton[role="chip"] {{
  background: {p.surface}; border: 2px solid {p.line}; border-radius: 14px; padding: 2px {2 * GRID - 4}px;
}}
QPushButton[role="chip"]:hover {{ background: {p.hover}; }}
QPushButton[role="chip"]:checked {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; }}
QPushButton[role="chip"]:focus {{ {ring} }}
QPushButton[role="chip"]:checked:focus {{ border: 2px solid {p.text}; }}
QComboBox[role="chip"] {{ border-color: {p.line}; border-radius: 14px; padding: 2px {GRID}px; min-height: {TARGET - 12}px; }}
QComboBox[role="chip"]:hover {{ background: {p.hover}; }}
QComboBox[role="chip"][tone="accent"] {{ background: {p.selected}; border-color: {p.accent}; color: {p.accent}; }}
QComboBox[role="chip"]:focus {{ {ring} }}
QToolButton[role="nav"] {{
  background: transparent; border: 2px solid transparent; border-radius: {RADIUS}px;
  padding: 8px {GRID + 2}px; font-size: {px(TYPE.body)}px; text-align: left;
}}
QToolButton[role="nav"]:hover {{ background: {p.hover}; }}
QToolButton[role="nav"]:checked {{ background: {p.selected}; color: {p.accent}; font-weight: 600; }}
QToolButton[role="nav"]:focus {{ {ring} }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ image: none; width: 0; }}
"""


def _fields(p: Palette, px: Callable[[int], int], tick: str, arrow: str) -> str:
    ring = f"border: 2px solid {p.focus};"
    return f"""
QLineEdit, QPlainTextEdit, QComboBox {{
  background: {p.surface}; border: 2px solid {p.control}; border-radius: {RADIUS}px;
  padding: 4px {GRID}px; selection-background-color: {p.accent}; selection-color: {p.on_accent};
}}
QLineEdit, QComboBox {{ min-height: {max(TARGET - 12, round(px(TYPE.body) * 1.4))}px; }}
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus {{ {ring} }}
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled {{ color: {p.muted}; border-color: {p.line}; }}
QPlainTextEdit[role="answer"], QPlainTextEdit[role="answer"]:focus {{ font-size: {px(TYPE.body)}px; }}
QPlainTextEdit[role="answer"] {{ border-color: {p.line}; }}
QPlainTextEdit[role="answer"]:focus {{ {ring} }}
QComboBox::drop-down {{ border: none; width: {4 * GRID}px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: 16px; height: 16px; }}
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


def _surfaces(p: Palette, px: Callable[[int], int]) -> str:
    soft = "\n".join(
        f'QFrame[role="banner"][tone="{tone}"] {{ background: {getattr(p, f"{tone}_soft")}; border-color: {getattr(p, tone)}; }}\n'
        f'QLabel[role="badge"][tone="{tone}"], QFrame[role="badge"][tone="{tone}"] {{ background: {getattr(p, f"{tone}_soft")}; }}'
        for tone in ("good", "warn", "bad", "sent")
    )
    return f"""
QFrame[role="card"] {{ background: {p.surface}; border: 1px solid {p.line}; border-radius: {RADIUS + 4}px; }}
QFrame[role="well"] {{ background: {p.window}; border: 1px solid {p.line}; border-radius: {RADIUS}px; }}
QFrame[role="sidebar"] {{ background: {p.surface}; border: none; border-right: 1px solid {p.line}; }}
QFrame[role="strip"] {{ background: {p.surface}; border: none; border-top: 1px solid {p.line}; }}
QFrame[role="bar"] {{ background: {p.raised}; border: 1px solid {p.line}; border-radius: {RADIUS + 4}px; }}
QFrame[role="rule"] {{ background: {p.line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="banner"] {{ border: 1px solid {p.line}; border-radius: {RADIUS}px; background: {p.raised}; }}
QFrame[role="badge"] {{ border: none; border-radius: {RADIUS}px; background: {p.hover}; }}
QFrame[role="badge"] QLabel {{ font-size: {px(TYPE.small)}px; font-weight: 600; }}
{soft}
"""
