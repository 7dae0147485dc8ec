"""Files that belong together: a still and the short clip taken with it have one name and differ only in its ending."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.imports.types import Source

_STILLS = frozenset({".heic", ".heif", ".jpg", ".jpeg"})
_CLIPS = frozenset({".mov", ".mp4"})
_ENDINGS = _STILLS | _CLIPS


def partners(sources: Iterable[Source]) -> dict[Path, Source]:
    """What belongs to each still and each clip of a pair; files that are alone have nothing.

    Two files pair when they lie in one folder under one name, one of them a still and one a clip; a third one makes it ambiguous.
    """
    named = defaultdict[tuple[Path, str], dict[Path, Source]](dict)
    for source in sources:
        if source.path.suffix.lower() in _ENDINGS:
            named[source.path.parent, source.path.stem.lower()][source.path] = source
    found: dict[Path, Source] = {}
    for together in named.values():
        endings = {path.suffix.lower() for path in together}
        if len(together) == 2 and endings & _STILLS and endings & _CLIPS:
            one, other = together.values()
            found |= {one.path: other, other.path: one}
    return found


def pairs(sources: Iterable[Source]) -> Mapping[Path, str]:
    """A mark of 32 hex digits for each still and each clip of a pair: the same one whenever both are found as they are now.

    So an import that was cut off between the two still marks them alike.
    """
    by_path = {source.path: source for source in sources}
    return {path: _mark(by_path[path], other) for path, other in partners(by_path.values()).items()}


def _mark(*pair: Source) -> str:
    text = repr(sorted((str(each.path), each.size, each.modified_ns) for each in pair))
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
