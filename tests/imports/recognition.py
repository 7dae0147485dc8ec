"""How well imported files are told apart: `python tests/imports/recognition.py` makes the labelled set and prints precision and recall.

Each file is small and real: JPEGs with EXIF by Pillow, clips with QuickTime keys by FFmpeg (through PyAV), a HEIC photo from tests/media.
The set has each pattern that is known once, and look-alikes that must not be taken for glasses.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app.imports.packing import clues_of  # noqa: E402
from app.imports.recognise import recognise  # noqa: E402
from app.imports.sources import find  # noqa: E402
from app.imports.types import Confidence, Source  # noqa: E402
from app.media.inspect import inspect  # noqa: E402

UUID = "5a3f4f0e-0000-4000-8000-0123456789ab"
HEIC = (ROOT / "tests/media/samples/glasses.heic").read_bytes()


@dataclass(frozen=True, slots=True)
class Labelled:
    """One file: where it lies below the set's folder, its bytes, the family it is ("" for none), and whether that can be sure."""

    path: str
    data: bytes
    family: str
    confidence: Confidence = Confidence.NONE


def jpeg(make: str = "", model: str = "", comment: str = "", size: tuple[int, int] = (32, 24)) -> bytes:
    """A JPEG with EXIF as Pillow writes it."""
    exif = Image.Exif()
    exif.update({tag: text for tag, text in ((0x010F, make), (0x0110, model)) if text})
    if comment:
        exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + comment.encode()
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 150)).save(out, "JPEG", quality=30, exif=exif.tobytes() if len(exif) else b"")
    return out.getvalue()


