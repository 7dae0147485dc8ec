"""Collects every sentence that people read and keeps the catalogues: `python tests/ui/translations.py [--check]` (make translations).

Sentences of the window are the literal first arguments of `tr` and `plural`. The core's (app/ and ble/, but not the command line and the
simulated glasses) are the strings in its source that are sentences or labels for people, and the patterns of those with names or numbers in
them. Writes resources/translations/<language>.po, keeping every translation there is, and the .mo files that the program reads. `--check`
writes nothing and says what is missing.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CORE = "core"
"""As `ui.i18n` has it."""
FOLDER = ROOT / "resources/translations"
LANGUAGES = ("de", "es", "fr", "zh_CN")
_OUTSIDE = ("app/cli", "ble/sim", "app/courier", "app/assistants", "app/imports/families")
"""Rooms whose words no person reads in the window."""
_FOR_PEOPLE = re.compile(r"[A-Z“][^\n]*[a-z]{2}[^\n]*", re.DOTALL)
_NO_SENTENCE = re.compile(
    r"[A-Z_]+|[A-Z][a-z]+[A-Z]\w*|\S+[_=:/\\]\S*|[A-Z]{2,}[ A-Z0-9_,()?*=.;-]*|(SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA|ALTER|DROP) .*",
    re.DOTALL,
)
"""Names of code, and what is said to the database."""
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
    return list(found.values())


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
        if isinstance(node, ast.JoinedStr):
            pattern = _pattern(node)
            if pattern and _FIELD.search(pattern) and _is_for_people(_FIELD.sub("x", pattern)) and len(_FIELD.sub("", pattern)) > 6:
                yield Message(pattern, "", place, CORE)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_for_people(node.value):
            yield Message(node.value, "", place, CORE if _FIELD.search(node.value) else None)


def _no_words(tree: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and what stands inside formatted strings, which are taken whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in ast.walk(node) if part is not node)


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
