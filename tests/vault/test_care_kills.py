"""Real kills of an ingesting process; `make test-long` does a thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "long" / "kills.py"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are of POSIX")
def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Twenty kills at a time, until enough of them fell where they matter: how many do depends on how busy the computer is."""
    acknowledged = leftovers = 0
    for seed in range(4711, 4716):
        tally = killed(tmp_path / str(seed), seed)
        assert (tally["kills"], tally["lost"], tally["plaintext"], tally["unreadable"], tally["what"]) == (20, 0, 0, 0, [])
        acknowledged, leftovers = acknowledged + tally["acknowledged"], leftovers + tally["leftovers"]
        if acknowledged >= 20 and leftovers:
            return
    pytest.fail(f"{acknowledged} captures were acknowledged and {leftovers} writes hit: too few to show anything")


def killed(folder: Path, seed: int) -> dict[str, Any]:
    folder.mkdir()
    command = [sys.executable, str(SCRIPT), "--kills", "20", "--seed", str(seed), "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout, done.stderr
    assert done.returncode == 0
    tally: dict[str, Any] = json.loads(done.stdout)
    return tally
