"""HEIC pictures, decoded in a process of their own, one a picture.

The decoder (pi-heif over libheif and libde265) is large C++ code that ends the process it runs in on some damaged files. So it never runs
where keys are: `python -m app.media.heic` reads one file from its standard input, gives up sockets, files and other programs before it
looks at a byte, and answers with the pixels. A crash there is a damaged picture here.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
from pathlib import Path

from PIL import Image

from app.media.errors import UNREADABLE, MediaDamaged, MediaTooLarge
from app.media.look.guard import confine

SECONDS = 30.0
"""For one picture; 12 megapixels take about one on a quiet core."""
_HEADER = struct.Struct(">4sIII")
"""Magic, width and height in pixels, length of the EXIF block in bytes; then the block, then rows of RGB."""
_MAGIC, _LARGE = b"RGB1", b"LONG"
_LARGEST_EXIF = 1 << 20
_PIXELS = 80_000_000
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "WINDIR", "LD_LIBRARY_PATH")


def command() -> list[str]:
    """The child's command line: the same Python, blind to the environment's and the person's own packages."""
    return [sys.executable, "-E", "-s", "-m", "app.media.heic"]


def decode(data: bytes) -> tuple[Image.Image, bytes]:
    """The picture, upright and in RGB, and its EXIF block (orientation 1; empty if it has none). Raises MediaDamaged, MediaTooLarge.

    Blocking; starts a process and waits for it, `SECONDS` at most.
    """
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["MALLOC_ARENA_MAX"] = "2"
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module, no text of anybody's
            command(),
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=Path(__file__).parents[2],
            timeout=SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (subprocess.TimeoutExpired, OSError):
        raise MediaDamaged(UNREADABLE, noun="picture") from None
    return _parse(done.stdout)


def _parse(answer: bytes) -> tuple[Image.Image, bytes]:
    """What the child wrote, believed in nothing: every length is checked."""
    if answer[:4] == _LARGE:
        raise MediaTooLarge(noun="picture")
    with contextlib.suppress(struct.error):
        magic, width, height, exif = _HEADER.unpack_from(answer)
        size = width * height
        if magic == _MAGIC and 0 < size <= _PIXELS and len(answer) == _HEADER.size + exif + 3 * size:
            at = _HEADER.size + exif
            return Image.frombytes("RGB", (width, height), answer[at:]), answer[_HEADER.size : at]
    raise MediaDamaged(UNREADABLE, noun="picture")


def main() -> None:
    """The child."""
    from pi_heif.as_plugin import HeifImageFile  # type: ignore[import-untyped]

    data = sys.stdin.buffer.read()
    confine()
    with contextlib.suppress(Exception):  # no answer is the answer
        picture = HeifImageFile(io.BytesIO(data))
        if picture.width * picture.height > _PIXELS:
            sys.stdout.buffer.write(_LARGE)
        else:
            exif = picture.info.get("exif") or b""
            exif = exif if len(exif) <= _LARGEST_EXIF else b""
            rgb = picture.convert("RGB")
            sys.stdout.buffer.write(_HEADER.pack(_MAGIC, rgb.width, rgb.height, len(exif)) + exif)
            sys.stdout.buffer.write(rgb.tobytes())
        sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
