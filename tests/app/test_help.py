"""The help inside the program says what the README says, in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_chapter_of_the_help_stands_in_the_readme() -> None:
    text = (ROOT / "resources/help.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    chapters = [f"## {chapter.strip()}\n" for chapter in text.split("## ") if chapter.strip()]
    assert len(chapters) >= 3
    assert [chapter.splitlines()[0] for chapter in chapters if chapter not in readme] == []


@pytest.mark.parametrize("language", ["de", "es", "fr", "zh_CN"])
def test_the_help_of_each_language_has_the_same_chapters_and_paragraphs(language: str) -> None:
    """As many headings, questions and paragraphs, in the same order."""
    english, other = ((ROOT / f"resources/{name}").read_text("utf-8").strip() for name in ("help.md", f"help.{language}.md"))
    assert [kind(each) for each in other.split("\n\n")] == [kind(each) for each in english.split("\n\n")]


def kind(paragraph: str) -> str:
    return "heading" if paragraph.startswith("## ") else "question" if re.match(r"\*\*[^*]+\*\* \S", paragraph) else "text"


def test_each_language_has_its_help() -> None:
    catalogues = {path.stem for path in (ROOT / "resources/translations").glob("*.po")}
    assert {path.name.removeprefix("help.").removesuffix(".md") for path in (ROOT / "resources").glob("help.*.md")} == catalogues
