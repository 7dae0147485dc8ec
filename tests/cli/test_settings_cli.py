"""`eyelid settings`: listed, changed and reset by the names that the window shows."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from app import settings as declared
from app.cli import settings as commands
from app.cli.terminal import Terminal
from app.paths import Profile
from app.settings import Settings, SettingsError


def run(profile: Path, capsys, *words: str, reset: bool = False) -> dict[str, object]:
    """What the command says as data."""
    key, value = (*words, None, None)[:2]
    arguments = argparse.Namespace(key=key, value=value, reset=reset)
    asyncio.run(commands.run(Profile(profile), arguments, Terminal(json=True, passphrase_fd=None)))
    return json.loads(capsys.readouterr().out)


def test_all_are_listed_one_is_set_and_reset(tmp_path, capsys) -> None:
    assert set(run(tmp_path, capsys)) == {setting.key for setting in declared.ALL}
    assert run(tmp_path, capsys, "ai_off", "on") == {"ai_off": True}
    assert run(tmp_path, capsys, "theme", "dark") == {"theme": "dark"}
    assert Settings(Profile(tmp_path).settings).get(declared.AI_OFF) is True
    assert run(tmp_path, capsys, "theme", reset=True) == {"theme": "system"}
    assert run(tmp_path, capsys, "theme") == {"theme": "system"}


@pytest.mark.parametrize("words", [("colour",), ("ai_off", "perhaps"), ("theme", "pink")])
def test_what_cannot_be_is_refused_in_words(tmp_path, capsys, words) -> None:
    with pytest.raises(SettingsError):
        run(tmp_path, capsys, *words)


def test_the_watched_folder_is_kept_whole(tmp_path, capsys, monkeypatch) -> None:
    """Whoever watches it may have been started in another folder."""
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, capsys, "watch_folder", "Pictures") == {"watch_folder": str(tmp_path / "Pictures")}
    assert run(tmp_path, capsys, "watch_folder", "") == {"watch_folder": ""}


def test_what_is_to_be_reset_has_to_be_named(tmp_path, capsys) -> None:
    with pytest.raises(SettingsError, match="Name a setting"):
        run(tmp_path, capsys, reset=True)
