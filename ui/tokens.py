"""The look as data: palettes, the 8-px grid, the type scale. Pure values and arithmetic, no Qt.

Contrast is that of WCAG 2.2 (relative luminance, success criteria 1.4.3 and 1.4.11); `PAIRS` lists what is used on what, and a test
computes every one of them for every palette.
"""

from __future__ import annotations

from dataclasses import dataclass

GRID = 8
"""Every margin and gap is a multiple, or half, of this many pixels."""

RADIUS = 8
TARGET = 32
"""Smallest height of anything to press, in pixels."""

TEXT_CONTRAST = 4.5
CONTROL_CONTRAST = 3.0


@dataclass(frozen=True, slots=True)
class TypeScale:
    """Font sizes in pixels at 100 %."""

    small: int = 12
    body: int = 14
    lead: int = 16
    title: int = 20
    display: int = 28


TYPE = TypeScale()


@dataclass(frozen=True, slots=True)
class Motion:
    """How long a change may be seen to happen, in milliseconds; nothing moves for those who asked for less of it (`Theme.motion`)."""

    quick: int = 120


MOTION = Motion()


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by meaning, as #rrggbb. A widget names a meaning, never a colour. `off` is for what cannot be used now."""

    name: str
    dark: bool
    window: str
    surface: str
    raised: str
    hover: str
    pressed: str
    text: str
    muted: str
    line: str
    control: str
    off: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    selected: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    sent: str
    sent_soft: str
    focus: str


LIGHT = Palette(
    name="light",
    dark=False,
    window="#f3f4f8",
    surface="#ffffff",
    raised="#ffffff",
    hover="#eceef5",
    pressed="#dfe2ee",
    text="#171a24",
    muted="#555b6e",
    line="#d5d8e3",
    control="#82889b",
    off="#82889b",
    accent="#3b4cc4",
    accent_hover="#2f3da6",
    accent_pressed="#25318a",
    on_accent="#ffffff",
    selected="#e4e7fb",
    good="#14683f",
    good_soft="#e0f3e8",
    warn="#7d4a00",
    warn_soft="#fdf0d9",
    bad="#ab2222",
    bad_soft="#fde7e5",
    sent="#8a2f86",
    sent_soft="#f8e6f7",
    focus="#3b4cc4",
)

DARK = Palette(
    name="dark",
    dark=True,
    window="#11131a",
    surface="#191c25",
    raised="#212531",
    hover="#262b39",
    pressed="#303648",
    text="#eceef5",
    muted="#a6adc0",
    line="#2e3343",
    control="#737b92",
    off="#737b92",
    accent="#a5b1ff",
    accent_hover="#bcc5ff",
    accent_pressed="#8f9df5",
    on_accent="#10142e",
    selected="#2b3157",
    good="#79d7a4",
    good_soft="#17332a",
    warn="#f2bd6b",
    warn_soft="#382b18",
    bad="#ff9d94",
    bad_soft="#411f21",
    sent="#eda3e6",
    sent_soft="#3a2140",
    focus="#a5b1ff",
)

CONTRAST = Palette(
    name="contrast",
    dark=True,
    window="#000000",
    surface="#000000",
    raised="#000000",
    hover="#1f1f1f",
    pressed="#333333",
    text="#ffffff",
    muted="#ffffff",
    line="#ffffff",
    control="#ffffff",
    off="#8c8c8c",
    accent="#ffe14d",
    accent_hover="#fff09a",
    accent_pressed="#e0c020",
    on_accent="#000000",
    selected="#003a6b",
    good="#7dffb0",
    good_soft="#000000",
    warn="#ffd35c",
    warn_soft="#000000",
    bad="#ffaaa3",
    bad_soft="#000000",
    sent="#ff9df6",
    sent_soft="#000000",
    focus="#ffe14d",
)

PALETTES = (LIGHT, DARK, CONTRAST)

_TEXT_ON = ("window", "surface", "raised", "hover", "pressed", "selected")

PAIRS: tuple[tuple[str, str, float], ...] = (
    *(("text", ground, TEXT_CONTRAST) for ground in _TEXT_ON),
    *(("muted", ground, TEXT_CONTRAST) for ground in ("window", "surface", "raised", "hover", "selected")),
    *(("accent", ground, TEXT_CONTRAST) for ground in ("window", "surface", "raised", "selected")),
    *(
        (tone, ground, TEXT_CONTRAST)
        for tone in ("good", "warn", "bad", "sent")
        for ground in ("window", "surface", "raised", f"{tone}_soft")
    ),
    *(("text", f"{tone}_soft", TEXT_CONTRAST) for tone in ("good", "warn", "bad", "sent")),
    ("on_accent", "accent", TEXT_CONTRAST),
    ("on_accent", "accent_hover", TEXT_CONTRAST),
    ("on_accent", "accent_pressed", TEXT_CONTRAST),
    *(("control", ground, CONTROL_CONTRAST) for ground in ("window", "surface", "raised")),
    *(("focus", ground, CONTROL_CONTRAST) for ground in ("window", "surface", "raised", "hover", "selected")),
)
"""(foreground, background, least contrast) of every pair the window paints."""


def rgb(colour: str) -> tuple[int, int, int]:
    """The three channels of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2, 0 to 1."""
    channels = [value / 255 for value in rgb(colour)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)
