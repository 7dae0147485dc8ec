"""Words in the person's language: whole sentences, patterns with names in them, plurals; and catalogues that can be trusted."""

from __future__ import annotations

import gettext
import importlib.util
import io
import re
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
from app.errors import Explanation
from app.paths import Profile
from app.settings import Settings
from ui import i18n, phrases, words
from ui.i18n import plural, said, tr
from ui.language import VARIABLE, speak
from ui.theme import Theme
from ui.widgets import banner


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    locale = QLocale()
    yield
    i18n.use(i18n.ENGLISH)
    QLocale.setDefault(locale)


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
    made.add("Photo", "Foto")
    made.add(("{count} photo", "{count} photos"), ("{count} Foto", "{count} Fotos"))
    made.add("{name}: {value}", "{name}: {value}")
    made.add("The link was lost.", "Die Verbindung ging verloren.")
    made.add("Pictures {of} must not be sent.", "{of} bleibt hier.")
    for one, german_words in CORE_WORDS.items():
        made.add(one, german_words, context=phrases.CORE)
    made.add("its end is missing", "of the terms", context=phrases.QUOTATION)
    monkeypatch.setattr(i18n, "_catalogue", lambda code: gettext.GNUTranslations(io.BytesIO(translations.compiled(made))))
    i18n.use("de")
    QLocale.setDefault(QLocale("de"))


CORE_WORDS = {
    "Of the photo, {reason}.": "Der Grund: {reason}.",
    "its end is missing": "sein Ende fehlt",
    "only {size} bytes were carried": "nur {size} Bytes kamen an",
    "The glasses “{name}” sent {count} bytes.": "{count} Bytes kamen von „{name}“.",
    "The glasses {what}.": "Brille: {what}.",
    "{destination_label} took in {what}.": "{destination_label} nahm {what} an.",
    "{why} It was read on {day}.": "{why} Gelesen am {day}.",
    "{a} and {a_} differ.": "{a_} ist nicht {a}.",
    "{a} of {b}.": "{b}: {a}.",
    "Here was found: {things}": "Gefunden: {things}",
    "colour profile": "Farbprofil",
}


@pytest.mark.usefixtures("german")
def test_sentences_plurals_and_patterns() -> None:
    assert tr("Lock") == said("Lock") == "Sperren"
    assert tr("Unlock") == said("Unlock") == "Unlock"
    assert [plural(n, "{count} photo", "{count} photos") for n in (0, 1, 12_345)] == ["0 Fotos", "1 Foto", "12.345 Fotos"]
    assert said("The glasses “Omi” sent 12 bytes.") == "12 Bytes kamen von „Omi“."  # the longer of two patterns that fit
    assert said("The glasses are busy.") == "Brille: are busy."
    assert said("one and two differ.") == "two ist nicht one."
    assert tr("Pictures {of} must not be sent.", of="{odd}") == "{odd} bleibt hier."
    assert said("Pictures of people must not be sent.") == "Pictures of people must not be sent."  # only the window says that with a field
    assert said("Two of three.") == "Two of three."  # a pattern of nearly nothing fits nearly everything
    assert said("") == tr("") == ""
    assert i18n.sense("its end is missing") == "of the terms"
    assert i18n.sense("something else") == ""


