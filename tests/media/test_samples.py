"""The pictures of the repository: where each is from is written down."""

from __future__ import annotations

import re
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "resources" / "samples"


def test_every_sample_has_its_source_and_licence() -> None:
    said = (SAMPLES / "SOURCES.md").read_text("utf-8")
    names = {re.sub(r"^\d-", "", path.stem) for path in SAMPLES.rglob("*") if path.suffix in {".jpg", ".png", ".mp4", ".heic"}}
    assert len(names) > 6
    assert [name for name in names if f"`{name}." not in said and f"/{name}." not in said and f"| {name} |" not in said] == []
    rows = [line for line in said.splitlines() if line.startswith("| ") and "author" not in line]
    assert all(re.search(r"CC0|public domain", row) for row in rows)
