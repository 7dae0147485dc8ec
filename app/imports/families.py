"""Which glasses leave which signs in the files that their phone apps export. Data only; `recognise` weighs it.

Strong signs were seen in real files whose metadata somebody published: the EXIF of Ray-Ban Meta photos ("Meta View", "Meta AI" with
"Ray-Ban Meta Smart Glasses" and "… 2") and the QuickTime keys of their clips; a model that has another of Meta's product names is believed
as well. Everything else is what the makers call their products and folders, and only makes a family likely.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from app.imports.types import Sign


class Weight(enum.IntEnum):
    """How much a sign says. Weak ones only add to others: a size alone names nobody."""

    WEAK = 1
    LIKELY = 10
    STRONG = 100


@dataclass(frozen=True, slots=True)
class Family:
    """Glasses that leave signs. `pairs`: with Eyelid, too; `from_meta`: what they took may have gone to Meta AI from the phone."""

    id: str
    label: str
    pairs: bool = False
    from_meta: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A sign of some families: `pattern` must fit the whole text of that sign."""

    families: tuple[str, ...]
    sign: Sign
    pattern: re.Pattern[str]
    weight: Weight


FAMILIES = (
    Family("meta-glasses", "Meta glasses", from_meta=True),
    Family("ray-ban-meta", "Ray-Ban Meta", from_meta=True),
    Family("oakley-meta", "Oakley Meta", from_meta=True),
    Family("ray-ban-stories", "Ray-Ban Stories", from_meta=True),
    Family("snap-spectacles", "Snap Spectacles"),
    Family("xiaomi-glasses", "Xiaomi AI glasses"),
    Family("rokid", "Rokid Glasses"),
    Family("rayneo", "RayNeo"),
    Family("vuzix", "Vuzix"),
    Family("mentra-live", "Mentra Live", pairs=True),
    Family("heycyan", "HeyCyan glasses", pairs=True),
    Family("frame", "Brilliant Labs Frame", pairs=True),
    Family("omi-glass", "Omi Glass", pairs=True),
)
"""In the order in which they are shown; of two that fit a file equally well, the first (the more general) is named."""

_META = tuple(each.id for each in FAMILIES if each.from_meta)
_COMMENT = r"app=Meta (AI|View)&device={}&id=[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
"""The comment in a clip, but for the name of the glasses."""


def _rule(families: str | tuple[str, ...], sign: Sign, pattern: str, weight: Weight) -> Rule:
    return Rule((families,) if isinstance(families, str) else families, sign, re.compile(pattern, re.IGNORECASE), weight)


