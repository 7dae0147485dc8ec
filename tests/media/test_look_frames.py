"""Frames out of clips."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.frames import FRAMES, MAX_FRAMES, frames, spread
from app.media.samples import clip
from app.media.shape import check_clean, shape


def test_four_frames_evenly_spread() -> None:
    made = frames(clip(), "video/mp4", 1)
    assert len(made) == FRAMES
    assert [abs(frame.at_ms - at) <= 42 for frame, at in zip(made, spread(3000), strict=True)] == [True] * 4
    assert len({frame.jpeg for frame in made}) == 4


def test_times_are_spread_over_the_middle_of_equal_parts() -> None:
    assert spread(8000) == (1000, 3000, 5000, 7000)
    assert spread(1000, 1) == (500,)
    assert len(spread(60_000, MAX_FRAMES)) == MAX_FRAMES
    assert spread(None) == spread(0) == (0,)
    for count in (0, MAX_FRAMES + 1):
        with pytest.raises(ValueError, match="frames"):
            spread(1000, count)


def test_the_frame_is_the_one_shown_at_that_time() -> None:
    """The frame at a time is the last one that began before it."""
    at = [frame.at_ms for frame in frames(clip(), "video/mp4", 1, [0, 999, 1000, 1500])]
    assert at == [0, 958, 1000, 1500]  # 24 frames a second
    assert [frame.at_ms for frame in frames(clip(), "video/mp4", 1, [99_999_999, 2990])] == [2958]


@pytest.mark.parametrize(
    ("container", "codec", "kind"), [("mp4", "mpeg4", "video/mp4"), ("webm", "vp8", "video/webm"), ("avi", "mjpeg", "video/x-msvideo")]
)
def test_clips_of_all_sorts(make: Any, container: str, codec: str, kind: str) -> None:
    data = make.clip(container=container, codec=codec, sound=container == "mp4", pixels="yuvj420p" if codec == "mjpeg" else "yuv420p")
    made = frames(io.BytesIO(data), kind, 1)
    assert 1 <= len(made) <= FRAMES
    assert sorted({frame.at_ms for frame in made}) == [frame.at_ms for frame in made]
    assert all(make.names(frame.jpeg) == make.upright for frame in made)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_frames_are_upright_and_carry_nothing(make: Any, orientation: int) -> None:
    data = make.clip(
        orientation=orientation, size=(48, 64) if orientation >= 6 else (64, 48), sound=True, title="secret", location="+48.1+11.5/"
    )
    (frame,) = frames(data, "video/mp4", orientation, [0])
    assert (frame.width, frame.height) == Image.open(io.BytesIO(frame.jpeg)).size == (64, 48)
    assert make.names(frame.jpeg) == make.upright
    check_clean(frame.jpeg)
    assert shape(frame.jpeg, "image/jpeg", 1).removed == ()


def test_small_ones_for_a_film_strip() -> None:
    made = frames(clip(), "video/mp4", 1, range(0, 3000, 150), long_edge=96)
    assert len(made) == MAX_FRAMES
    assert {(frame.width, frame.height) for frame in made} == {(96, 72)}


def test_a_frame_that_is_shown_twice_comes_once(make: Any) -> None:
    assert [frame.at_ms for frame in frames(make.clip(), "video/mp4", 1, [10, 0, 20, 20])] == [0]


def test_too_many_or_impossible_times() -> None:
    for times in (range(MAX_FRAMES + 1), [], [-1]):
        with pytest.raises(ValueError, match="frames"):
            frames(clip(), "video/mp4", 1, times)


@pytest.mark.parametrize("kind", ["image/jpeg", "audio/wav", "text/plain"])
def test_only_clips_have_frames(make: Any, kind: str) -> None:
    with pytest.raises(MediaUnsupported):
        frames(make.jpeg(), kind, 1)


def test_damaged_clips(make: Any) -> None:
    data = make.clip()
    for broken in (b"", data[: len(data) // 2], make.jpeg()):
        with pytest.raises(MediaDamaged):
            frames(broken, "video/mp4", 1)
    sound = make.sound("mp4", "aac")
    with pytest.raises(MediaDamaged, match="pictures"):
        frames(sound, "video/mp4", 1, [0])
    at = data.index(b"mdat") + 4
    with pytest.raises(MediaDamaged):
        frames(data[:at] + bytes(len(data) - at - 1200) + data[-1200:], "video/mp4", 1, [0])
