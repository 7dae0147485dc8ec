"""The one door for words that people read: in the person's language where a catalogue has them, else in English, which is their key.

The window's own words pass through `tr` and `plural`. Words that the core says (errors, cautions, what settings are called) are plain
English sentences there, and pass through `said` where they are shown: it finds a sentence in the catalogue whole, or by the pattern that it
was made from. Catalogues are GNU gettext's, made by `make translations`. The language is the process's, as it is of any program: it is
chosen once, before the first window, by `use`.
"""

from __future__ import annotations

import functools
import gettext
import re
from collections.abc import Iterable
from importlib import resources

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "es": "Español", "fr": "Français", "zh_CN": "简体中文"}
"""Those that Eyelid is shipped in, by their codes, as they call themselves."""
PSEUDO, PSEUDO_MIRRORED = "pseudo", "pseudo-rtl"
"""For testing: every word longer and accented, and so told apart from what was forgotten; the second written from right to left."""
_CORE = "core\4"
"""Begins the key of a pattern of the core's: gettext puts the context before the words, with this sign between."""
_LEAST = 10
"""Characters of its own that a pattern has; fewer would fit anything."""
_FIELD = re.compile(r"\{(\w*)\}")
_ACCENTS = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")


class _Language:
    """What is in force."""

    def __init__(self) -> None:
        self.code = ENGLISH
        self.catalogue: gettext.NullTranslations = gettext.NullTranslations()
        self.patterns: tuple[tuple[re.Pattern[str], str], ...] = ()


_language = _Language()


def use(code: str) -> str:
    """Speak this language from now on, or the nearest there is to it; returns its code. `code` is like "de", "de_AT" or "zh_CN"."""
    _language.code = nearest(code)
    _language.catalogue = _catalogue(_language.code)
    _language.patterns = tuple(_patterns(getattr(_language.catalogue, "_catalog", {})))
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
    return _language.catalogue.ngettext(one, many, count).format(count=count, **values)


@functools.lru_cache(2048)
def said(text: str) -> str:
    """A sentence of the core's in the person's language; as it is where no catalogue has it.

    Sentences with names or numbers in them were made from a pattern; the longest pattern that fits counts.
    """
    found = _language.catalogue.gettext(text) if text else text
    if found != text:
        return found
    for pattern, translated in _language.patterns:
        if match := pattern.fullmatch(text):
            return _FIELD.sub(lambda field: _value(match, field), translated)
    return text


def _value(match: re.Match[str], field: re.Match[str]) -> str:
    """What stood in the place of `field`; a translation that names another field has the error shown instead of hidden."""
    return match.groupdict().get(f"f_{field[1]}", field[0])


def _patterns(entries: dict[object, str]) -> Iterable[tuple[re.Pattern[str], str]]:
    """The core's patterns, those with the most words of their own first."""
    patterns = [(key.removeprefix(_CORE), text) for key, text in entries.items() if isinstance(key, str) and key.startswith(_CORE)]
    own = {key: len(_FIELD.sub("", key)) for key, _ in patterns}
    for key, text in sorted(patterns, key=lambda entry: -own[entry[0]]):
        if own[key] < _LEAST:
            return
        parts, seen = [], set[str]()
        at = 0
        for field in _FIELD.finditer(key):
            name = f"f_{field[1]}"
            parts += [re.escape(key[at : field.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
            seen.add(name)
            at = field.end()
        yield re.compile("".join([*parts, re.escape(key[at:])]), re.DOTALL), text


def _catalogue(code: str) -> gettext.NullTranslations:
    if code in (PSEUDO, PSEUDO_MIRRORED):
        return _Pseudo()
    file = resources.files("resources") / "translations" / f"{code}.mo"
    if code == ENGLISH or not file.is_file():
        return gettext.NullTranslations()
    with file.open("rb") as opened:
        return gettext.GNUTranslations(opened)


class _Pseudo(gettext.NullTranslations):
    """A language that is English with accents, a third longer, between brackets; fields stay as they are."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"(\{\w*\})", message)
        accented = "".join(part if _FIELD.fullmatch(part) else part.translate(_ACCENTS) for part in parts)
        return f"[{accented}{'~' * (len(message) // 3)}]" if message.strip() else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)
