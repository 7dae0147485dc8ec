"""What kind of file some bytes are, judged by content and never by a name."""

from __future__ import annotations

from app.media.types import MediaType

SNIFF_BYTES = 512
"""So many first bytes are enough for `sniff`."""

_PREFIXES: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (b"GIF87a", MediaType.GIF),
    (b"GIF89a", MediaType.GIF),
    (b"OggS\x00", MediaType.OGG),
    (b"fLaC", MediaType.FLAC),
    (b"ID3", MediaType.MP3),
)
_RIFF = {b"WAVE": MediaType.WAV, b"WEBP": MediaType.WEBP, b"AVI ": MediaType.AVI}
_STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # ISO/IEC 23008-12, annex B
_AVIF_BRANDS = {b"avif", b"avis"}  # AV1 Image File Format, sections 8.2 and 8.3
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P "}


def sniff(head: bytes) -> MediaType | None:
    """Return the type that `head` (the first SNIFF_BYTES, or all of a shorter file) begins as; None if it is none we know."""
    for prefix, media_type in _PREFIXES:
        if head.startswith(prefix):
            return media_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] == b"\x1aE\xdf\xa3":  # EBML, RFC 8794; the document type stands in its short header
        return MediaType.WEBM if b"webm" in head[4:64] else MediaType.MATROSKA if b"matroska" in head[4:64] else None
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime files older than the ftyp box
        return MediaType.QUICKTIME
    return _raw_audio(head)


def _by_brand(head: bytes) -> MediaType:
    """ISO base media (ISO/IEC 14496-12, 4.3): a major brand, a version, then compatible brands to the end of the box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return MediaType.AVIF
    if brands & _STILL_BRANDS and major not in (b"isom", b"mp41", b"mp42", b"qt  "):
        return MediaType.HEIC
    if major == b"qt  ":
        return MediaType.QUICKTIME
    return MediaType.M4A if major in _SOUND_BRANDS else MediaType.MP4


def _raw_audio(head: bytes) -> MediaType | None:
    """MPEG audio frames without a container: ADTS has layer 0 (ISO/IEC 13818-7), MP3 layer 3 of versions 1, 2 and 2.5."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return MediaType.AAC
    if head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08 and head[2] >> 4 not in (0, 15):
        return MediaType.MP3
    return None
