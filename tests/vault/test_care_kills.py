"""Forty real kills of an ingesting process; `make test-long` does a thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "long" / "kills.py"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are of POSIX")
def test_forty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "40", "--seed", "4711", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.stdout, done.stderr
    tally = json.loads(done.stdout)
    assert (tally["kills"], tally["lost"], tally["plaintext"], tally["unreadable"], tally["what"]) == (40, 0, 0, 0, [])
    assert tally["acknowledged"] >= 40
    assert tally["leftovers"] > 0, "no kill hit a write, so this run showed nothing"
    assert done.returncode == 0
