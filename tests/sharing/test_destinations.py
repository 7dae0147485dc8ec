"""The book of destinations: checked strictly, kept without keys, never the reason why nothing works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.sharing.destinations import FILE, THIS_COMPUTER, DestinationBook, mirror_destination
from app.sharing.errors import DestinationError
from app.sharing.keys import KeyringKeys, MemoryKeys


@pytest.fixture
def book(tmp_path: Path) -> DestinationBook:
    return DestinationBook(tmp_path, MemoryKeys())


def again(tmp_path: Path) -> DestinationBook:
    return DestinationBook(tmp_path, MemoryKeys())


def test_built_in_ones_need_a_key_and_a_model(book: DestinationBook) -> None:
    found = {each.id: each for each in book.all()}
    assert set(found) == {"openai", "meta-paid", "meta-unpaid"}
    assert all(each.needs_key and not each.local and each.model == "" for each in found.values())
    assert found["openai"].origin + found["openai"].path == "https://api.openai.com/v1/chat/completions"
    assert found["meta-unpaid"].card_id == "meta-model-api"


def test_a_local_server_is_kept(book: DestinationBook, tmp_path: Path) -> None:
    made = book.add_local("  LM   Studio ", "http://localhost:1234/v1/", "llava:7b")
    assert (made.label, made.company, made.local, made.needs_key) == ("LM Studio", THIS_COMPUTER, True, False)
    assert (made.origin, made.path, made.card_id) == ("http://localhost:1234", "/v1/chat/completions", "local-server")
    assert again(tmp_path).get(made.id) == made


def test_a_server_elsewhere_is_kept_and_nothing_is_known_of_it(book: DestinationBook, tmp_path: Path) -> None:
    made = book.add_custom("Mine", "Somebody", "https://ai.example/v1", "m", needs_key=False)
    assert (made.company, made.local, made.needs_key, made.card_id) == ("Somebody", False, False, "unknown")
    other = book.add_custom("Mine", "Somebody", "https://ai.example/v1", "m")
    assert again(tmp_path).all()[-2:] == (made, other)


def test_models_are_kept(book: DestinationBook, tmp_path: Path) -> None:
    local = book.add_local("L", "http://[::1]:1/v1", "a")
    assert book.set_model("openai", "gpt-x").model == "gpt-x"
    assert book.set_model(local.id, "b").model == "b"
    found = again(tmp_path)
    assert [found.get(each).model for each in ("openai", local.id)] == ["gpt-x", "b"]  # type: ignore[union-attr]


def test_removing_takes_the_key_along(book: DestinationBook, tmp_path: Path) -> None:
    made = book.add_custom("Mine", "Somebody", "https://ai.example/v1", "m")
    book.keys.set(made.id, "sk-1")
    book.remove(made.id)
    assert book.keys.get(made.id) == ""
    assert book.get(made.id) is None
    assert again(tmp_path).get(made.id) is None


def test_no_key_is_ever_in_the_file(book: DestinationBook, tmp_path: Path) -> None:
    made = book.add_custom("Mine", "Somebody", "https://ai.example/v1", "m")
    book.keys.set(made.id, "sk-secret")
    book.set_model(made.id, "n")
    assert "sk-secret" not in (tmp_path / FILE).read_text("utf-8")


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "kimi:cloud", "a b", "ä", "x" * 201, "a\n"])
def test_models_that_no_local_server_has(book: DestinationBook, model: str) -> None:
    with pytest.raises(DestinationError):
        book.add_local("L", "http://127.0.0.1:1/v1", model)
    assert len(book.all()) == 3


def test_a_local_model_cannot_be_changed_into_a_cloud_one(book: DestinationBook) -> None:
    made = book.add_local("L", "http://127.0.0.1:1/v1", "a")
    with pytest.raises(DestinationError):
        book.set_model(made.id, "a-cloud")
    assert book.set_model("openai", "a-cloud").model == "a-cloud"


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "a\x1b[31m", "a\u202eb"])
def test_names_that_cannot_be_shown(book: DestinationBook, label: str) -> None:
    with pytest.raises(DestinationError):
        book.add_local(label, "http://127.0.0.1:1/v1", "m")


def test_local_is_local_and_elsewhere_is_elsewhere(book: DestinationBook) -> None:
    with pytest.raises(DestinationError):
        book.add_local("L", "https://ai.example/v1", "m")
    with pytest.raises(DestinationError):
        book.add_custom("C", "Somebody", "http://localhost:1/v1", "m")


@pytest.mark.parametrize("call", [lambda book: book.remove("openai"), lambda book: book.set_model("nothing", "m")])
def test_what_is_not_there(book: DestinationBook, call: Any) -> None:
    with pytest.raises(DestinationError):
        call(book)


def test_there_is_an_end_to_it(book: DestinationBook) -> None:
    for number in range(50):
        book.add_local(f"L{number}", "http://127.0.0.1:1/v1", "m")
    with pytest.raises(DestinationError):
        book.add_local("one more", "http://127.0.0.1:1/v1", "m")


LOCAL = {"id": "local-1", "label": "L", "model": "m", "local": True, "base_url": "http://127.0.0.1:1/v1"}
DAMAGE: list[Any] = [
    "not json",
    b"\xff",
    b"[" * 100_000,
    " " * 300_000,
    [],
    {},
    {"version": 2, "models": {}, "own": []},
    {"version": 1, "models": [], "own": []},
    {"version": 1, "models": {"openai": 5}, "own": []},
    {"version": 1, "models": {}, "own": [5]},
    {"version": 1, "models": {}, "own": [{}]},
    {"version": 1, "models": {}, "own": [LOCAL] * 51},
    {"version": 1, "models": {}, "own": [LOCAL | {"id": "openai"}]},
    {"version": 1, "models": {}, "own": [LOCAL | {"label": None}]},
    {"version": 1, "models": {}, "own": [LOCAL | {"base_url": "http://evil.example/v1"}]},
    {"version": 1, "models": {}, "own": [LOCAL | {"model": "x-cloud"}]},
    {"version": 1, "models": {}, "own": [LOCAL | {"local": False}]},
]


@pytest.mark.parametrize("content", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_file_is_said_and_kept_aside(tmp_path: Path, content: Any) -> None:
    file = tmp_path / FILE
    data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    file.write_bytes(data)
    book = again(tmp_path)
    assert book.trouble is not None
    assert [each.id for each in book.all()] == ["openai", "meta-paid", "meta-unpaid"]
    book.add_local("L", "http://127.0.0.1:1/v1", "m")
    assert book.trouble is None
    assert [each.read_bytes() for each in tmp_path.glob("*.damaged-*")] == [data]
    assert again(tmp_path).trouble is None


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert again(tmp_path).trouble is not None


def test_a_damaged_file_that_went_away_meanwhile(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("x")
    book = again(tmp_path)
    (tmp_path / FILE).unlink()
    book.set_model("openai", "m")
    assert again(tmp_path).trouble is None


def test_without_a_store_of_keys_it_is_the_keyring(tmp_path: Path) -> None:
    assert isinstance(DestinationBook(tmp_path).keys, KeyringKeys)


def test_the_mirror() -> None:
    made = mirror_destination("http://127.0.0.1:1", "/x")
    assert (made.id, made.local, made.needs_key, made.wire, made.card_id) == ("mirror", True, False, "mirror", "mirror")
