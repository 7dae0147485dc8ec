"""Words in the person's language: whole sentences, patterns with names in them, plurals; and catalogues that can be trusted."""

from __future__ import annotations

import gettext
import importlib.util
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from app import settings as declared
from app.paths import Profile
from app.settings import Settings
from ui import i18n, words
from ui.i18n import plural, said, tr
from ui.language import VARIABLE, speak


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    i18n.use(i18n.ENGLISH)


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    path = Path(__file__).with_name("translations.py")
    spec = importlib.util.spec_from_file_location("translations", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def german(translations: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small catalogue of the test's own."""
    made = Catalog(locale="de", charset="utf-8")
    made.add("Lock", "Sperren")
    made.add(("{count} photo", "{count} photos"), ("{count} Foto", "{count} Fotos"))
    made.add("This {noun} is damaged.", "Beschädigt: {noun}.", context="core")
    made.add("This {noun} is damaged.", "Beschädigt: {noun}.")
    made.add("Pictures {of} must not be sent.", "{of} bleibt hier.")
    made.add("The glasses “{name}” sent {count} bytes.", "{count} Bytes kamen von „{name}“.", context="core")
    made.add("The glasses {what}.", "Brille: {what}.", context="core")
    made.add("{a} and {a_} differ.", "{a_} ist nicht {a}.", context="core")
    made.add("{a} of {b}.", "{b}: {a}.", context="core")
    import io

    monkeypatch.setattr(i18n, "_catalogue", lambda code: gettext.GNUTranslations(io.BytesIO(translations.compiled(made))))
    i18n.use("de")


@pytest.mark.usefixtures("german")
def test_sentences_plurals_and_patterns() -> None:
    assert tr("Lock") == said("Lock") == "Sperren"
    assert tr("Unlock") == said("Unlock") == "Unlock"
    assert [plural(n, "{count} photo", "{count} photos") for n in (0, 1, 2)] == ["0 Fotos", "1 Foto", "2 Fotos"]
    assert said("This photo is damaged.") == "Beschädigt: photo."
    assert said("The glasses “Omi” sent 12 bytes.") == "12 Bytes kamen von „Omi“."  # the longer of two patterns that fit
    assert said("The glasses are busy.") == "Brille: are busy."
    assert said("one and two differ.") == "two ist nicht one."
    assert tr("This {noun} is damaged.", noun="{odd}") == "Beschädigt: {odd}."
    assert said("Pictures of people must not be sent.") == "Pictures of people must not be sent."  # only the window says that with a field
    assert said("Two of three.") == "Two of three."  # a pattern of nearly nothing fits nearly everything
    assert said("") == tr("") == ""


@pytest.mark.usefixtures("german")
@given(st.text())
def test_nothing_that_is_said_breaks_it(text: str) -> None:
    assert isinstance(said(text), str)
    assert said(f"This {text or 'x'} is damaged.")


def test_the_nearest_language_is_taken() -> None:
    assert [i18n.nearest(code) for code in ("de_AT.UTF-8", "de-CH", "fr", "zh_CN", "zh_Hans", "es_MX", "pt_BR", "C", "pseudo")] == [
        *("de", "de", "fr", "zh_CN", "zh_CN", "es", "en", "en", "pseudo"),
    ]


def test_the_pseudo_language_shows_what_was_forgotten() -> None:
    assert i18n.use(i18n.PSEUDO) == i18n.PSEUDO
    assert tr("Send {count} to {name}", count=2, name="Ann") == "[Séñd 2 tó Ann~~~~~~~]"
    assert plural(1, "one", "many").startswith("[óñé")
    assert i18n.language() == i18n.PSEUDO


def test_every_sentence_is_translated(translations: ModuleType) -> None:
    """Each sentence of the source has its translation with the same fields, and what the program reads is what was written."""
    template = translations.template()
    for code in (path.stem for path in translations.FOLDER.glob("*.po")):
        catalogue = translations.updated(code, template)
        assert translations.faults(catalogue) == [], code
        assert (translations.FOLDER / f"{code}.mo").read_bytes() == translations.compiled(catalogue), code


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made = Profile(tmp_path / "profile")
    made.make()
    return made


def test_the_window_speaks_what_was_chosen(qapp: QApplication, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    system, direction = QLocale(), qapp.layoutDirection()
    try:
        Settings(profile.settings).set(declared.LANGUAGE, "fr")
        assert speak(qapp, profile) == "fr"
        assert QLocale().language() == QLocale.Language.French
        assert tr("Lock") != "Lock"
        monkeypatch.setenv(VARIABLE, i18n.PSEUDO_MIRRORED)
        assert speak(qapp, profile) == i18n.PSEUDO_MIRRORED
        assert qapp.layoutDirection() == Qt.LayoutDirection.RightToLeft
        monkeypatch.delenv(VARIABLE)
        profile.settings.write_text("damaged = = 1", "utf-8")
        assert speak(qapp, profile) in i18n.LANGUAGES
    finally:
        QLocale.setDefault(system)
        qapp.setLayoutDirection(direction)
        for translator in qapp.findChildren(QTranslator):
            qapp.removeTranslator(translator)


@pytest.mark.parametrize(
    ("locale", "day", "month"),
    [
        ("en_GB", "5 Nov 2026", "November 2026 (3)"),
        ("en_US", "Nov 5, 2026", "November 2026 (3)"),
        ("de_DE", "5. Nov. 2026", "November 2026 (3)"),
        ("fr_FR", "5 nov. 2026", "novembre 2026 (3)"),
        ("es_ES", "5 de nov de 2026", "noviembre de 2026 (3)"),
        ("zh_CN", "2026年11月5日", "2026年11月 (3)"),
    ],
)
def test_dates_are_written_as_they_are_in_each_place(locale: str, day: str, month: str) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(locale))
    try:
        assert words.short_day(date(2026, 11, 5)) == day
        assert words.month(2026, 11, 3) == month
    finally:
        QLocale.setDefault(before)


def test_the_setting_offers_each_language_by_its_own_name() -> None:
    assert dict(zip(declared.LANGUAGE.choices, declared.LANGUAGE.words, strict=True)) == {
        declared.SYSTEM: "Like the desktop",
        **i18n.LANGUAGES,
    }


def test_languages_named_and_made_are_the_same(translations: ModuleType) -> None:
    assert {*translations.LANGUAGES, i18n.ENGLISH} == set(i18n.LANGUAGES)