def with_preview(picture: bytes, preview: bytes, orientation: int = 1) -> bytes:
    """A JPEG with an EXIF block as cameras write it: make, model and orientation, then a second directory with a small JPEG (DCF)."""
    make, model = b"Meta AI\0", b"Ray-Ban Meta Smart Glasses\0"
    second = 8 + 2 + 3 * 12 + 4 + len(make) + len(model)
    at = second + 2 + 3 * 12 + 4
    texts = second - len(make) - len(model)
    first = [(0x010F, 2, len(make), texts), (0x0110, 2, len(model), texts + len(make)), (0x0112, 3, 1, orientation << 16)]
    other = [(0x0103, 3, 1, 6 << 16), (0x0201, 4, 1, at), (0x0202, 4, 1, len(preview))]
    tiff = b"MM\0*\0\0\0\x08" + _directory(first, second) + make + model + _directory(other, 0) + preview
    block = b"Exif\0\0" + tiff
    return picture[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + picture[2:]


def _directory(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
    return struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHII", *each) for each in entries) + struct.pack(">I", following)


def clip(container: str = "mov", **keys: str) -> bytes:
    """A clip of one frame with QuickTime keys as FFmpeg writes them."""
    out = io.BytesIO()
    with av.open(out, "w", format=container, options={"movflags": "use_metadata_tags"}) as film:
        film.metadata.update({f"com.apple.quicktime.{name}": text for name, text in keys.items()})
        stream = film.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        film.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        film.mux(stream.encode())
    return out.getvalue()


def labelled() -> Iterator[Labelled]:
    """The set."""
    sure, likely = Confidence.STRONG, Confidence.LIKELY
    ray_ban, second = "Ray-Ban Meta Smart Glasses", "Ray-Ban Meta Smart Glasses 2"
    yield Labelled("IMG_0001.JPG", jpeg("Meta View", ray_ban, UUID), "ray-ban-meta", sure)
    yield Labelled("IMG_0002.JPG", jpeg("Meta AI", second), "ray-ban-meta", sure)
    yield Labelled("IMG_0003.HEIC", HEIC, "ray-ban-meta", sure)
    yield Labelled("IMG_0004.JPG", jpeg("Meta AI", "Oakley Meta HSTN"), "oakley-meta", sure)
    yield Labelled("IMG_0005.JPG", jpeg("Meta AI", "Something of next year"), "meta-glasses", sure)
    yield Labelled("IMG_0006.JPG", jpeg("Meta AI"), "meta-glasses", sure)
    comment = f"app=Meta AI&device={second}&id={UUID}"
    yield Labelled("IMG_0007.MOV", clip(model=second, comment=comment, copyright="Meta AI"), "ray-ban-meta", sure)
    yield Labelled("IMG_0008.mp4", clip(comment=f"app=Meta AI&device=Oakley Meta Vanguard&id={UUID}"), "oakley-meta", sure)
    yield Labelled("IMG_0009.MOV", clip(copyright="Meta AI"), "meta-glasses", sure)
    yield Labelled("phone/photo-12_singular_display_fullPicture.jpeg", jpeg(), "meta-glasses", likely)
    yield Labelled("phone/photo-12_singular_display_fullPicture (2).jpg", jpeg(), "meta-glasses", likely)
    yield Labelled("phone/video-3_singular_display.MOV", clip(), "meta-glasses", likely)
    yield Labelled("Meta AI/20260512_140309_3fe.jpg", jpeg(), "meta-glasses", likely)
    yield Labelled("Meta View/a.jpg", jpeg(), "meta-glasses", likely)
    yield Labelled("Ray-Ban Meta/a.jpg", jpeg(), "ray-ban-meta", likely)
    yield Labelled("Oakley Meta/a.jpg", jpeg(), "oakley-meta", likely)
    yield Labelled("Ray-Ban Stories/a.jpg", jpeg(), "ray-ban-stories", likely)
    yield Labelled("st.jpg", jpeg("", "Ray-Ban Stories"), "ray-ban-stories", sure)
    yield Labelled("view.jpg", jpeg("Meta View", "Ray-Ban Stories"), "ray-ban-stories", sure)
    yield Labelled("st.MOV", clip(comment=f"app=Meta View&device=Ray-Ban Stories&id={UUID}"), "ray-ban-stories", sure)
    yield Labelled("display.jpg", jpeg("Meta AI", "Ray-Ban Display"), "ray-ban-meta", sure)
    yield Labelled("vanguard.jpg", jpeg("Meta AI", "Oakley Vanguard"), "oakley-meta", sure)
    yield Labelled("Ray-Ban Stories/photo-1_singular_display_fullPicture.jpeg", jpeg(), "ray-ban-stories", likely)
    yield Labelled("snap.jpg", jpeg("Snap Inc.", "Spectacles 3"), "snap-spectacles", likely)
    yield Labelled("Snap Spectacles/a.mp4", clip("mp4"), "snap-spectacles", likely)
    yield Labelled("xiaomi.jpg", jpeg("Xiaomi", "Xiaomi AI Glasses"), "xiaomi-glasses", likely)
    yield Labelled("rokid.jpg", jpeg("Rokid", "Rokid Glasses"), "rokid", likely)
    yield Labelled("rayneo.jpg", jpeg("RayNeo", "RayNeo X3"), "rayneo", likely)
    yield Labelled("tcl.jpg", jpeg("TCL", "RayNeo X2"), "rayneo", likely)
    yield Labelled("vuzix.jpg", jpeg("Vuzix", "Vuzix Blade 2"), "vuzix", likely)
    yield Labelled("mentra.jpg", jpeg("Mentra", "Mentra Live"), "mentra-live", likely)
    yield Labelled("IMG_20251101_120000_123_ab12/base.jpg", jpeg(), "mentra-live", likely)
    yield Labelled("HeyCyan/a.jpg", jpeg(), "heycyan", likely)
    yield Labelled("Brilliant Labs/a.jpg", jpeg(), "frame", likely)
    yield Labelled("Omi Glass/a.jpg", jpeg(), "omi-glass", likely)
    yield from look_alikes()


def look_alikes() -> Iterator[Labelled]:
    """Files that some careless rule would take for glasses."""
    yield Labelled("a/IMG_1.JPG", jpeg("Apple", "iPhone 17 Pro"), "")
    yield Labelled("Meta AI/IMG_2.JPG", jpeg("Apple", "iPhone 17 Pro"), "")
    yield Labelled("a/20260512_140309.jpg", jpeg("samsung", "SM-S931B"), "")
    yield Labelled("a/20260512_140309_0.jpg", jpeg(), "")
    yield Labelled("a/20260512_140309_001.jpg", jpeg(), "")
    yield Labelled("a/portrait.jpg", jpeg(size=(1944, 2592)), "")
    yield Labelled("a/xiaomi-phone.jpg", jpeg("Xiaomi", "Xiaomi 15 Ultra"), "")
    yield Labelled("a/metal-detector.jpg", jpeg("Metadata Inc.", "Meta AIr 5"), "")
    yield Labelled("a/Ray-Ban Meta review.jpg", jpeg("Canon", "EOS R6"), "")
    yield Labelled("a/luxottica.jpg", jpeg("Luxottica", "Camera"), "")
    yield Labelled("a/spoof.jpg", jpeg("Canon", "EOS R6", comment="taken with Meta AI glasses, Ray-Ban Meta"), "")
    yield Labelled("a/photo-12_singular.jpg", jpeg(), "")
    yield Labelled("Ray-Ban Meta unboxing/a.jpg", jpeg(), "")
    yield Labelled("Snapchat/a.jpg", jpeg(), "")
    yield Labelled("Metadata/a.jpg", jpeg(), "")
    yield Labelled("a/IMG_3.MOV", clip(make="Apple", model="iPhone 17 Pro"), "")
    yield Labelled("a/comment.mp4", clip("mp4", comment="I love Meta AI"), "")
    yield Labelled("Noah/a.jpg", jpeg(), "")
    yield Labelled("Noa/IMG-20260512-WA0001.jpg", jpeg(), "")
    yield Labelled("Spectacles/shop.jpg", jpeg(), "")
    yield Labelled("IMG_20251101_120000/base.jpg", jpeg(), "")
    yield Labelled("a/canon.jpg", jpeg("Canon", "Ray-Ban Meta Smart Glasses"), "")
    yield Labelled("a/quest.jpg", jpeg("Meta", "Quest 3"), "")
    yield Labelled("a/pixy.jpg", jpeg("Snap Inc.", "Pixy"), "")
    yield Labelled("a/tcl.jpg", jpeg("TCL", "TCL 40 SE"), "")
    yield Labelled("a/restyled.MOV", clip(make="Apple", model="iPhone 17 Pro", copyright="Meta AI"), "")
    yield Labelled("a/app.MOV", clip(comment=f"app=Meta AI&device=iPhone 17 Pro&id={UUID}"), "")
    yield Labelled("a/comment.MOV", clip(comment=f"app=Meta AI&device=Ray-Ban Meta&id={UUID[:-1]}"), "")
    yield Labelled("a/photo-1_singular_display_fullPicture.jpeg.jpg", jpeg(), "")
    yield Labelled("a/rokinon.jpg", jpeg("SONY", "ILCE-7M4 Rokinon"), "")
    yield Labelled("a/spectacle.jpg", jpeg("NIKON", "Spectacle"), "")


def answers(folder: Path) -> list[tuple[Labelled, str, Confidence]]:
    """Write the set below `folder`, and what each file was recognised as."""
    found = []
    for each in labelled():
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.data)
        source = next(find([path]))
        assert isinstance(source, Source)
        camera = recognise(clues_of(source.path.name, source.folders, inspect(each.data)))
        found.append((each, camera.family, camera.confidence))
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = answers(Path(folder))
    wrong = [(each.path, each.family, family) for each, family, _ in found if family != each.family]
    right = Counter(each.family for each, family, _ in found if family == each.family)
    said, there = Counter(family for _, family, _ in found), Counter(each.family for each, _, _ in found)
    print(f"{'family':18}{'files':>6}{'precision':>11}{'recall':>8}")
    for family in sorted(there):
        precision = right[family] / said[family] if said[family] else 0.0
        print(f"{family or '(no glasses)':18}{there[family]:>6}{precision:>11.2f}{right[family] / there[family]:>8.2f}")
    for path, family, taken_for in wrong:
        print(f"wrong: {path} is {family or 'no glasses'}, taken for {taken_for or 'no glasses'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
