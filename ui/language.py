"""Which language the window speaks, and what comes with it: dates and numbers, Qt's own words, the direction of writing."""

from __future__ import annotations

import os

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from app import settings as declared
from app.errors import EyelidError
from app.paths import Profile
from app.settings import Settings
from ui import i18n

VARIABLE = "EYELID_LANGUAGE"
"""Overrides the setting: a code, or one of `i18n`'s languages for testing."""


def speak(app: QApplication, profile: Profile) -> str:
    """Choose by the variable, the setting, or the system, before the first word is shown; returns the code of the language."""
    code = i18n.use(os.environ.get(VARIABLE) or _chosen(profile) or QLocale.system().name())
    own = QLocale("he" if code == i18n.PSEUDO_MIRRORED else code)
    QLocale.setDefault(QLocale.system() if i18n.nearest(QLocale.system().name()) == code else own)
    translator = QTranslator(app)
    if translator.load(own, "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(translator)
    app.setLayoutDirection(own.textDirection())
    return code


def _chosen(profile: Profile) -> str:
    """What the settings say; nothing where they follow the system, or can't be read (which is said later, by who needs them)."""
    try:
        chosen = Settings(profile.settings).get(declared.LANGUAGE)
    except (EyelidError, OSError):
        return ""
    return "" if chosen == declared.SYSTEM else chosen
