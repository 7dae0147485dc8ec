"""What lies in a vault's folder, for tests that compare two of them."""

from __future__ import annotations

from pathlib import Path

from app.vault.backup import is_sealed


def sealed(folder: Path) -> dict[str, bytes]:
    """Every file that a backup holds, by its name."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in files.items() if is_sealed(name)}
