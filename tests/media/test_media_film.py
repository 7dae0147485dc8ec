"""Clips and sounds: how long, how large, upright, and whole."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.errors import EyelidError
from app.media import film
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.inspect import inspect
from app.media.thumbs import thumbnails
from app.media.types import MediaKind, MediaType


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, MediaType.MP4),
        ({"sound": True}, MediaType.MP4),
        ({"codec": "libx264"}, MediaType.MP4),
        ({"container": "mov", "codec": "libx264"}, MediaType.QUICKTIME),
        ({"container": "matroska"}, MediaType.MATROSKA),
        ({"container": "webm", "codec": "libvpx"}, MediaType.WEBM),
        ({"container": "avi", "codec": "mjpeg", "pixels": "yuvj420p"}, MediaType.AVI),
    ],
)
def test_clips(make: Any, options: dict[str, Any], expected: MediaType) -> None:
    data = make.clip(**options)
    facts = inspect(data)
    assert (facts.kind, facts.media_type, facts.width, facts.height) == (MediaKind.VIDEO, expected, 64, 48)
    assert facts.duration_ms == pytest.approx(1000, abs=60)
    assert make.names(thumbnails(data, facts.media_type, facts.orientation, (64,))[0].jpeg) == make.upright


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_turned_clips_are_shown_upright(make: Any, orientation: int) -> None:
    data = make.clip(orientation=orientation)
    facts = inspect(data)
    assert facts.orientation == orientation
    thumb = thumbnails(io.BytesIO(data), facts.media_type, facts.orientation, (32,))[0]
    assert make.names(thumb.jpeg) == make.upright
    assert Image.open(io.BytesIO(thumb.jpeg)).size == ((32, 24) if orientation == 3 else (24, 32))


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [
        ("wav", "pcm_s16le", MediaType.WAV),
        ("ogg", "libopus", MediaType.OGG),
        ("mp3", "libmp3lame", MediaType.MP3),
        ("adts", "aac", MediaType.AAC),
        ("flac", "flac", MediaType.FLAC),
        ("ipod", "aac", MediaType.M4A),
    ],
)
def test_sounds(make: Any, container: str, codec: str, expected: MediaType) -> None:
    facts = inspect(make.sound(container, codec))
    assert (facts.kind, facts.media_type, facts.width) == (MediaKind.SOUND, expected, None)
    assert facts.duration_ms == pytest.approx(500, abs=60)


def test_what_a_clip_tells(make: Any) -> None:
    facts = inspect(make.clip(creation_time="2026-11-23T10:00:00Z", location="+48.1+011.5/", comment="hello"))
    assert facts.taken_at == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert facts.has_location
    assert set(facts.traces) == {"location", "date and time", "description or comment"}


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "1904-01-01T00:00:00Z", "soon", "", "0001-01-01T00:00:00+10:00"])
def test_clocks_that_were_never_set_tell_no_time(text: str) -> None:
    assert film._created({"creation_time": text}) is None


def test_a_time_without_zone_is_utc() -> None:
    assert film._created({"creation_time": "2026-11-23T10:00:00"}) == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_clip_that_is_cut_anywhere_is_damaged(make: Any) -> None:
    data = make.clip(codec="libx264")
    for length in range(0, len(data) - 8, max(1, len(data) // 60)):
        with pytest.raises((MediaDamaged, MediaUnsupported)):
            inspect(data[:length])


def test_a_clip_whose_list_comes_first_and_whose_pictures_are_cut_is_damaged(make: Any) -> None:
    """FFmpeg would play what is left of it."""
    data = make.clip(codec="libx264")
    at = data.index(b"moov") - 4
    moved = data[:32] + data[at:] + data[32:at]
    with pytest.raises(MediaDamaged, match="too early"):
        inspect(moved[:-20])


def test_a_wav_that_is_cut_is_damaged_and_one_of_unknown_length_is_not(make: Any) -> None:
    data = make.sound()
    with pytest.raises(MediaDamaged, match="too early"):
        inspect(data[:-100])
    assert inspect(data[:4] + b"\xff\xff\xff\xff" + data[8:]).duration_ms == pytest.approx(500, abs=20)


@pytest.mark.parametrize(
    "tail",
    [
        b"\x00\x00\x00\x04moov",
        b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x04",
        b"\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x00\x00\x00\x00mdat rest",
        b"\x00\x00\x00\x00moov rest",
        b"\x00\x00\x00\x08free" * 20_000,
        b"\x00\x00\x00\x10moov",
    ],
)
def test_boxes_that_make_no_sense_are_damage(tail: bytes) -> None:
    with pytest.raises(MediaDamaged):
        inspect(b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + tail)


def test_a_clip_that_only_has_sound_is_a_sound(make: Any) -> None:
    data = make.sound("mp4", "aac")
    assert inspect(data).kind is MediaKind.SOUND
    with pytest.raises(MediaDamaged, match="no pictures"):
        thumbnails(data, "video/mp4", 1, (64,))


def test_a_file_without_pictures_or_sound_is_damaged(make: Any) -> None:
    data = make.sound("mp4", "aac").replace(b"soun", b"text").replace(b"mp4a", b"tx3g")
    with pytest.raises(MediaDamaged, match="neither"):
        inspect(data)


def test_no_other_file_is_opened(make: Any) -> None:
    with pytest.raises(MediaDamaged, match="another file"):
        film._no_other_file("secrets.txt", 0, {})
    with pytest.raises(MediaDamaged):  # a playlist in a clip's clothes
        film.inspect_film(b"#EXTM3U\n#EXTINF:1,\nsecrets.txt\n", MediaType.MP3)


def test_large_frames_are_refused_before_decoding(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "FRAME_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaDamaged, match="larger"):
        inspect(make.clip())


def test_decoders_off_the_list_are_refused(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make.clip()
    monkeypatch.setattr(film, "_CODECS", frozenset({"h264"}))
    with pytest.raises(MediaDamaged):
        inspect(data)


def test_a_decoder_that_yields_nothing_for_long_is_given_up(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make.clip(codec="libx264", frames=60)  # its decoder waits for several packets before the first frame
    monkeypatch.setattr(film, "_MAX_PACKETS", 0)
    with pytest.raises(MediaDamaged, match="Not one"):
        inspect(data)


def test_pictures_of_noise_are_damage(make: Any) -> None:
    data = bytearray(make.clip(frames=400))
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    with pytest.raises(MediaDamaged):
        inspect(bytes(data))


def test_nonsense_durations_are_left_out() -> None:
    class Container:
        def __init__(self, duration: int | None) -> None:
            self.duration = duration

    for duration, expected in ((None, None), (-5000, None), (10**16, None), (2_500_000, 2500)):
        assert film._duration_ms(Container(duration)) == expected  # type: ignore[arg-type]


def test_a_fault_of_the_file_below_is_told_as_it_is(make: Any) -> None:
    class FailsLater(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            if self.reads > 3:
                raise EyelidError("The sealed file is damaged.")
            return super().read(size)

    with pytest.raises(EyelidError, match="sealed file"):
        inspect(FailsLater(make.clip(frames=200, codec="mpeg4", size=(640, 480))))


def test_an_empty_clip_is_damaged() -> None:
    with pytest.raises(MediaDamaged, match="empty"):
        film.inspect_film(b"", MediaType.MP4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_flipped_bytes_in_clips_raise_nothing_else(make: Any, data: st.DataObject) -> None:
    sound = data.draw(st.sampled_from([make.clip(frames=2), make.sound("ogg", "libopus", 0.1), make.sound("wav", "pcm_s16le", 0.1)]))
    broken = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        inspect(bytes(broken))
    except (MediaDamaged, MediaUnsupported):
        pass
