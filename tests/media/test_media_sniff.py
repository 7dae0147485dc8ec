"""What a file is, by its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import MediaKind, MediaType


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    payload = major + b"\x00\x00\x00\x00" + b"".join(compatible)
    return (len(payload) + 8).to_bytes(4, "big") + b"ftyp" + payload + b"\x00\x00\x00\x08free"


HEADS = [
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", MediaType.PNG),
    (b"GIF87a", MediaType.GIF),
    (b"GIF89a", MediaType.GIF),
    (b"RIFF\x10\x00\x00\x00WEBPVP8 ", MediaType.WEBP),
    (b"RIFF\x10\x00\x00\x00WAVEfmt ", MediaType.WAV),
    (b"RIFF\x10\x00\x00\x00AVI LIST", MediaType.AVI),
    (b"OggS\x00\x02" + bytes(22) + b"OpusHead", MediaType.OGG),
    (b"fLaC\x00", MediaType.FLAC),
    (b"ID3\x04\x00", MediaType.MP3),
    (b"\xff\xfb\x90\x64", MediaType.MP3),
    (b"\xff\xf3\x40\xc4", MediaType.MP3),
    (b"\xff\xf1\x50\x80", MediaType.AAC),
    (b"\xff\xf9\x50\x80", MediaType.AAC),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", MediaType.WEBM),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", MediaType.MATROSKA),
    (ftyp(b"isom", b"isom", b"avc1"), MediaType.MP4),
    (ftyp(b"3gp4", b"isom"), MediaType.MP4),
    (ftyp(b"mp42", b"mif1"), MediaType.MP4),
    (ftyp(b"qt  ", b"qt  "), MediaType.QUICKTIME),
    (ftyp(b"M4A ", b"isom"), MediaType.M4A),
    (ftyp(b"heic", b"mif1"), MediaType.HEIC),
    (ftyp(b"mif1", b"heic"), MediaType.HEIC),
    (ftyp(b"avif", b"mif1"), MediaType.AVIF),
    (ftyp(b"mif1", b"avif"), MediaType.AVIF),
    (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", MediaType.QUICKTIME),
]


@pytest.mark.parametrize(("head", "expected"), HEADS)
def test_types_are_known_by_their_first_bytes(head: bytes, expected: MediaType) -> None:
    assert sniff(head) is expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"<html><body>",
        b"%PDF-1.7",
        b"#EXTM3U\n",
        b"PK\x03\x04",
        b"MZ",
        b"RIFF",
        b"RIFF\x00\x00\x00\x00ACON",
        b"\x1aE\xdf\xa3\x9fB\x82\x84what",
        b"\xff\xff\xff\xff",
        b"\xff\xfb\xf0\x00",
        b"\xff\xe8\x40\x00",
    ],
)
def test_anything_else_is_none_of_ours(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=SNIFF_BYTES))
def test_no_bytes_upset_it(head: bytes) -> None:
    found = sniff(head)
    assert found is None or found in MediaType


def test_each_type_has_a_kind_and_an_ending() -> None:
    assert {media_type.suffix for media_type in MediaType} >= {".jpg", ".mp4", ".wav", ".heic"}
    assert len({media_type.suffix for media_type in MediaType}) == len(MediaType)
    assert {media_type.kind for media_type in MediaType} == {MediaKind.PHOTO, MediaKind.VIDEO, MediaKind.SOUND}
    assert MediaType.HEIC.can_be_shown
    assert not MediaType.WAV.can_be_shown
    assert MediaType.MP4.can_be_shown


def test_kinds_are_the_words_of_the_vault() -> None:
    from app.vault.types import ItemKind

    assert [kind.value for kind in MediaKind] == [kind.value for kind in ItemKind]
