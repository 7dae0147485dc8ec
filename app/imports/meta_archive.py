"""What Meta's own archive tells of pictures that were shared with Meta AI.

The archive that "Export your information" (Accounts Center, format JSON) makes is a ZIP file. Conversations with Meta AI lie in
`…/messages/ai_conversations.json`: a list of threads, each with `label_values` that nest messages, and in each message a `timestamp_value`
(seconds since 1970), a `Name` and, under `Attachment` or in `media`, objects with the `uri` of a file in the archive. Shape as published in
github.com/munkh-hustle/muchi (assets/your_instagram_activity/messages) and asked for in github.com/Superkikim/nexus-ai-chat-importer#89;
no description by Meta is known, and none of a thread with pictures, so anything with a `uri` counts and the rest is passed over. Large ones
come in parts, whose lists and pictures may lie in different files, and some browsers unpack them, so several, and folders, are read as one.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from app.errors import EyelidError
from app.imports.sources import find, opened
from app.imports.types import Source
from app.media.sniff import SNIFF_BYTES, sniff

LARGEST_LIST = 64 * 1024 * 1024
"""Bytes of one list of conversations."""
LARGEST_PICTURE = 64 * 1024 * 1024
_MOST_MEMBERS = 500_000
_MOST_PICTURES = 20_000
_LISTS = ("ai_conversations.json", "your_ai_conversations.json")
_ASSISTANT = "meta ai"
_TIMES = (("timestamp_value", 1), ("creation_timestamp", 1), ("timestamp", 1), ("timestamp_ms", 1000))


class ArchiveUnreadable(EyelidError):
    """The file is no archive of Meta's that tells of conversations with Meta AI."""


@dataclass(frozen=True, slots=True)
class SharedPicture:
    """A picture that went to Meta AI: its name in the archive, its bytes, and when (None where the archive does not say)."""

    name: str
    data: bytes
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Named:
    uri: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of the archive; `read` gives no more of it than so many bytes, whatever its `size` says."""

    name: str
    size: int
    read: Callable[[int], bytes]


def shared_pictures(*paths: Path) -> Iterator[SharedPicture]:
    """Yield each picture that the person gave to Meta AI, as far as the archive has it, whose parts or unpacked folders are `paths`.

    Bounded, whatever the archive says. Raises ArchiveUnreadable, SourceChanged, OSError.
    """
    try:
        with ExitStack() as held:
            members = list(islice(_members(paths, held), _MOST_MEMBERS + 1))
            lists = [member for member in members if member.name.rpartition("/")[2] in _LISTS]
            if not lists or len(members) > _MOST_MEMBERS:
                raise _no_conversations()
            yield from _pictures(lists, _by_name(members))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ArchiveUnreadable(
            "This is no archive that can be read.", "It is damaged, or no ZIP file.", "Download it from Meta again."
        ) from error


def _members(paths: Iterable[Path], held: ExitStack) -> Iterator[_Member]:
    for path in paths:
        if path.is_dir():
            files = (each for each in find([path]) if isinstance(each, Source))
            yield from (_Member(file.path.relative_to(path).as_posix(), file.size, partial(_of_folder, file)) for file in files)
        else:
            archive = held.enter_context(zipfile.ZipFile(path))
            yield from (_Member(info.filename, info.file_size, partial(_of_zip, archive, info)) for info in archive.infolist())


def _of_folder(source: Source, most: int) -> bytes:
    with opened(source) as file:
        return file.read(most)


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(info) as file:
        return file.read(most)


def _no_conversations() -> ArchiveUnreadable:
    return ArchiveUnreadable(
        "This archive says nothing of Meta AI.",
        "It has no list of conversations with Meta AI in the JSON format.",
        "Ask Meta for one with “messages” and “Meta AI”, in the format JSON.",
    )


def _pictures(lists: list[_Member], members: dict[str, _Member]) -> Iterator[SharedPicture]:
    given: dict[str, datetime | None] = {}
    for member in lists:
        try:
            table = json.loads(_read(member, LARGEST_LIST))
        except (ValueError, RecursionError):
            raise _no_conversations() from None
        for named in _named(table, None, 0):
            if len(given) < _MOST_PICTURES:
                given.setdefault(named.uri, named.at)
    for uri, at in given.items():
        found = members.get(uri)
        if found is None or found.size > LARGEST_PICTURE:
            continue
        data = _read(found, LARGEST_PICTURE)
        if sniff(data[:SNIFF_BYTES]) is not None:
            yield SharedPicture(found.name.rpartition("/")[2], data, at)


def _by_name(members: list[_Member]) -> dict[str, _Member]:
    """Each by its own name, and by what follows the first folder: an archive may have one around everything."""
    below = {member.name.partition("/")[2]: member for member in members}
    return below | {member.name: member for member in members}


def _read(member: _Member, most: int) -> bytes:
    """All of it. Raises ValueError for a longer one than `most` bytes."""
    data = member.read(most + 1)
    if len(data) > most:
        raise ValueError("too long")
    return data


def _named(value: Any, at: datetime | None, depth: int) -> Iterator[_Named]:
    """Each `uri` below `value`, with the time of the message it stands in; what Meta AI itself sent is left out."""
    if depth > 60:
        return
    if isinstance(value, list):
        at = _time(value) or at
        if not _by_assistant(value):
            for each in value:
                yield from _named(each, at, depth + 1)
    elif isinstance(value, dict):
        at = _time([value]) or at
        uri = value.get("uri")
        if isinstance(uri, str) and uri and not uri.startswith("http"):
            yield _Named(uri, at)
        for each in value.values():
            if isinstance(each, list | dict):
                yield from _named(each, at, depth + 1)


def _time(entries: list[Any]) -> datetime | None:
    for entry in entries:
        for key, parts in _TIMES:
            value = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(value, int) and 0 < value < 1 << 43:
                try:
                    return datetime.fromtimestamp(value / parts, UTC)
                except (ValueError, OverflowError, OSError):
                    continue
    return None


def _by_assistant(entries: list[Any]) -> bool:
    """Whether these are the parts of a message that Meta AI wrote: one of them is its name."""
    return any(
        isinstance(entry, dict) and entry.get("label") == "Name" and str(entry.get("value", "")).strip().lower() == _ASSISTANT
        for entry in entries
    )
