"""The packaged program tells its children's command lines from a person's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.media import heic
from app.media.look import link
from app.sharing import courier_link
from ui.frozen import CHILDREN, child

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [heic.command(), link.command(), courier_link.command()])
def test_each_child_is_known(command: list[str]) -> None:
    assert child(command[1:]) in CHILDREN


def test_all_that_is_started_by_name_is_known() -> None:
    files = [path.read_text("utf-8") for room in ("app", "ble") for path in (ROOT / room).rglob("*.py")]
    assert {name for text in files for name in re.findall(r'"-m",\s+"([\w.]+)"', text)} == CHILDREN


@pytest.mark.parametrize("arguments", [[], ["list"], ["-E", "-s", "-m"], ["-E", "-s", "-m", "ui"], ["-m", "app.courier"], ["--", "-E"]])
def test_a_persons_command_line_starts_no_child(arguments: list[str]) -> None:
    assert child(arguments) is None
