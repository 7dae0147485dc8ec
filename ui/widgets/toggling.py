"""Checkable buttons that listen to assistive technology too.

Qt tells of a press by `clicked`, but when a screen reader, a voice or a switch device toggles a button it only says `toggled` (the action
"Toggle" of QAccessibleActionInterface, which UI Automation and AT-SPI use). Whoever listens to `clicked` would not hear of it.
"""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QToolButton


class ToggleBox(QCheckBox):
    """`clicked` is emitted whenever a person changed it, by whatever means, and never for `setChecked`."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
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


class ToggleTool(QToolButton):
    """The same for one of an exclusive group: that another one goes out by itself is no press."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet = False
        self.toggled.connect(self._changed)

    def nextCheckState(self) -> None:
        self._quiet = True
        super().nextCheckState()
        self._quiet = False

    def setChecked(self, on: bool) -> None:
        self._quiet = True
        super().setChecked(on)
        self._quiet = False

    def _changed(self, on: bool) -> None:
        if on and not self._quiet:
            self.clicked[bool].emit(on)  # type: ignore[index]  # one of two signatures, which the stubs do not tell
