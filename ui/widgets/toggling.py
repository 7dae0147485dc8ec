"""Checkable buttons that listen to assistive technology too.

Qt tells of a press by `clicked`, but when a screen reader, a voice or a switch device toggles a button it only says `toggled` (the action
"Toggle" of QAccessibleActionInterface, which UI Automation and AT-SPI use). Whoever listens to `clicked` would not hear of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QAbstractButton, QCheckBox, QPushButton, QToolButton

if TYPE_CHECKING:
    _Button = QAbstractButton
else:
    _Button = object  # one Qt class is all that a widget can be made from


class _Heard(_Button):
    """`clicked` is emitted whenever a person changed it, by whatever means, and never for `setChecked`.

    That another one of its group goes out by itself is no press either: Qt calls `nextCheckState` for it.
    """

    def __init__(self, *text: str) -> None:
        super().__init__(*text)  # type: ignore[arg-type]  # the real one takes its words
        self._quiet = False
        self.toggled.connect(self._changed)

    def nextCheckState(self) -> None:
        """A press of the mouse or a key: Qt emits `clicked` itself."""
        self._quiet = True
        super().nextCheckState()
        self._quiet = False

    def setChecked(self, on: bool) -> None:
        self._quiet = True
        super().setChecked(on)
        self._quiet = False

    def _changed(self, on: bool) -> None:
        if not self._quiet:
            self.clicked[bool].emit(on)  # type: ignore[index]  # one of two signatures, which the stubs do not tell


class ToggleBox(_Heard, QCheckBox):
    """A box to tick."""


class ToggleTool(_Heard, QToolButton):
    """A button of a bar."""


class TogglePush(_Heard, QPushButton):
    """A chip."""
