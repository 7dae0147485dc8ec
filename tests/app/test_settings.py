"""Settings survive, refuse what they cannot be, and report a damaged file without losing it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from app import settings
from app.settings import Settings, SettingsError


def test_defaults_without_a_file(tmp_path: Path) -> None:
    values = Settings(tmp_path / "settings.toml")
    assert values.get(settings.THEME) == "system"
    assert values.get(settings.AI_OFF) is False


def test_what_is_set_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    values = Settings(path)
    values.set(settings.THEME, "dark")
    values.set(settings.DESTINATION, 'a "quoted" name\nand ä line')
    values.set(settings.AI_OFF, True)
    again = Settings(path)
    assert again.get(settings.THEME) == "dark"
    assert again.get(settings.DESTINATION) == 'a "quoted" name\nand ä line'
    assert again.get(settings.AI_OFF) is True
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text("utf-8").startswith(f"format = {settings.FORMAT}\n")


def test_listeners_hear_of_a_change(tmp_path: Path) -> None:
    values = Settings(tmp_path / "settings.toml")
    heard: list[str] = []
    values.on_change(heard.append)
    values.set(settings.AI_OFF, True)
    assert heard == ["ai_off"]


def test_what_the_disk_refuses_is_in_force_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above all “AI off”: the gate hears of it, and the person that it holds for now only."""
    values = Settings(tmp_path / "settings.toml")
    heard: list[bool] = []
    values.on_change(lambda _: heard.append(values.get(settings.AI_OFF)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(settings, "replace_file", full)
    with pytest.raises(SettingsError, match=r"counts now.*No space left on device"):
        values.set(settings.AI_OFF, True)
    assert heard == [True]


def test_a_value_outside_the_choices_is_refused_and_not_kept(tmp_path: Path) -> None:
    values = Settings(tmp_path / "settings.toml")
    with pytest.raises(SettingsError, match="theme"):
        values.set(settings.THEME, "pink")
    assert values.get(settings.THEME) == "system"


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe", b"theme = 3", b'ai_off = "yes"', b'theme = "pink"'])
def test_a_damaged_file_is_reported_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        Settings(path)
    assert caught.value.action
    assert path.read_bytes() == content


def test_unknown_keys_of_a_newer_eyelid_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('shiny = true\ntheme = "light"\n')
    values = Settings(path)
    assert values.get(settings.THEME) == "light"
    values.set(settings.AI_OFF, True)
    assert "shiny = true\n" in path.read_text(), "the newer Eyelid finds its own again"
    again = Settings(path)
    assert (again.get(settings.THEME), again.get(settings.AI_OFF)) == ("light", True)


def test_a_value_of_a_newer_eyelid_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "sepia"\n')
    with pytest.raises(SettingsError, match=r"“theme”.*settings\.toml was changed by hand, or written by a newer Eyelid\. Update Eyelid"):
        Settings(path)


def test_keys_are_unique_and_explained() -> None:
    assert len({setting.key for setting in settings.ALL}) == len(settings.ALL)
    assert all(setting.title and setting.help for setting in settings.ALL)
