"""Collects every sentence that people read and keeps the catalogues: `python tests/ui/translations.py [--check]` (make translations).

Sentences of the window are the literal first arguments of `tr` and `plural`. The core's (app/ and ble/, but not the command line and the
simulated glasses) are the strings in its source that are sentences, labels or phrases for people, and the patterns of those with names or
numbers in them; besides, the words of the policy cards and the names of places. Writes resources/translations/<language>.po, keeping every
translation there is, and the .mo files that the program reads. `--check` writes nothing and says what is missing.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a program
    sys.path.insert(0, str(ROOT))

from app.imports.families import FAMILIES  # noqa: E402
from app.sharing.regions import PLACES  # noqa: E402
from ui.phrases import CORE, QUOTATION  # noqa: E402

FOLDER = ROOT / "resources/translations"
LANGUAGES = ("de", "es", "fr", "zh_CN")
_OUTSIDE = (
    *("app/cli", "ble/sim", "app/imports/families", "app/assistants/__init__.py", "app/courier/pipe.py", "app/media/look/pipe.py"),
    *("app/sharing/receipts_page.py", "app/sharing/card_schema.py"),
)
"""Rooms whose words no person reads in the window. The printed book of receipts is in English, as the book itself."""
_TECHNICAL = ("age", "armor", "header", "hybrid")
"""Files of the vault's room that say what is wrong with a sealed file, as part of a sentence."""
_NO_PHRASES = (
    *("app/glasses", "app/imports", "app/courier/doorstep.py", "ble/connection.py", "ble/drivers/brilliant_lua.py", "ble/types.py"),
    *(f"app/vault/{path.name}" for path in (ROOT / "app/vault").glob("*.py") if path.stem not in _TECHNICAL),
)
"""Rooms in which what begins with a small letter is for programmers."""
_FOR_PROGRAMMERS = {"ValueError", "TypeError", "RuntimeError", "sqlite3.DatabaseError"}
"""Faults whose texts no person reads."""
_WORDS = (
    *("eyelid", "system", "packages", "disk", "keyring", "memory", "main", "courier", "vault", "bluetooth", "window", "glasses"),
    *("passphrase", "recovery", "simulated", "never", "place", "contact", "appointment", "description"),
)
"""Single words of the core's that are shown by themselves or inside a sentence; no rule tells them from the words of code."""
_FOR_PEOPLE = re.compile(r"[A-Z“][^\n]*[a-z]{2}[^\n]*", re.DOTALL)
_PHRASE = re.compile(r"[a-z“][^\n<>=_{}\\#*?\[\]|&$@+^`]*")
"""What stands inside a sentence or a table: two words at least, and no sign of code."""
_OF_LETTERS = re.compile(r"[a-z’']{2,}")
_NO_SENTENCE = re.compile(
    r"[A-Z_]+|[A-Z][a-z]+[A-Z]\w*|\S+[_=:/\\]\S*|[A-Z]{2,}[ A-Z0-9_,()?*=.;-]*|(SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA|ALTER|DROP) .*"
    r"|(Connection|Content-\w+): .*|Bearer .*|\n[A-Z]{2} .*",
    re.DOTALL,
)
"""Names of code, tables, and what is said to the database or to a server."""
_FIELD = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence; `many` for the plural, "" where it does not count anything.

    `context` is `CORE` for patterns of the core's, so that no words of the window are taken for one.
    """

    one: str
    many: str
    place: str
    context: str | None = None


def messages() -> list[Message]:
    """All, each once, in the order of the source."""
    found: dict[tuple[str, str | None], Message] = {}
    for room in ("ui", "app", "ble"):
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if place.startswith(_OUTSIDE):
                continue
            tree = ast.parse(path.read_text("utf-8"))
            for message in of_window(tree, place) if room == "ui" else of_core(tree, place):
                known = found.get((message.one, message.context))
                if known is None or (message.many and not known.many):
                    found[message.one, message.context] = message
    for message in (*of_cards(), *of_names(), *(Message(word, "", "app/doctor.py", CORE) for word in _WORDS)):
        found.setdefault((message.one, message.context), message)
    return list(found.values())


def of_cards() -> Iterator[Message]:
    """The words of the policy cards: our own, and those of the terms, whose translation stands beside them."""
    for path in sorted((ROOT / "resources/policies").glob("*.toml")):
        yield from _of_terms(tomllib.loads(path.read_text("utf-8")), path.relative_to(ROOT).as_posix())


def _of_terms(terms: dict[str, Any], place: str) -> Iterator[Message]:
    for name, value in terms.items():
        if name in ("title", "company", "note", "text", "source", "forbids", "forbids_people", "forbidden_models_why"):
            yield Message(value, "", place)
        elif name == "notes":
            yield from (Message(note, "", place) for note in value)
        elif name == "quote" and value:
            yield Message(value, "", place, QUOTATION)
        elif isinstance(value, dict):
            yield from _of_terms(value, place)


def of_names() -> Iterator[Message]:
    """Names of places, and of glasses that have no name but their maker's."""
    yield from (Message(name, "", "app/sharing/regions.py") for name in PLACES.values())
    yield from (Message(each.label, "", "app/imports/families") for each in FAMILIES if each.label.endswith(" glasses"))


