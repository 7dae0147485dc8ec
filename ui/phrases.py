"""What the core says, in the person's language: its plain English sentences are found again in the catalogue, whole or by their pattern.

A sentence with names or numbers in it was made from a pattern, whose fields are filled here anew. What fills a field may be words of the
core's own (a reason, a kind, a number of things), which are translated in their turn; names that people and devices gave stay as they are:
those between quotation marks, and those that the pattern calls names. Pure; knows nothing of a language but its catalogue.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QDate, QLocale, QTime

from app.vault.words import local_time

CORE = "core"
"""The context of the core's patterns and of the words that fill them, so that no words of the window are taken for one."""
QUOTATION = "quotation"
"""The context of words of the terms, whose translation is ours."""
_KEY = f"{CORE}\4"
"""Begins their keys: gettext puts the context before the words, with this sign between."""
_LEAST = 8
"""Characters of its own that a pattern has; fewer would fit anything."""
_LONGEST = 1500
"""Characters of a sentence that is compared with patterns; no longer one is ours."""
FIELD = re.compile(r"\{(\w*)\}")
_NAME = re.compile(r"name|label|company")
"""In what a field is called: it holds what somebody else named."""
_BETWEEN = re.compile(r"(?<=[.!?”)]) (?=[A-Z“(])")
"""Where one sentence ends and the next begins."""
_WIDE = re.compile(r"(?<=[。！？]) ")
_TITLED = re.compile(r"([^:]{3,60}): (.+)")
_COUNTED = re.compile(r"(\d+) ([a-z]+?)s?")
_NUMBER = re.compile(r"\d{5,18}|\d{1,3}(?:,\d{3}){1,5}|(\d{1,15}\.\d)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|\+00:00))?")


def together(sentences: Iterable[str]) -> str:
    """One after the other; where a language's full stop is wide, no space follows it."""
    return _WIDE.sub("", " ".join(sentence for sentence in sentences if sentence))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How a sentence is recognised, and what it is then. The fields in `names` stay as they are."""

    looks: re.Pattern[str]
    said: str
    names: frozenset[str]


class Phrases:
    """The core's words in the language of one catalogue."""

    def __init__(self, catalogue: gettext.NullTranslations) -> None:
        self._catalogue = catalogue
        self._patterns = tuple(_patterns(getattr(catalogue, "_catalog", {})))

    def say(self, text: str) -> str:
        """`text` in the person's language, line by line and sentence by sentence; what the catalogue does not have stays."""
        if not text or text.isspace():
            return text
        return self._known(text) or self._in_parts(text) or text

    def _known(self, text: str) -> str:
        """As it stands in the catalogue, or made from a pattern there; empty if neither."""
        for found in (self._catalogue.gettext(text), self._catalogue.pgettext(CORE, text)):
            if found != text:
                return found
        if "\n" not in text and len(text) <= _LONGEST:
            for pattern in self._patterns:
                if match := pattern.looks.fullmatch(text):
                    return self._filled(pattern, match)
        return ""

    def _in_parts(self, text: str) -> str:
        """Put together from the lines, the sentences, or the name and what is said of it; empty if it is one piece."""
        if "\n" in text:
            return "\n".join(map(self.say, text.split("\n")))
        if text[0] == " ":
            return f" {self.say(text[1:])}"
        if text[0] == "(" and text[-1] == ")":
            return f"({self._value(text[1:-1])})"
        if len(sentences := _BETWEEN.split(text)) > 1:
            return together(map(self.say, sentences))
        if titled := _TITLED.fullmatch(text):
            name, value = self.say(titled[1]), self._value(titled[2])
            return self._catalogue.gettext("{name}: {value}").format(name=name, value=value) if (name, value) != titled.groups() else ""
        return self._counted(text)

    def _filled(self, pattern: _Pattern, match: re.Match[str]) -> str:
        """The translation with its fields filled; one that names another field has the error shown instead of hidden."""
        values = {name.removeprefix("f_"): value for name, value in match.groupdict().items()}

        def value(field: re.Match[str]) -> str:
            found = values.get(field[1], field[0])
            return found if field[1] in pattern.names else self._value(found)

        return FIELD.sub(value, pattern.said)

    def _value(self, text: str) -> str:
        """What fills a field: a number, a day, a number of things, words of the core's, or several with commas between."""
        if number := _NUMBER.fullmatch(text):
            return QLocale().toString(float(text), "f", 1) if number[1] else QLocale().toString(int(text.replace(",", "")))
        if _MOMENT.fullmatch(text):
            return self._moment(text)
        found = self.say(text)
        if found != text or ", " not in text:
            return found
        parts = text.split(", ")
        said = list(map(self.say, parts))
        return QLocale().createSeparatedList(said) if said != parts else text

    def _counted(self, text: str) -> str:
        """A number of things, as the language counts; empty if the catalogue counts no such things."""
        if (counted := _COUNTED.fullmatch(text)) is None:
            return ""
        count = int(counted[1])
        found = self._catalogue.ngettext(f"{{count}} {counted[2]}", "", count)
        return found.format(count=QLocale().toString(count)) if found != f"{{count}} {counted[2]}" else ""

    def _moment(self, text: str) -> str:
        """A day, or a day and a time, that the core wrote in ISO's way."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        at = moment if len(text) == len("2026-05-12") else local_time(moment)
        day = QLocale().toString(QDate(at.year, at.month, at.day), QLocale.FormatType.LongFormat)
        clock = QLocale().toString(QTime(at.hour, at.minute), QLocale.FormatType.ShortFormat)
        return day if at is moment else self._catalogue.gettext("{day}, {time}").format(day=day, time=clock)


def _patterns(entries: dict[object, str]) -> Iterable[_Pattern]:
    """The core's patterns, those with the most words of their own first."""
    patterns = [(key.removeprefix(_KEY), text) for key, text in entries.items() if isinstance(key, str) and key.startswith(_KEY)]
    own = {key: len(FIELD.sub("", key)) for key, _ in patterns}
    for key, text in sorted(patterns, key=lambda entry: -own[entry[0]]):
        if own[key] < _LEAST:
            return
        if FIELD.search(key):
            yield _pattern(key, text)


def _pattern(key: str, text: str) -> _Pattern:
    parts, names, seen, at = [], set[str](), set[str](), 0
    for field in FIELD.finditer(key):
        name = f"f_{field[1]}"
        parts += [re.escape(key[at : field.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        at = field.end()
        if key[field.start() - 1 : field.start()] == "“" or _NAME.search(field[1]):
            names.add(field[1])
    return _Pattern(re.compile("".join([*parts, re.escape(key[at:])]), re.DOTALL), text, frozenset(names))
