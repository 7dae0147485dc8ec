"""CONTRIBUTING.md, followed to the letter in a copy of the source: each new file and each change it names, then the commands it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
_STEP = re.compile(
    r"^(?:New file `(?P<new>[^`]+)`|In `(?P<file>[^`]+)`, (?P<how>after|instead of) `(?P<anchor>[^`]+)`):\n\n```\w+\n(?P<text>.*?)```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^```\n(?P<command>python .*?)\n```$", re.MULTILINE)


def chapter(title: str) -> str:
    """The text of one chapter."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"CONTRIBUTING.md has no chapter “{title}”"
    return found[1]


def follow(source: Path, text: str) -> int:
    """Do what the chapter says in `source`; returns the number of steps."""
    count = 0
    for step in _STEP.finditer(text):
        count += 1
        if step["new"]:
            path = source / step["new"]
            assert not path.exists(), f"{step['new']} is there already"
            path.write_text(step["text"], "utf-8")
            continue
        path = source / step["file"]
        before = path.read_text("utf-8")
        assert before.count(step["anchor"]) == 1, f"{step['file']} has no one place {step['anchor']!r}"
        after = f"{step['anchor']}\n{step['text'].rstrip(chr(10))}" if step["how"] == "after" else step["text"].rstrip("\n")
        path.write_text(before.replace(step["anchor"], after), "utf-8")
    return count


def run(source: Path, command: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, *command.split()[1:]]
    if "pytest" in arguments:
        arguments += ["-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(arguments, cwd=source, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of all that is in the repository but pictures."""
    made = tmp_path / "eyelid"
    skipped = shutil.ignore_patterns("__pycache__", "screenshots", "vectors", "bluez")
    for room in ("app", "ble", "ui", "resources", "tests"):
        shutil.copytree(ROOT / room, made / room, ignore=skipped)
    shutil.copyfile(ROOT / "pyproject.toml", made / "pyproject.toml")
    return made


def follow_whole(source: Path, title: str, steps: int) -> None:
    """Do what a chapter says, and run the commands it names."""
    text = chapter(title)
    assert follow(source, text) == steps
    commands = [found["command"] for found in _COMMAND.finditer(text)]
    assert commands
    for command in commands:
        passes(source, command)


def passes(source: Path, command: str) -> None:
    done = run(source, command)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_a_family_added_so_works_and_keeps_the_house_rules(source: Path) -> None:
    follow_whole(source, "Adding a family of glasses", 10)
    for arguments in (["ruff", "check", "ble"], ["ruff", "format", "--check", "ble/drivers/blink.py", "ble/sim/blink.py"]):
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    passes(source, "python -m pytest tests/test_architecture.py -k blink")


def test_a_destination_added_so_works(source: Path) -> None:
    follow_whole(source, "Adding a destination", 5)


def test_a_language_added_so_has_a_catalogue_of_everything(source: Path) -> None:
    text = chapter("Adding a language")
    assert follow(source, text) == 8
    [command] = [found["command"] for found in _COMMAND.finditer(text)]
    done = run(source, command)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"^it: (\d+) messages, \1 to be done$", done.stdout, re.MULTILINE)
    catalogue = source / "resources/translations/it.po"
    catalogue.write_text(catalogue.read_text("utf-8").replace('msgid "Lock"\nmsgstr ""', 'msgid "Lock"\nmsgstr "Blocca"'), "utf-8")
    assert run(source, command).returncode == 0
    code = "from ui.i18n import tr, use; use('it_IT'); print(tr('Lock'))"
    spoken = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True)
    assert spoken.stdout == "Blocca\n"
    window, desktop = "tests/ui/test_ui_languages.py", "tests/packaging/test_desktop_files.py"
    named = (f"{window}::test_the_setting_offers_each_language_by_its_own_name", f"{window}::test_languages_named_and_made_are_the_same")
    passes(source, f"python -m pytest {' '.join(named)} {desktop}::test_the_desktop_speaks_the_languages_of_the_program")


def test_every_path_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:app|ble|ui|resources|tests)/[\w./-]+)`", TEXT)) | set(re.findall(r"\]\((\w[\w./-]+)\)", TEXT))
    made = {step["new"] for step in _STEP.finditer(TEXT)} | {"resources/translations/it.po"}
    assert [path for path in sorted(named - made) if not (ROOT / path).exists()] == []