@pytest.mark.usefixtures("german")
def test_one_trouble_is_shown_once_and_read_aloud_as_it_is_shown(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(banner, "announce", lambda _widget, text: heard.append(text))
    banners = banner.Banners(theme)
    for _ in range(2):
        banners.trouble(Explanation("The link was lost."))
    assert [str(each.said) for each in banners.shown()] == ["Die Verbindung ging verloren."]
    assert heard == ["Die Verbindung ging verloren."] * 2


@pytest.mark.usefixtures("german")
def test_what_fills_a_sentence_is_translated_and_names_are_not() -> None:
    assert said("Of the photo, its end is missing.") == "Der Grund: sein Ende fehlt."
    assert said("Of the photo, only 23 bytes were carried.") == "Der Grund: nur 23 Bytes kamen an."
    assert said("The glasses “Photo” sent 1234567 bytes.") == "1.234.567 Bytes kamen von „Photo“."
    assert said("Photo took in 2 photos.") == "Photo nahm 2 Fotos an."  # the first is what somebody called their server
    assert said("The link was lost. It was read on 2026-05-03.") == "Die Verbindung ging verloren. Gelesen am Sonntag, 3. Mai 2026."
    assert said("It is gone. It was read on 2026-99-03.") == "It is gone. Gelesen am 2026-99-03."
    assert said("Here was found: colour profile, its end is missing, 12.5") == "Gefunden: Farbprofil, sein Ende fehlt und 12.5"


@pytest.mark.usefixtures("german")
def test_what_the_core_puts_together_is_taken_apart() -> None:
    assert said("The link was lost. Of the photo, its end is missing.") == "Die Verbindung ging verloren. Der Grund: sein Ende fehlt."
    assert said("  Here was found: colour profile\n\n1 photo\nnobody's") == "  Gefunden: Farbprofil\n\n1 Foto\nnobody's"
    assert said("Lock: its end is missing") == "Sperren: sein Ende fehlt"
    assert said("one thing: another") == "one thing: another"
    assert said("Quite unknown. (colour profile, 3 photos)") == "Quite unknown. (Farbprofil und 3 Fotos)"
    assert phrases.together(("照片已损坏。", "", "请再拍一次。")) == "照片已损坏。请再拍一次。"


@pytest.mark.usefixtures("german")
@given(st.text())
def test_nothing_that_is_said_breaks_it(text: str) -> None:
    assert isinstance(said(text), str)
    assert said(f"The glasses {text or 'x'}.")


def test_the_nearest_language_is_taken() -> None:
    assert [i18n.nearest(code) for code in ("de_AT.UTF-8", "de-CH", "fr", "zh_CN", "zh_Hans", "es_MX", "pt_BR", "C", "pseudo")] == [
        *("de", "de", "fr", "zh_CN", "zh_CN", "es", "en", "en", "pseudo"),
    ]


def test_the_pseudo_language_shows_what_was_forgotten() -> None:
    assert i18n.use(i18n.PSEUDO) == i18n.PSEUDO
    assert tr("{name}, version {version}", name="Ann", version=2) == "Ann, version 2"  # no catalogue knows it
    assert tr("Private").startswith("[Prívát")
    assert plural(2, "{count} photo", "{count} photos") == "[2 phótóš~~~~]"
    assert said("Of the photo, its end is missing.").startswith("[Óf thé phótó, [ítš éñd")
    assert i18n.language() == i18n.PSEUDO


def test_the_mirrored_one_is_written_in_letters_that_run_that_way() -> None:
    i18n.use(i18n.PSEUDO_MIRRORED)
    assert set(tr("Private")) <= set("אבגדהוזחטיכלמנסעפצקרשת")
    assert tr("{name} is paired", name="Ann").startswith("\u200fAnn ")


def test_every_sentence_is_translated(translations: ModuleType) -> None:
    """Each sentence of the source has its translation with the same fields, and what the program reads is what was written."""
    template = translations.template()
    for code in (path.stem for path in translations.FOLDER.glob("*.po")):
        catalogue = translations.updated(code, template)
        assert translations.faults(catalogue) == [], code
        assert (translations.FOLDER / f"{code}.mo").read_bytes() == translations.compiled(catalogue), code


SIGNS = {"de": "[”«»]|“[^„]*“", "es": "[“”„]", "fr": "[“”„]| [:;?!»]|« |\\w'\\w", "zh_CN": "[„«»]|[一-鿿][,;:?!]"}
"""What stands in no text of a language: quotation marks of another one, and spaces before signs that could be left alone on a line."""


@pytest.mark.parametrize("code", SIGNS)
def test_signs_are_those_of_the_language(translations: ModuleType, code: str) -> None:
    with (translations.FOLDER / f"{code}.po").open("rb") as file:
        catalogue = translations.read_po(file, locale=code)
    texts = [text for message in catalogue for text in (message.string if isinstance(message.string, tuple) else (message.string,))]
    assert len(texts) > 2000
    assert [text for text in texts[1:] if re.search(SIGNS[code], text) or "..." in text] == []


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
