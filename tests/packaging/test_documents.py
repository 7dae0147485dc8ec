"""What the documents at the top say can be done: each command, option, make target and file they name is there."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def actions(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a parser, by name."""
    found = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def commands(document: str) -> Iterator[list[str]]:
    """The words of each `eyelid …` that a document names, without what a line explains after them."""
    for line in re.findall(r"^eyelid .*|`eyelid [^`]+`", document, re.MULTILINE):
        yield re.split(r"\s{3,}", line.strip("`"))[0].split()[1:]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_is_there(name: str) -> None:
    for words in commands(text(name)):
        of = parser()
        while words and not words[0].startswith(("-", "[")) and (below := actions(of)):
            first, *words = words
            assert set(first.split("|")) <= below.keys(), f"eyelid … {first}"
            of = below[first.split("|")[0]]
        options = {option for action in [*parser()._actions, *of._actions] for option in action.option_strings}
        assert {word.strip("[]") for word in words if word.strip("[]").startswith("--")} <= options, words


def test_the_readme_names_every_command() -> None:
    named: dict[str, set[str]] = {}
    for words in commands(text("README.md")):
        named.setdefault(words[0], set()).update(words[1].split("|") if len(words) > 1 else ())
    for name, below in actions(parser()).items():
        assert name in named
        assert actions(below).keys() <= named[name], f"eyelid {name}"


def test_every_target_of_make_is_there_and_told_apart() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    for name in DOCUMENTS:
        assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text(name), re.MULTILINE)) <= targets, name
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_linked_or_named_is_there(name: str) -> None:
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text(name)) if not link.startswith("http")]
    named = re.findall(r"`((?:app|ble|ui|resources|tests)/[\w./-]*\.\w+)`", text(name)) if name != "CONTRIBUTING.md" else []
    assert [path for path in (*linked, *named) if not (ROOT / path).exists()] == []


def test_the_readme_is_short_enough_to_read_and_shows_the_program() -> None:
    assert len(text("README.md").splitlines()) < 300
    assert text("README.md").count("](resources/screenshots/") >= 3


def test_a_person_at_windows_is_given_what_make_does() -> None:
    """The same steps as the Makefile's, in the words of PowerShell."""
    lines = re.search(r"```\n(py -3 .*?)```", text("README.md"), re.DOTALL)
    assert lines is not None
    words = shlex.split(lines[1].replace("\\", "/").replace("#", " "))
    for step in ("requirements-dev.txt", "--require-hashes", "--no-build-isolation", ".venv/Scripts/ruff", ".venv/Scripts/mypy;", "pytest"):
        assert step in [word.rstrip(";") if word != step else word for word in words], step


def test_the_map_shows_every_room_whose_imports_are_kept() -> None:
    rooms = re.findall(r'^    "([\w/]+)": \(', text("tests/test_architecture.py"), re.MULTILINE)
    shown = set(re.findall(r"^\| `([\w/]+)/`", text("CONTRIBUTING.md"), re.MULTILINE))
    assert len(rooms) > 10
    assert set(rooms) == shown


def test_every_file_of_the_drawing_is_there() -> None:
    drawing = re.search(r"## The life of a capture\n\n```\n(.*?)```", text("CONTRIBUTING.md"), re.DOTALL)
    assert drawing is not None
    named = set(re.findall(r"\b(?:app|ble|ui)/[\w/]+", drawing[1]))
    assert len(named) > 8
    assert [path for path in named if not (ROOT / path).is_dir() and not (ROOT / f"{path}.py").is_file()] == []


def test_a_profile_of_this_version_is_kept() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert (ROOT / "tests/app/released" / version.rpartition(".")[0] / "about.json").is_file()
    assert "## Unreleased" in text("CHANGELOG.md") or f"## {version}" in text("CHANGELOG.md")
