"""The help inside the program says what the README says."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_chapter_of_the_help_stands_in_the_readme() -> None:
    text = (ROOT / "resources/help.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    chapters = [f"## {chapter.strip()}\n" for chapter in text.split("## ") if chapter.strip()]
    assert len(chapters) >= 3
    assert [chapter.splitlines()[0] for chapter in chapters if chapter not in readme] == []
