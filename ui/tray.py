"""The icon in the tray: how the glasses are, and the few things wanted without the window. Shows nothing of what is in the vault."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.glasses.types import GlassesView
from ble.types import Capability, LinkState
from ui import words
from ui.i18n import tr


def status(views: Sequence[GlassesView]) -> str:
    """One line: "Omi Glass: Connected", and how many more."""
    if not views:
        return tr("No glasses paired")
    best = min(views, key=lambda view: (view.state is not LinkState.READY, view.known.name))
    said = tr("{name}: {state}", name=best.known.name, state=words.link(best.state))
    return tr("{first}, and {n} more", first=said, n=len(views) - 1) if len(views) > 1 else said


class Tray(QObject):
    """Made only where there is a tray. While locked it names no glasses: a name may say whose they are."""

    shown = Signal()
    photo = Signal(str)
    lock = Signal()
    ai_off = Signal(bool)
    leave = Signal()

    def __init__(self, icon: QIcon, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = QMenu()
        self.status = self._add("")
        self.status.setEnabled(False)
        self.menu.addSeparator()
        self._add(tr("Open Eyelid")).triggered.connect(self.shown)
        self._photos = self.menu.addMenu(tr("Take photo"))
        self._lock = self._add(tr("Lock"))
        self._lock.triggered.connect(self.lock)
        self._ai = self._add(tr("AI off"))
        self._ai.setCheckable(True)
        self._ai.triggered.connect(self.ai_off)
        self.menu.addSeparator()
        self._add(tr("Quit Eyelid")).triggered.connect(self.leave)
        self.icon = QSystemTrayIcon(icon, self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._pressed)

    def _add(self, text: str) -> QAction:
        action = self.menu.addAction(text)
        assert isinstance(action, QAction)
        return action

    def show(self, views: Sequence[GlassesView], *, unlocked: bool, ai_off: bool) -> None:
        """Bring it up to date; the first time, put it into the tray."""
        said = status(views) if unlocked else tr("Locked")
        self.status.setText(said)
        self.icon.setToolTip(tr("Eyelid: {state}", state=said))
        self._lock.setEnabled(unlocked)
        self._ai.setChecked(ai_off)
        self._photos.clear()
        ready = [view for view in views if unlocked and view.state is LinkState.READY and _can_take(view)]
        for view in ready:
            self._photos.addAction(view.known.name.replace("&", "&&"), partial(self.photo.emit, view.known.address))
        self._photos.setEnabled(bool(ready))
        self.icon.show()

    def say(self, title: str, text: str) -> None:
        self.icon.showMessage(title, text, self.icon.icon())

    def close(self) -> None:
        self.icon.hide()
        self.menu.deleteLater()

    def _pressed(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.shown.emit()


def _can_take(view: GlassesView) -> bool:
    return view.capabilities is None or view.capabilities.can(Capability.TAKE_PHOTO)
