"""Whether a container file is all there, judged by the lengths it states. Decoders are happy to play what is left of a cut file."""

from __future__ import annotations

import os
from typing import BinaryIO

from app.media.errors import ENDS_EARLY, MediaDamaged
from app.media.types import MediaType

_MAX_BOXES = 10_000
_ISO_MEDIA = frozenset({MediaType.MP4, MediaType.QUICKTIME, MediaType.M4A, MediaType.HEIC, MediaType.AVIF})
_RIFF = frozenset({MediaType.WAV, MediaType.WEBP, MediaType.AVI})


def check_whole(file: BinaryIO, media_type: MediaType) -> None:
    """Raise MediaDamaged where the outermost lengths run over the end. Types that state no length pass. Leaves `file` at its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if media_type in _ISO_MEDIA:
        _walk_boxes(file, size, media_type.kind.value)
    elif media_type is MediaType.PNG:
        _walk_chunks(file, size)
    elif media_type in _RIFF:
        stated = int.from_bytes(file.read(8)[4:8], "little")
        if stated != 0xFFFFFFFF and stated + 8 > size:  # recorders that cannot seek back leave all bits set
            raise MediaDamaged(ENDS_EARLY, noun=media_type.kind.value)
    file.seek(0)


def _walk_boxes(file: BinaryIO, size: int, noun: str) -> None:
    """ISO/IEC 14496-12, 4.2: 32-bit length and type; length 1 means a 64-bit one follows, 0 means to the end of the file."""
    at, seen_media = 0, False
    for _ in range(_MAX_BOXES):
        if size - at < 8:  # a few stray bytes at the end are common and harmless
            break
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        seen_media = seen_media or name in (b"moov", b"meta")
        if length == 0:
            break
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            raise MediaDamaged("One of its parts has an impossible length.", noun=noun)
        if at + length > size:
            raise MediaDamaged(ENDS_EARLY, noun=noun)
        at += length
    if not seen_media:
        raise MediaDamaged("The list of what it contains is missing, as when recording was cut off.", noun=noun)


def _walk_chunks(file: BinaryIO, size: int) -> None:
    """PNG, third edition, 5.3: after the signature 32-bit length, type, data, 32-bit check sum; the last chunk is IEND."""
    at = 8
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(8)
        at += int.from_bytes(head[:4], "big") + 12
        if at > size:
            break
        if head[4:] == b"IEND":
            return
    raise MediaDamaged(ENDS_EARLY, noun="picture")