def of_window(tree: ast.AST, place: str) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "tr":
                yield from (Message(text, "", place) for text in _literals(node.args[0]))
            elif node.func.id == "plural":
                ones, many = list(_literals(node.args[1])), list(_literals(node.args[2]))
                yield from (Message(*pair, place) for pair in zip(ones, many, strict=True))


def _literals(node: ast.expr) -> Iterator[str]:
    """A literal, or the two of a conditional one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_literals(node.body), *_literals(node.orelse))


def of_core(tree: ast.AST, place: str) -> Iterator[Message]:
    skipped = {id(text) for text in _no_words(tree)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "number_of":
            yield from (Message(f"{{count}} {noun}", f"{{count}} {noun}s", place) for noun in _literals(node.args[1]))
        text = _pattern(node) if isinstance(node, ast.JoinedStr) else node.value if isinstance(node, ast.Constant) else ""
        for line in text.split("\n") if isinstance(text, str) and not _NO_SENTENCE.fullmatch(text) else ():
            yield from _of_line(line.strip(), place)


def _of_line(text: str, place: str) -> Iterator[Message]:
    """A line as a message, if it is one: a sentence, a label, or a phrase that fills a field of another."""
    plain, own = _FIELD.sub("x", text), _FIELD.sub("", text)
    begun = text.startswith("{") and text.endswith(".")
    if _is_for_people(_FIELD.sub("X", text) if begun else plain):
        if not _FIELD.search(text):
            yield Message(text, "", place)
        elif len(own) > 6:
            yield Message(text, "", place, CORE)
    elif not place.startswith(_NO_PHRASES) and (own.strip() in _WORDS or _is_phrase(plain, own)):
        yield Message(text, "", place, CORE)


def _no_words(tree: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, what is said to programmers, and the pieces of formatted strings, which are taken whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
            yield from (part.format_spec for part in node.values if isinstance(part, ast.FormattedValue) and part.format_spec)
        elif isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and ast.unparse(node.func) in _FOR_PROGRAMMERS):
            yield from ast.walk(node)


def _pattern(node: ast.JoinedStr) -> str:
    """The text with its fields named after what fills them."""
    text, names = "", list[str]()
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            name = re.sub(r"\W+", "_", ast.unparse(part.value)).strip("_").lower()[:24] or "value"
            while name in names:
                name += "_"
            names.append(name)
            text += f"{{{name}}}"
    return text


def _is_phrase(plain: str, own: str) -> bool:
    """`plain` has its fields filled, `own` is without them."""
    return bool(_PHRASE.fullmatch(plain)) and " " in plain and not _NO_SENTENCE.fullmatch(plain) and len(_OF_LETTERS.findall(own)) > 1


def _is_for_people(text: str) -> bool:
    return bool(_FOR_PEOPLE.fullmatch(text)) and not _NO_SENTENCE.fullmatch(text) and (" " in text or text.isalpha())


def template() -> Catalog:
    made = Catalog(project="Eyelid", charset="utf-8")
    for message in messages():
        made.add((message.one, message.many) if message.many else message.one, locations=[(message.place, 0)], context=message.context)
    return made


def updated(language: str, collected: Catalog) -> Catalog:
    """The catalogue on the disk with the messages there are now; what is gone from the source is gone from it."""
    path = FOLDER / f"{language}.po"
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        catalogue.update(collected, no_fuzzy_matching=True, update_creation_date=False)
    else:
        catalogue = Catalog(locale=language, project="Eyelid", charset="utf-8")
        catalogue.update(collected, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def faults(catalogue: Catalog) -> list[str]:
    """What is missing, or says other fields than the English."""
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        english = " ".join(message.id) if isinstance(message.id, tuple | list) else message.id
        if not all(texts):
            wrong.append(f"missing: {english}")
        elif any(set(_FIELD.findall(text)) - set(_FIELD.findall(english)) for text in texts):
            wrong.append(f"a field that is none: {english}")
        elif not isinstance(message.id, tuple | list) and set(_FIELD.findall(texts[0])) != set(_FIELD.findall(english)):
            wrong.append(f"fields differ: {english}")
    return wrong


def compiled(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def written(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=0, sort_output=True, no_location=False, omit_header=False, include_lineno=False)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    collected, bad = template(), 0
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        catalogue = updated(language, collected)
        wrong = faults(catalogue)
        bad += len(wrong)
        print(f"{language}: {len(catalogue)} messages, {len(wrong)} to be done")
        if arguments.check:
            print("\n".join(f"  {line}" for line in wrong[:20]))
        else:
            (FOLDER / f"{language}.po").write_bytes(written(catalogue))
            (FOLDER / f"{language}.mo").write_bytes(compiled(catalogue))
    return int(arguments.check and bad > 0)


if __name__ == "__main__":
    sys.exit(main())
