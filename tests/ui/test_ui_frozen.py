"""The packaged program tells its children's command lines from a person's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.courier.depot_link import __file__ as depot
from app.imports import crew
from app.media import heic
from app.media.look import link
from app.sharing import courier_link
from ui.frozen import CHILDREN, child


@pytest.mark.parametrize("command", [heic.command(), link.command(), courier_link.command()])
def test_each_child_is_known(command: list[str]) -> None:
    assert child(command[1:]) in CHILDREN


def test_all_that_is_started_by_name_is_known() -> None:
    started = {
        name for file in (depot, heic.__file__, link.__file__, courier_link.__file__, crew.__file__) for name in _started(Path(file))
    }
    assert started == CHILDREN


def _started(path: Path) -> list[str]:
    return re.findall(r'"-E", "-s", "-m", "([\w.]+)"', path.read_text("utf-8"))


@pytest.mark.parametrize("arguments", [[], ["list"], ["-E", "-s", "-m"], ["-E", "-s", "-m", "ui"], ["-m", "app.courier"], ["--", "-E"]])
def test_a_persons_command_line_starts_no_child(arguments: list[str]) -> None:
    assert child(arguments) is None
