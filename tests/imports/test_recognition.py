"""Every pattern that is known is recognised, sure or likely as it should be, and no look-alike is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.families import FAMILIES, RULES
from app.imports.recognise import UNKNOWN, in_words, recognise
from app.imports.types import Clues, Confidence, Sign


def test_the_labelled_set_is_told_apart_whole(recognition: ModuleType, tmp_path: Path) -> None:
    found = recognition.answers(tmp_path)
    assert [(each.path, family, sure) for each, family, sure in found] == [
        (each.path, each.family, each.confidence) for each, _, _ in found
    ]
    assert {each.family for each, _, _ in found} == {"", *(family.id for family in FAMILIES)}
    assert sum(not each.family for each, _, _ in found) >= 20


def test_the_reasons_are_named() -> None:
    camera = recognise(Clues((("make", "Meta AI"), ("model", "Ray-Ban Meta Smart Glasses 2")), "a.jpg", ("Meta AI",)))
    assert camera.signs == (
        (Sign.MAKE, "Meta AI"),
        (Sign.MODEL, "Ray-Ban Meta Smart Glasses 2"),
        (Sign.FOLDER, "Meta AI"),
    )
    words = [in_words(sign.value, text) for sign, text in camera.signs]
    assert words[0] == "The file names its maker: Meta AI."
    assert all(words)


def test_a_phone_is_named_as_what_it_is() -> None:
    camera = recognise(Clues((("make", "Apple"), ("model", "iPhone 17")), "photo-1_singular_display_fullPicture.jpeg", ("Meta AI",)))
    assert (camera.label, camera.glasses, camera.family) == ("Apple iPhone 17", False, "")
    assert recognise(Clues()).label == UNKNOWN


@pytest.mark.parametrize("sign", [*(sign.value for sign in Sign), "one of a later version"])
def test_every_sign_has_words(sign: str) -> None:
    assert "X-1" in in_words(sign, "X-1") or sign in ("comment", "file name")


def test_rules_speak_of_known_families_only() -> None:
    known = {family.id for family in FAMILIES}
    assert all(set(rule.families) <= known for rule in RULES)


@given(
    st.lists(st.tuples(st.sampled_from(["make", "model", "comment", "copyright", "software", "other"]), st.text()), max_size=5),
    st.text(),
    st.lists(st.text(), max_size=3),
    st.none() | st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)),
)
def test_no_clue_is_too_strange(tags: list[tuple[str, str]], name: str, folders: list[str], size: tuple[int, int] | None) -> None:
    camera = recognise(Clues(tuple(tags), name, tuple(folders), size))
    assert (camera.confidence is Confidence.NONE) == (camera.family == "")
    assert camera.label or camera.signs == ()
