"""Lists of models in each provider's form, odd ones, and endless ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistants.listing import MAX_MODELS, Model, cloud_off, read_models

LISTS: list[tuple[str, Any, list[Model]]] = [
    ("openai-responses", {"object": "list", "data": [{"id": "gpt-x", "object": "model"}]}, [Model("gpt-x")]),
    (
        "openrouter",
        {
            "data": [
                {"id": "a/b", "name": "B", "architecture": {"input_modalities": ["text", "image"]}},
                {"id": "c/d", "architecture": {"input_modalities": ["text"]}},
            ]
        },
        [Model("a/b", "B", True), Model("c/d", "", False)],
    ),
    (
        "mistral",
        {"data": [{"id": "pixtral", "name": "pixtral", "capabilities": {"vision": True}}, {"id": "x", "capabilities": {"vision": 5}}]},
        [Model("pixtral", "", True), Model("x")],
    ),
    ("openai-compatible", [{"id": "t/m", "display_name": "M", "type": "chat"}], [Model("t/m", "M")]),
    (
        "anthropic",
        {"data": [{"id": "claude-x", "display_name": "Claude X", "capabilities": {"image_input": {"supported": True}}}], "has_more": False},
        [Model("claude-x", "Claude X", True)],
    ),
    (
        "gemini",
        {
            "models": [
                {"name": "models/gemini-x", "displayName": "Gemini X", "supportedGenerationMethods": ["generateContent"]},
                {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]},
                {"name": 5},
            ]
        },
        [Model("gemini-x", "Gemini X")],
    ),
    (
        "ollama",
        {
            "models": [
                {"name": "gemma4:4b", "capabilities": ["completion", "vision"]},
                {"name": "gpt:cloud", "model": "gpt:cloud"},
                {"name": "alias:latest", "remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"},
                {"model": "old:latest"},
            ]
        },
        [
            Model("gemma4:4b", "", True),
            Model("gpt:cloud", elsewhere=True),
            Model("alias:latest", elsewhere=True),
            Model("old:latest"),
        ],
    ),
]


@pytest.mark.parametrize(("name", "said", "models"), LISTS, ids=[name for name, _, _ in LISTS])
def test_lists(name: str, said: Any, models: list[Model]) -> None:
    assert read_models(name, json.dumps(said).encode()) == tuple(models)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"5", b"{}", b'{"data":5}', b"[" * 100_000, b"\xff"])
def test_what_is_no_list(data: bytes) -> None:
    assert read_models("openai", data) is None


def test_names_that_cannot_be_asked_for_are_left_out() -> None:
    odd = ["", "a b", "ä", "x" * 201, "a\x1b[31m", None, 5, "good", "good"]
    said = {"data": [{"id": each, "name": "bad\x1btitle"} for each in odd] + ["text", None]}
    assert read_models("openai", json.dumps(said).encode()) == (Model("good"),)


def test_there_is_an_end_to_a_list() -> None:
    said = {"data": [{"id": f"m{number}"} for number in range(MAX_MODELS + 5)]}
    assert len(read_models("openai", json.dumps(said).encode()) or ()) == MAX_MODELS


@pytest.mark.parametrize(
    ("data", "off"),
    [
        (b'{"cloud":{"disabled":true,"source":"env"}}', True),
        (b'{"cloud":{"disabled":false}}', False),
        (b'{"cloud":{"disabled":"yes"}}', None),
        (b"[]", None),
        (b"x", None),
    ],
)
def test_ollamas_word_on_its_cloud(data: bytes, off: bool | None) -> None:
    assert cloud_off(data) is off


NAMES = ["data", "models", "id", "name", "architecture", "capabilities"]
JUNK = st.recursive(
    st.none() | st.text(max_size=4) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
)


@given(st.sampled_from(["openai", "gemini", "ollama"]), JUNK)
def test_any_json_never_raises(name: str, said: Any) -> None:
    read_models(name, json.dumps(said).encode())
