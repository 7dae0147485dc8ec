"""The pictures that simulated glasses see."""

from __future__ import annotations

from importlib import resources

_TURNED = {"omi-glass": "omi", "openglass": "openglass", "frame": "frame"}
_UPRIGHT = "halo"


def pictures(family: str) -> tuple[bytes, ...]:
    """JPEGs as the camera of this family of glasses delivers them, turned as it is mounted, in a fixed order.

    Omi Glass delivers upside down (EXIF orientation 3), OpenGlass and Frame lying on their side (EXIF orientation 8), all others upright.
    """
    folder = resources.files("resources") / "samples" / _TURNED.get(family, _UPRIGHT)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jpg"))
    return tuple((folder / name).read_bytes() for name in names)


def clip() -> bytes:
    """A short MP4 with sound."""
    return (resources.files("resources") / "samples" / "clip.mp4").read_bytes()
