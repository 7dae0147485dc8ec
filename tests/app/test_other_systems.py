"""What Windows and macOS lack is not needed there. `make test-systems` stands in for them at more length."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from app.vault import files
from app.vault.words import local_time

SYSTEMS = Path(__file__).resolve().parents[1] / "packaging/systems.py"


def test_every_module_is_read_where_there_is_no_linux() -> None:
    done = subprocess.run([sys.executable, SYSTEMS, "--read"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["win32: well", "darwin: well"]


@pytest.mark.parametrize(("system", "refusals", "tries"), [("win32", 3, 4), ("linux", 1, 1)])
def test_a_file_that_is_being_read_is_waited_for_on_windows(
    system: str, refusals: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    tried: list[int] = []

    def change() -> None:
        tried.append(1)
        if len(tried) <= refusals:
            raise PermissionError

    if tries <= refusals:
        with pytest.raises(PermissionError):
            files.patiently(change)
    else:
        files.patiently(change)
    assert len(tried) == tries


def test_a_file_that_nobody_lets_go_of_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def change() -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        files.patiently(change)


class OfWindows(datetime):
    """As Python on Windows has them: no zone of the computer's own for days long ago."""

    def astimezone(self, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        if tz is None:
            raise OSError(22, "Invalid argument")
        return super().astimezone(tz)


def test_a_time_before_the_computers_own_is_told_in_utc() -> None:
    for day in (OfWindows(1960, 5, 12, 14, 3), OfWindows(1960, 5, 12, 14, 3, tzinfo=UTC)):
        assert local_time(day) == datetime(1960, 5, 12, 14, 3, tzinfo=UTC)
    assert local_time(datetime(2026, 5, 12, 14, 3, tzinfo=UTC)).tzinfo is not None
