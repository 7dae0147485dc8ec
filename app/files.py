"""Replacing a small file so that a crash leaves either the old one or the new one, whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.vault.files import Files, patiently


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically and durably, readable by its owner only. For settings, never for captures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        patiently(lambda: temporary.replace(path))
        Files().sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