RULES = (
    _rule(_META, Sign.MAKE, r"Meta (View|AI)", Weight.STRONG),
    _rule("ray-ban-meta", Sign.MODEL, r"Ray[- ]?Ban.*(Meta|Display).*|Meta.*Ray[- ]?Ban.*", Weight.STRONG),
    _rule("oakley-meta", Sign.MODEL, r"Oakley.*(Meta|HSTN|Vanguard).*|Meta.*Oakley.*", Weight.STRONG),
    _rule("ray-ban-stories", Sign.MODEL, r"Ray[- ]?Ban Stories.*", Weight.STRONG),
    _rule(_META, Sign.COPYRIGHT, r"Meta AI", Weight.STRONG),
    # The app may well name a phone there, too: only glasses count.
    _rule(_META, Sign.COMMENT, _COMMENT.format("[^&]*(Meta|Ray[- ]?Ban|Oakley|Glasses)[^&]*"), Weight.STRONG),
    _rule("ray-ban-meta", Sign.COMMENT, _COMMENT.format("(Meta )?Ray[- ]?Ban (Meta|Display)[^&]*"), Weight.STRONG),
    _rule("oakley-meta", Sign.COMMENT, _COMMENT.format("(Meta )?Oakley [^&]*"), Weight.STRONG),
    _rule("ray-ban-stories", Sign.COMMENT, _COMMENT.format("Ray[- ]?Ban Stories[^&]*"), Weight.STRONG),
    # Names that Meta's phone apps give on iOS, seen in several public repositories; a copy gets " (2)" or " 2" behind it.
    _rule(
        _META,
        Sign.NAME,
        r"(photo-\d+_singular_display_fullPicture|video-\d+_singular_display)( ?\(?\d+\)?)?\.(heic|jpe?g|mov|mp4)",
        Weight.LIKELY,
    ),
    _rule(_META, Sign.FOLDER, r"Meta (AI|View)", Weight.LIKELY),
    _rule("ray-ban-meta", Sign.FOLDER, r"Ray[- ]?Ban Meta", Weight.LIKELY),
    _rule("oakley-meta", Sign.FOLDER, r"Oakley Meta", Weight.LIKELY),
    _rule("ray-ban-stories", Sign.FOLDER, r"Ray[- ]?Ban Stories|Facebook View", Weight.LIKELY),
    # On Android: in "Download/Meta AI", day and time and a hexadecimal number. Alone it is too common a pattern to say anything.
    _rule(_META, Sign.NAME, r"\d{8}_\d{6}_[0-9a-f]+\.(mp4|mov|jpe?g|png)", Weight.WEAK),
    _rule(("meta-glasses", "ray-ban-meta", "oakley-meta"), Sign.SIZE, r"3024x4032|2743x3658|1376x1840|1440x1920", Weight.WEAK),
    _rule("ray-ban-stories", Sign.SIZE, r"1944x2592|1184x1184", Weight.WEAK),
    # Snap made a flying camera, too, and Xiaomi and TCL make phones: only a model that says so is glasses.
    _rule("snap-spectacles", Sign.MAKE, r"Snap( Inc\.?)?", Weight.WEAK),
    _rule("snap-spectacles", Sign.MODEL, r"(Snap )?Spectacles.*", Weight.LIKELY),
    _rule("snap-spectacles", Sign.FOLDER, r"Snap(chat)? Spectacles", Weight.LIKELY),
    _rule("xiaomi-glasses", Sign.MAKE, r"Xiaomi", Weight.WEAK),
    _rule("xiaomi-glasses", Sign.MODEL, r"(Xiaomi|MI) (AI|Smart) ?Glasses.*", Weight.LIKELY),
    _rule("xiaomi-glasses", Sign.FOLDER, r"Xiaomi (AI |Smart )?Glasses", Weight.LIKELY),
    _rule("rokid", Sign.MAKE, r"Rokid.*", Weight.LIKELY),
    _rule("rokid", Sign.MODEL, r"Rokid.*", Weight.LIKELY),
    _rule("rokid", Sign.FOLDER, r"Rokid( Glasses| AI)?", Weight.LIKELY),
    _rule("rayneo", Sign.MAKE, r"TCL", Weight.WEAK),
    _rule("rayneo", Sign.MAKE, r"(TCL )?RayNeo.*", Weight.LIKELY),
    _rule("rayneo", Sign.MODEL, r"RayNeo.*", Weight.LIKELY),
    _rule("rayneo", Sign.FOLDER, r"RayNeo( AR| X\d)?", Weight.LIKELY),
    _rule("vuzix", Sign.MAKE, r"Vuzix.*", Weight.LIKELY),
    _rule("vuzix", Sign.MODEL, r"Vuzix.*", Weight.LIKELY),
    _rule("vuzix", Sign.FOLDER, r"Vuzix", Weight.LIKELY),
    _rule("mentra-live", Sign.MAKE, r"Mentra.*", Weight.LIKELY),
    _rule("mentra-live", Sign.MODEL, r"Mentra Live.*", Weight.LIKELY),
    _rule("mentra-live", Sign.FOLDER, r"Mentra( Live|OS)?", Weight.LIKELY),
    # A folder for each capture, as the glasses' own program names it (Mentra-Community/MentraOS, asg_client).
    _rule("mentra-live", Sign.FOLDER, r"(IMG|VID)_\d{8}_\d{6}_\d{3}_[0-9a-z]+(_.*)?", Weight.LIKELY),
    _rule("heycyan", Sign.FOLDER, r"HeyCyan|CyanBridge", Weight.LIKELY),
    # Not "Noa", though that is the name of the app: it is that of many people, too.
    _rule("frame", Sign.FOLDER, r"Brilliant ?Labs( Frame| Halo)?", Weight.LIKELY),
    _rule("omi-glass", Sign.FOLDER, r"Omi ?Glass|OpenGlass", Weight.LIKELY),
)


def family(family_id: str) -> Family | None:
    """The family of that id, if it is one of these."""
    return next((each for each in FAMILIES if each.id == family_id), None)
