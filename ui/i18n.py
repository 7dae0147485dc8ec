"""The one door for words that people read: in the person's language where a catalogue has them, else in English, which is their key.

The window's own words pass through `tr` and `plural`. Words that the core says (errors, cautions, what settings are called) are plain
English sentences there, and pass through `said` where they are shown: `ui.phrases` finds them again. Catalogues are GNU gettext's, made by
`make translations`. The language is the process's, as it is of any program: it is chosen once, before the first window, by `use`.
"""

from __future__ import annotations

import functools
import gettext
import re
from collections.abc import Callable
from importlib import resources

from PySide6.QtCore import QLocale
from PySide6.QtGui import QKeySequence

from app.errors import Explanation
from ui.phrases import FIELD, QUOTATION, Phrases

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "es": "Español", "fr": "Français", "zh_CN": "简体中文"}
"""Those that Eyelid is shipped in, by their codes, as they call themselves."""
PSEUDO, PSEUDO_MIRRORED = "pseudo", "pseudo-rtl"
"""For testing: every word longer and accented, and so told apart from what was forgotten; the second in Hebrew letters."""
_ACCENTS = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")
_HEBREW = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבקדעפגהיזכלמנופקרסתובשצטז")


class _Language:
    """What is in force."""

    def __init__(self) -> None:
        self.code = ENGLISH
        self.catalogue: gettext.NullTranslations = gettext.NullTranslations()
        self.phrases = Phrases(self.catalogue)


_language = _Language()


def use(code: str) -> str:
    """Speak this language from now on, or the nearest there is to it; returns its code. `code` is like "de", "de_AT" or "zh_CN"."""
    _language.code = nearest(code)
    _language.catalogue = _catalogue(_language.code)
    _language.phrases = Phrases(_language.catalogue)
    said.cache_clear()
    return _language.code


def language() -> str:
    """The code of the language in force."""
    return _language.code


def nearest(code: str) -> str:
    """Of the languages there are, the one for `code`; English where there is none."""
    plain = code.replace("-", "_").partition(".")[0]
    if code in (PSEUDO, PSEUDO_MIRRORED):
        return code
    exact = next((each for each in LANGUAGES if each.lower() == plain.lower()), None)
    return exact or next((each for each in LANGUAGES if each.partition("_")[0] == plain.partition("_")[0].lower()), ENGLISH)


def tr(text: str, /, **values: object) -> str:
    """Return `text` in the person's language with `{name}` fields filled in; values are never parsed as format strings."""
    found = _language.catalogue.gettext(text) if text else text
    return found.format(**values) if values else found


def plural(count: int, one: str, many: str, /, **values: object) -> str:
    """Return `one` or `many` by `count`, as the language counts; both may use it as `{count}`."""
    return _language.catalogue.ngettext(one, many, count).format(count=QLocale().toString(count), **values)


@functools.lru_cache(2048)
def said(text: str) -> str:
    """What the core says, in the person's language; as it is where no catalogue has it. Lines, sentences and fields each by themselves."""
    return _language.phrases.say(text)


def translated(whole: Explanation) -> Explanation:
    """The same in the person's language; what is in it already stays."""
    return Explanation(said(whole.what), said(whole.why), said(whole.action))


def keys(shortcut: str) -> str:
    """Keys as they stand on the person's keyboard: "Ctrl+G" is "Strg+G" in German."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(one).toString(native) for one in shortcut.split(", "))


def sense(quotation: str) -> str:
    """What words of the terms, which stay as they were written, say in the person's language; empty where that is their own."""
    found = _language.catalogue.pgettext(QUOTATION, quotation)
    return found if found != quotation else ""


def _catalogue(code: str) -> gettext.NullTranslations:
    if code in (PSEUDO, PSEUDO_MIRRORED):
        known = _shipped(next(each for each in LANGUAGES if each != ENGLISH))
        return _Pseudo(getattr(known, "_catalog", {}), _accented if code == PSEUDO else _hebrew)
    return _shipped(code)


def _shipped(code: str) -> gettext.NullTranslations:
    file = resources.files("resources") / "translations" / f"{code}.mo"
    if code == ENGLISH or not file.is_file():
        return gettext.NullTranslations()
    with file.open("rb") as opened:
        return gettext.GNUTranslations(opened)


def _accented(message: str) -> str:
    """With accents, a third longer, between brackets."""
    return f"[{_written(message, lambda part: part.translate(_ACCENTS))}{'~' * (len(message) // 3)}]"


def _hebrew(message: str) -> str:
    """In Hebrew letters, so that alignment, elision and the order of what is mixed can be judged as they will be."""
    mark = "\u200f" if message.startswith("{") else ""  # as a translator marks a sentence that begins with a name in other letters
    return mark + _written(message, lambda part: part.lower().translate(_HEBREW))


def _written(message: str, write: Callable[[str], str]) -> str:
    """`message` written another way, its fields as they are."""
    return "".join(part if FIELD.fullmatch(part) else write(part) for part in re.split(r"(\{\w*\})", message))


class _Pseudo(gettext.NullTranslations):
    """A language that is English written another way.

    It knows what the shipped languages know: what stays plain has been forgotten by the catalogues, or never asked of them.
    """

    def __init__(self, known: dict[str | tuple[str, int], str], write: Callable[[str], str]) -> None:
        super().__init__()
        self._write = write
        self._catalog = {key: write(key.rpartition("\4")[2]) for key in known if isinstance(key, str)}
        self._counted = {key[0] for key in known if isinstance(key, tuple)}

    def gettext(self, message: str) -> str:
        return self._catalog.get(message, message)

    def pgettext(self, context: str, message: str) -> str:
        return self._catalog.get(f"{context}\4{message}", message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        found = msgid1 if n == 1 else msgid2
        return self._write(found or msgid1) if msgid1 in self._counted else found
