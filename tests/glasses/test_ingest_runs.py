"""One run of each family of `tests/long/ingest_runs.py`, which makes 200: killed or disconnected at random, then left in peace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "long" / "ingest_runs.py"


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not for Windows")
def test_nothing_is_lost_doubled_or_removed_early(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), "--runs", "3", "--seed", "20261123", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    found = json.loads(done.stdout or "{}")
    assert found.get("good") is True, done.stdout + done.stderr
    assert {family: course["runs"] for family, course in found["families"].items()} == {"open": 1, "mentra-live": 1, "omi-glass": 1}
