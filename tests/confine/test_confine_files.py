"""Landlock: what a process behind it sees of the disk, and that it says so where the kernel knows nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.confine import files, kernel

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, subprocess, sys
from app.confine.files import read_only
seen, file, hidden = sys.argv[1:4]
version = read_only([seen, file, "/nowhere/at/all"])
if not version:
    sys.exit(77)

def outcome(work):
    try:
        return work()
    except OSError as error:
        return type(error).__name__

assert open(seen + "/here").read() == "mine"
assert open(file).read() == "mine"
assert os.listdir(seen) == ["here"]
for work in (
    lambda: open(hidden).read(),
    lambda: os.listdir(os.path.dirname(hidden)),
    lambda: open("/etc/hostname").read(),
    lambda: open(seen + "/here", "a"),
    lambda: open(seen + "/new", "x"),
    lambda: os.unlink(seen + "/here"),
    lambda: os.rename(seen + "/here", seen + "/there"),
    lambda: os.mkdir(seen + "/folder"),
    lambda: subprocess.run(["/bin/true"]),
):
    assert outcome(work) == "PermissionError", work
if version >= 6:
    assert outcome(lambda: os.kill(os.getppid(), 0)) == "PermissionError"
print("as it should be")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is the Linux kernel's")
def test_only_the_places_named_and_only_for_reading(tmp_path: Path) -> None:
    for name in ("seen/here", "file", "other/hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    arguments = [str(tmp_path / name) for name in ("seen", "file", "other/hidden")]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    if done.returncode == 77:  # a kernel without it: said, and nothing else
        assert done.stderr == ""
    else:
        assert (done.stdout, done.stderr) == ("as it should be\n", "")


@pytest.mark.parametrize(("version", "size", "rights"), [(1, 8, 0x1FFF), (2, 8, 0x3FFF), (4, 8, 0x7FFF), (5, 8, 0xFFFF), (9, 24, 0xFFFF)])
def test_what_is_asked_of_each_version_of_the_kernel(monkeypatch: pytest.MonkeyPatch, version: int, size: int, rights: int) -> None:
    """A kernel is asked for what it knows and no more, or it refuses the whole."""
    asked = []

    def call(number: int, *arguments: object) -> int:
        if number == 444 and arguments[-1] == 1:
            return version
        if number == 444:
            asked.append((bytes(arguments[0])[:8], arguments[1]))
        return -1

    monkeypatch.setattr(kernel, "system_call", call)
    assert files.read_only([]) == 0
    assert asked == [(rights.to_bytes(8, "little"), size)]


def test_without_landlock_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "system_call", lambda *_: -1)
    assert files.read_only(["/"]) == 0
