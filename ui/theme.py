"""Puts a palette on the application: Fusion, a QPalette and the style sheet made from tokens. Follows the desktop where asked to.

Owns the palette in force, the text scale and the icons. Tells listeners when any of them changes.
"""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QIcon, QPalette, QPixmap, Qt
from PySide6.QtWidgets import QApplication, QStyle, QWidget

from ui.icons import Icons, render, svg
from ui.style import sheet
from ui.tokens import CONTRAST, DARK, LIGHT, TYPE, Palette


class Theme(QObject):
    """The look in force. `choose` takes "system", "light", "dark" or "contrast"."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._choice = "system"
        self._icons = Icons()
        self._scale = 1.0
        self._system = max(1.0, QFontInfo(app.font()).pixelSize() / 13)
        self.palette = LIGHT
        app.setStyle("Fusion")
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        if hasattr(hints, "accessibility"):  # Qt 6.10 and later
            hints.accessibility().contrastPreferenceChanged.connect(self._follow)
        self._put_on()

    def choose(self, choice: str) -> None:
        """Set the theme by its name in the settings; an unknown name follows the system."""
        if choice != self._choice:
            self._choice = choice
            self._put_on()

    def scale_text(self, percent: int) -> None:
        """Make all text `percent` (100 to 200) of its usual size."""
        scale = max(100, min(200, percent)) / 100
        if scale != self._scale:
            self._scale = scale
            self._put_on()

    def px(self, size: int) -> int:
        """A font size of the type scale in pixels, following the system's font size and the chosen text size."""
        return round(size * self._system * self._scale)

    def scaled(self, size: int) -> int:
        """A length that goes with text (an icon, the width of a column of words) at the chosen text size."""
        return round(size * self._scale)

    def motion(self, milliseconds: int) -> int:
        """How long something may take to move: as given, or 0 where the person's system asks for no motion."""
        hints = self._app.styleHints()
        preference = getattr(hints.accessibility(), "motionPreference", None) if hasattr(hints, "accessibility") else None
        if preference is not None:  # Qt 6.12 and later
            return 0 if preference().name == "ReducedMotion" else milliseconds
        return milliseconds if self._app.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0 else 0

    @property
    def large(self) -> bool:
        """Whether text is so large that names and values no longer fit side by side in a narrow panel."""
        return self._scale >= 1.5

    def font(self, size: int = TYPE.body, *, bold: bool = False) -> QFont:
        font = QFont(self._app.font())
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def colour(self, meaning: str) -> QColor:
        """A colour of the palette by the name of its meaning."""
        return QColor(str(getattr(self.palette, meaning)))

    def icon(self, name: str, tone: str = "text", on: str = "", *, size: int = 20, gap: int = 0) -> QIcon:
        """An icon in the colour of `tone`, and in that of `on` while checked."""
        p = self.palette
        colours = (getattr(p, tone), p.off, getattr(p, on) if on else "")
        return self._icons.icon(name, colours, size, self._app.devicePixelRatio(), gap)

    def pixmap(self, name: str, tone: str = "text", size: int = 20, ratio: float = 1.0) -> QPixmap:
        return self._icons.pixmap(name, getattr(self.palette, tone), size, ratio)

    def app_pixmap(self, size: int, ratio: float = 1.0) -> QPixmap:
        """The eyelid itself, in its own colours."""
        return render(svg("eyelid"), size, ratio)

    def on_picture(self, name: str, size: int = 16, ratio: float = 1.0) -> QPixmap:
        """An icon in white, for the dark discs on top of pictures."""
        return self._icons.pixmap(name, "#ffffff", size, ratio)

    def _follow(self) -> None:
        if self._choice == "system":
            self._put_on()

    def _pick(self) -> Palette:
        named = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}.get(self._choice)
        if named is not None:
            return named
        hints = self._app.styleHints()
        if hasattr(hints, "accessibility") and hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            return CONTRAST
        return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT

    def _put_on(self) -> None:
        self.palette = self._pick()
        self._icons.clear()
        ground = "dark" if self.palette.dark else "light"
        folder = str(resources.files("resources") / "icons").replace("\\", "/")
        self._app.setPalette(qt_palette(self.palette))
        made = sheet(self.palette, self.px, lambda name: f"{folder}/{name}-on-{ground}.svg", mirrored=self._app.isRightToLeft())
        self._app.setStyleSheet(made)
        self.changed.emit()


def qt_palette(p: Palette) -> QPalette:
    """The same colours for whatever Fusion draws itself."""
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, colour in (
        (roles.Window, p.window),
        (roles.WindowText, p.text),
        (roles.Base, p.surface),
        (roles.AlternateBase, p.hover),
        (roles.Text, p.text),
        (roles.PlaceholderText, p.muted),
        (roles.Button, p.raised),
        (roles.ButtonText, p.text),
        (roles.BrightText, p.bad),
        (roles.ToolTipBase, p.raised),
        (roles.ToolTipText, p.text),
        (roles.Highlight, p.accent),
        (roles.HighlightedText, p.on_accent),
        (roles.Accent, p.accent),
        (roles.Link, p.accent),
        (roles.LinkVisited, p.accent),
        (roles.Mid, p.line),
    ):
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(p.off))
    return palette


def set_role(widget: QWidget, role: str = "", tone: str = "") -> None:
    """Give a widget its look; re-polishes it when it was already on the screen."""
    if role:
        widget.setProperty("role", role)
    set_state(widget, "tone", tone or None)


def set_state(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet goes by; where it changes, the widget is polished again, as Qt does not by itself."""
    if value != widget.property(name):
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
