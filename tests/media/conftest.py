"""Files made at test time: pictures by Pillow, clips and sounds by PyAV, and the hostile ones by hand."""

from __future__ import annotations

import io
import math
import struct
import zlib
from fractions import Fraction
from typing import Any

import av
import pytest
from PIL import Image, ImageDraw

_PALETTE = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 230), "white": (255, 255, 255)}
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_ONE = 1 << 16
_MATRICES = {
    1: (_ONE, 0, 0, 0, _ONE, 0, 0, 0, 1 << 30),
    6: (0, _ONE, 0, -_ONE, 0, 0, 0, 0, 1 << 30),
    3: (-_ONE, 0, 0, 0, -_ONE, 0, 0, 0, 1 << 30),
    8: (0, -_ONE, 0, _ONE, 0, 0, 0, 0, 1 << 30),
}


class Make:
    """The maker of test files."""

    upright = ("red", "green", "white", "blue")
    """Corners clockwise from the top left of the picture that `corners` draws."""

    def corners(self, width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
        """Each corner has its own colour, so every turn can be told from every other."""
        picture = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=_PALETTE["red"])
        draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=_PALETTE["green"])
        draw.rectangle((0, height // 2, width // 2 - 1, height), fill=_PALETTE["blue"])
        return picture.convert(mode)

    def names(self, jpeg: bytes) -> tuple[str, ...]:
        picture = Image.open(io.BytesIO(jpeg)).convert("RGB")

        def name(x: float, y: float) -> str:
            pixel = picture.getpixel((int(x * picture.width), int(y * picture.height)))
            assert isinstance(pixel, tuple)
            return min(_PALETTE, key=lambda key: math.dist(_PALETTE[key], pixel))

        return tuple(name(x, y) for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)))

    def encode(self, picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
        out = io.BytesIO()
        picture.save(out, kind, **({"quality": 95} | options if kind == "JPEG" else options))
        return out.getvalue()

    def jpeg(self, width: int = 64, height: int = 48, orientation: int = 1, **options: Any) -> bytes:
        """A JPEG of `corners`, stored so that EXIF `orientation` shows it upright (the EXIF itself is not written)."""
        picture = self.corners(width, height)
        turn = _STORED.get(orientation)
        return self.encode(picture if turn is None else picture.transpose(turn), **options)

    def traced_jpeg(self) -> bytes:
        """A JPEG with everything in it that tells on its wearer."""
        exif = Image.Exif()
        exif[0x0112] = 1
        exif[0x010F], exif[0x0110] = "Maker", "Model 3"
        exif[0x013B] = "The Owner"
        exif.get_ifd(0x8769).update(
            {0x9003: "2026:11:23 14:03:12", 0x9011: "+02:00", 0xA431: "SN-778899", 0x9286: b"ASCII\x00\x00\x00hello"}
        )
        exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)})
        xmp = b"<x:xmpmeta><rdf:Description aux:SerialNumber='SN-778899' exif:GPSLatitude='48,8N'/></x:xmpmeta>"
        profile = b"profile of colours " * 9
        jpeg = self.encode(self.corners(), exif=exif.tobytes(), xmp=xmp, icc_profile=profile, comment=b"by hand")
        press, jfxx, maker = (
            self.segment(0xED, b"Photoshop 3.0\x00caption"),
            self.segment(0xE0, b"JFXX\x00\x10"),
            self.segment(0xEB, b"SN-778899"),
        )
        return jpeg[:2] + jpeg[2:20] + press + jfxx + maker + jpeg[20:] + b"SN-778899 after the end"

    def segment(self, marker: int, payload: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload

    def png_of_size(self, width: int, height: int) -> bytes:
        """A PNG that claims this size and holds one line of it."""

        def chunk(name: bytes, data: bytes) -> bytes:
            return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(width * 3 + 1))) + chunk(b"IEND", b"")

    def clip(
        self,
        *,
        orientation: int = 1,
        sound: bool = False,
        container: str = "mp4",
        codec: str = "mpeg4",
        pixels: str = "yuv420p",
        size: tuple[int, int] = (64, 48),
        frames: int = 12,
        **metadata: str,
    ) -> bytes:
        """A clip of `corners`, 12 frames a second, with a display matrix for `orientation` (mp4 only)."""
        out = io.BytesIO()
        with av.open(out, "w", format=container) as film:
            film.metadata.update(metadata)
            stream = film.add_stream(codec, rate=12)
            tone = film.add_stream("aac", rate=48000, layout="mono") if sound else None
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            for number in range(frames):
                frame = av.VideoFrame.from_image(self._stored(orientation, size)).reformat(format=pixels)
                frame.pts, frame.time_base = number, Fraction(1, 12)
                film.mux(stream.encode(frame))
            film.mux(stream.encode())
            if tone is not None:
                self._tone(film, tone, frames / 12)
        data = out.getvalue()
        at = data.find(b"tkhd") + 4 + 4 + 20 + 16  # version 0: flags, five numbers, then layer and so on, then the matrix
        return data if orientation == 1 else data[:at] + struct.pack(">9i", *_MATRICES[orientation]) + data[at + 36 :]

    def _stored(self, orientation: int, size: tuple[int, int]) -> Image.Image:
        turn = _STORED.get(orientation)
        shown = size[::-1] if orientation >= 5 else size
        picture = self.corners(*shown)
        return picture if turn is None else picture.transpose(turn)

    def sound(self, container: str = "wav", codec: str = "pcm_s16le", seconds: float = 0.5) -> bytes:
        out = io.BytesIO()
        with av.open(out, "w", format=container) as film:
            self._tone(film, film.add_stream(codec, rate=48000, layout="mono"), seconds)
        return out.getvalue()

    def _tone(self, film: Any, stream: Any, seconds: float) -> None:
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=48000)
        for start in range(0, int(48000 * seconds), 960):
            frame = av.AudioFrame("s16", "mono", 960)
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            frame.planes[0].update(struct.pack("<960h", *(int(3000 * math.sin((start + k) / 20)) for k in range(960))))
            for piece in resampler.resample(frame):
                film.mux(stream.encode(piece))
        film.mux(stream.encode())


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
