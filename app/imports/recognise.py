"""Which camera made a file, how sure that is, and why. Pure: clues in, an answer with its reasons out.

A camera that names itself in the file and is none of the glasses known here overrules what names of files and folders suggest: phone photos
land in the glasses' folders, too. So does a maker who never made those glasses, whatever the model is called.
"""

from __future__ import annotations

from app.imports.families import FAMILIES, RULES, Weight
from app.imports.types import Camera, Clues, Confidence, Sign

UNKNOWN = "Unknown glasses or camera"

_TAGS = {"make": Sign.MAKE, "model": Sign.MODEL, "comment": Sign.COMMENT, "copyright": Sign.COPYRIGHT}
_OWN_WORDS = (Sign.MAKE, Sign.MODEL)


def recognise(clues: Clues) -> Camera:
    """The camera that `clues` speak for. Never raises."""
    texts = _texts(clues)
    said = {sign: [text for each, text in texts if each is sign] for sign, _ in texts}
    points, signs = dict.fromkeys((each.id for each in FAMILIES), 0), dict[str, list[tuple[Sign, str]]]()
    strongest = dict.fromkeys(points, 0)
    for rule in RULES:
        fits = next((text for text in said.get(rule.sign, ()) if rule.pattern.fullmatch(text)), None)
        if fits is None:
            continue
        for each in rule.families:
            points[each] += rule.weight
            strongest[each] = max(strongest[each], rule.weight)
            if (rule.sign, fits) not in signs.setdefault(each, []):
                signs[each].append((rule.sign, fits))
    best = max(FAMILIES, key=lambda each: points[each.id])  # of equals the first
    own = [(sign, text) for sign, text in texts if sign in _OWN_WORDS]
    if strongest[best.id] < Weight.LIKELY or not _agree(own, signs[best.id]):
        return Camera("", " ".join(text for _, text in own) or UNKNOWN, Confidence.NONE, tuple(own))
    confidence = Confidence.STRONG if strongest[best.id] >= Weight.STRONG else Confidence.LIKELY
    return Camera(best.id, best.label, confidence, tuple(signs[best.id]))


def _agree(own: list[tuple[Sign, str]], signs: list[tuple[Sign, str]]) -> bool:
    """Whether the file's `own` make (or model, where there is none) is among the `signs`, or a comment that names the glasses is."""
    if any(sign is Sign.COMMENT for sign, _ in signs):
        return True
    makes = [each for each in own if each[0] is Sign.MAKE]
    return all(each in signs for each in makes or own)


def _texts(clues: Clues) -> list[tuple[Sign, str]]:
    texts = [(_TAGS[name], text) for name, text in clues.tags if name in _TAGS]
    texts += [(Sign.NAME, clues.name)] if clues.name else []
    texts += [(Sign.FOLDER, folder) for folder in clues.folders]
    texts += [(Sign.SIZE, "x".join(map(str, sorted(clues.size))))] if clues.size else []
    return texts


def in_words(sign: str, text: str) -> str:
    """One reason as a sentence; `sign` is a `Sign`'s value, as it is kept in the vault."""
    words = {
        Sign.MAKE.value: "The file names its maker: {text}.",
        Sign.MODEL.value: "The file names its camera: {text}.",
        Sign.COMMENT.value: "The file's comment names the app and the glasses.",
        Sign.COPYRIGHT.value: "The file's copyright line says {text}.",
        Sign.NAME.value: "The file's name has the form that the glasses' app gives.",
        Sign.FOLDER.value: "It lay in a folder called “{text}”.",
        Sign.SIZE.value: "Its size in pixels ({text}) fits.",
    }
    return words.get(sign, "{text}").replace("{text}", text)
