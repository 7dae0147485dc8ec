"""What makes a program of the window: the tray, notifications, start at login, coming to the front, and never a lost window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app import settings as declared
from app.errors import explain
from app.events import CaptureSealed, GlassesChanged, GlassesForgotten, VaultChanged
from app.paths import Profile
from ui.autostart import Autostart, make_autostart, own_command
from ui.icons import app_icon
from ui.notify import Notifier, portal
from ui.single import Bell
from ui.widgets.banner import announce

if TYPE_CHECKING:
    from ui.main_window import MainWindow
    from ui.tray import Tray

LOOK_MS = 5000
"""How often it is seen to that the tray still stands while the window is hidden in it."""


class Everyday(QObject):
    """Owns the tray icon, the notifier, the bell and the entry for logging in; the window it is given stays the window's maker's."""

    def __init__(self, window: MainWindow, autostart: Autostart | None = None, *, bell: bool = True) -> None:
        super().__init__(window)
        self._window = window
        self._services = window.context.services
        profile = self._services.profile.root
        usual = profile == Profile.default().root
        self._autostart = autostart or make_autostart(own_command(None if usual else Path(profile)))
        self.tray: Tray | None = None
        self._watch = QTimer(self, interval=LOOK_MS)
        self._watch.timeout.connect(self._look)
        self.notifier = Notifier(self._tell, locked=lambda: not window.unlocked, parent=self)
        if bell:
            self.bell = Bell(profile, self)
            self.bell.rung.connect(self._rung)
        events = self._services.events
        events.subscribe(CaptureSealed, self._sealed)
        events.subscribe(GlassesChanged, self._changed)
        events.subscribe(GlassesForgotten, self._changed)
        events.subscribe(VaultChanged, self._changed)
        self._services.settings.on_change(self._setting_changed)
        if usual and self._autostart.on != self._settings.get(declared.START_AT_LOGIN):  # changed at the terminal meanwhile
            self._setting_changed(declared.START_AT_LOGIN.key)
        window.hides = self.hides
        self._place_tray()

    @property
    def _settings(self) -> declared.Settings:
        return self._services.settings

    # -- the tray --------------------------------------------------------------------------------------------------------------

    def _place_tray(self) -> None:
        if self.tray is None and QSystemTrayIcon.isSystemTrayAvailable():
            from ui.tray import Tray  # what it shows are glasses, and reading all about them takes a while

            tray = self.tray = Tray(app_icon(), self)
            tray.shown.connect(self._window.come_forward)
            tray.photo.connect(lambda address: self._window.glasses.take_photo(address))
            tray.lock.connect(self._window.lock)
            tray.ai_off.connect(self._window.switch_ai)
            tray.leave.connect(self._window.leave)
        self._refresh()

    def _refresh(self) -> None:
        if self.tray is not None:
            off = self._settings.get(declared.AI_OFF)
            self.tray.show(self._services.glasses.known(), unlocked=self._window.unlocked, ai_off=off)

    def hides(self) -> bool:
        """Whether closing the window hides it: only where a tray can bring it back, and only if the person wants that."""
        may = self.tray is not None and QSystemTrayIcon.isSystemTrayAvailable() and self._settings.get(declared.TRAY)
        if may:
            self._watch.start()
        return may

    def _look(self) -> None:
        """A tray can go away (its program may crash); a window hidden in it would be lost."""
        if self._window.isVisible():
            self._watch.stop()
        elif not QSystemTrayIcon.isSystemTrayAvailable():
            self._watch.stop()
            self._window.showMinimized()

    def start_hidden(self) -> None:
        """As after logging in: in the tray where there is one, else as a small window."""
        if self.tray is not None:
            self._watch.start()
        else:
            self._window.showMinimized()

    # -- what happens ----------------------------------------------------------------------------------------------------------

    def _changed(self, event: object) -> None:
        self._refresh()

    def _sealed(self, event: CaptureSealed) -> None:
        self.notifier.arrived()

    def _tell(self, title: str, text: str) -> None:
        """Whoever is at the window has it read out by the screen reader; whoever is not gets a notification, if they want any."""
        if QApplication.activeWindow() is not None:
            announce(self._window, text)
        elif not self._settings.get(declared.NOTIFY):
            return
        elif self.tray is not None:
            self.tray.say(title, text)
        else:
            portal()(title, text)

    def _setting_changed(self, key: str) -> None:
        if key == declared.START_AT_LOGIN.key:
            self._set_autostart(self._settings.get(declared.START_AT_LOGIN))
        elif key == declared.AI_OFF.key:
            self._refresh()

    def _set_autostart(self, on: bool) -> None:
        try:
            self._autostart.switch(on)
        except OSError as error:
            self._window.tasks.failed.emit(explain(error), None)

    def _rung(self, token: str) -> None:
        self._window.come_forward()

    def stop(self) -> None:
        self._watch.stop()
        if self.tray is not None:
            self.tray.close()
            self.tray = None
