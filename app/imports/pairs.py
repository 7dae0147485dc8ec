"""Files that belong together: a still and the short clip taken with it have one name and differ only in its ending."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from app.imports.types import Source

_STILLS = frozenset({".heic", ".heif", ".jpg", ".jpeg"})
_CLIPS = frozenset({".mov", ".mp4"})


def pairs(sources: Iterable[Source]) -> dict[Path, str]:
    """A mark of 32 hex digits for each still and each clip of a pair; files that are alone have none.

    Two files pair when they lie in one folder under one name, one of them a still and one a clip; a third one makes it ambiguous.
    """
    named = defaultdict[tuple[Path, str], list[Path]](list)
    for source in sources:
        if source.path.suffix.lower() in _STILLS | _CLIPS:
            named[source.path.parent, source.path.stem.lower()].append(source.path)
    marks: dict[Path, str] = {}
    for together in named.values():
        endings = {path.suffix.lower() for path in together}
        if len(together) == 2 and endings & _STILLS and endings & _CLIPS:
            marks |= dict.fromkeys(together, secrets.token_hex(16))
    return marks
