"""`eyelid settings`: the declared settings at the terminal, each by the name that the window shows beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from app import settings as declared
from app.cli.terminal import Exit, Terminal
from app.paths import Profile
from app.settings import AnySetting, Settings, SettingsError

_YES, _NO = frozenset({"on", "true", "yes", "1"}), frozenset({"off", "false", "no", "0"})


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("settings", help="list the settings, or change one")
    command.add_argument("key", nargs="?", help="one setting")
    command.add_argument("value", nargs="?", help="what it is to be: on or off, or one of its choices")
    command.add_argument("--reset", action="store_true", help="back to the default")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    """Raises SettingsError. A window that is open goes on with what it read at its start."""
    profile.make()
    settings = Settings(profile.settings)
    if arguments.key is None:
        if arguments.reset:
            raise SettingsError("It is not clear what to reset.", "", "Name a setting.")
        for setting in declared.ALL:
            terminal.say(f"{setting.key:<15} {_said(settings, setting):<10} {setting.title}")
        terminal.data({setting.key: settings.value(setting) for setting in declared.ALL})
        return Exit.DONE
    setting = declared.named(arguments.key)
    if arguments.reset:
        settings.reset(setting)
    elif arguments.value is not None:
        settings.put(setting, _value(setting, arguments.value))
    terminal.say(f"{setting.key} is {_said(settings, setting) or 'empty'}. {setting.help}")
    if 0 < len(setting.choices) <= declared.MANY:
        terminal.say(f"Choices: {', '.join(setting.choices)}")
    terminal.data({setting.key: settings.value(setting)})
    return Exit.DONE


def _said(settings: Settings, setting: AnySetting) -> str:
    value = settings.value(setting)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _value(setting: AnySetting, typed: str) -> bool | str:
    if setting is declared.WATCH_FOLDER and typed:
        return str(Path(typed).expanduser().absolute())  # the window begins in another folder than this shell
    if not isinstance(setting.default, bool):
        return typed
    if typed.lower() not in _YES | _NO:
        raise SettingsError(f"“{typed}” is neither on nor off.", "", "Say on or off.")
    return typed.lower() in _YES
