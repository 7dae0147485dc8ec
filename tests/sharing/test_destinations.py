"""The book of destinations: checked strictly, kept without keys, never the reason why nothing works."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.assistants import wire
from app.sharing.built_in import key_path, models_path
from app.sharing.cards import CardBook
from app.sharing.destinations import BUILT_IN, FILE, THIS_COMPUTER, DestinationBook, mirror_destination
from app.sharing.errors import DestinationError
from app.sharing.keys import KeyringKeys, MemoryKeys
from app.sharing.types import PolicyClass


@pytest.fixture
def book(tmp_path: Path) -> DestinationBook:
    return DestinationBook(tmp_path, MemoryKeys())


_GEMINI = "https://generativelanguage.googleapis.com/v1/models/:streamGenerateContent?alt=sse"
ADDRESSES = {
    "ollama": "http://127.0.0.1:11434/api/chat",
    "lm-studio": "http://127.0.0.1:1234/v1/chat/completions",
    "llama-cpp": "http://127.0.0.1:8080/v1/chat/completions",
    "vllm": "http://127.0.0.1:8000/v1/chat/completions",
    "openai": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini-paid": _GEMINI,
    "gemini-unpaid": _GEMINI,
    "mistral": "https://api.mistral.ai/v1/chat/completions",
    "xai": "https://api.x.ai/v1/responses",
    "xai-zdr": "https://api.x.ai/v1/responses",
    "groq": "https://api.groq.com/openai/v1/chat/completions",
    "openrouter": "https://openrouter.ai/api/v1/chat/completions",
    "together": "https://api.together.xyz/v1/chat/completions",
    "meta-paid": "https://api.meta.ai/v1/chat/completions",
    "meta-unpaid": "https://api.meta.ai/v1/chat/completions",
}
LOCAL_ONES = [name for name, address in ADDRESSES.items() if address.startswith("http://127.0.0.1:")]
AWAY = [name for name in ADDRESSES if name not in LOCAL_ONES]


def again(tmp_path: Path) -> DestinationBook:
    return DestinationBook(tmp_path, MemoryKeys())


def test_built_in_ones_need_a_key_and_a_model(book: DestinationBook) -> None:
    found = {each.id: each for each in book.all()}
    assert list(found) == [*LOCAL_ONES, *AWAY]
    assert all(each.needs_key and not each.local and each.origin.startswith("https://") for each in map(found.__getitem__, AWAY))
    assert all(
        each.local and not each.needs_key and each.origin.startswith("http://127.0.0.1:") for each in map(found.__getitem__, LOCAL_ONES)
    )
    assert all(each.model == "" for each in found.values())
    assert {each.id: each.origin + each.path for each in found.values()} == ADDRESSES
    assert found["meta-unpaid"].card_id == "meta-model-api"


def test_each_built_in_one_has_a_card_and_a_wire_of_its_own_provider(book: DestinationBook) -> None:
    cards = CardBook(clock=lambda: date(2026, 11, 23))
    for each in book.all():
        card = cards.card(each.card_id)
        assert card.id == each.card_id
        assert card.company != "Unknown"
        assert card.policy_class is not PolicyClass.MIRROR
        assert each.local is (card.policy_class is PolicyClass.LOCAL)
        assert each.company == card.company
        assert wire(each.wire)


def test_where_models_and_keys_are_asked_for(book: DestinationBook) -> None:
    found = {each.id: (models_path(each), key_path(each)) for each in book.all()}
    assert found["ollama"] == ("/api/tags", "/api/tags")
    assert found["lm-studio"][0] == found["openai"][0] == found["xai"][0] == found["mistral"][0] == "/v1/models"
    assert found["groq"][0] == "/openai/v1/models"
    assert found["openrouter"] == ("/api/v1/models", "/api/v1/key")
    assert found["gemini-paid"][0] == "/v1/models?pageSize=1000"
    assert found["anthropic"][0] == "/v1/models?limit=1000"


def test_the_model_of_gemini_is_a_part_of_its_address(book: DestinationBook, tmp_path: Path) -> None:
    made = book.set_model("gemini-paid", "models/gemini-3.0-flash")
    assert (made.model, made.path) == ("gemini-3.0-flash", "/v1/models/gemini-3.0-flash:streamGenerateContent?alt=sse")
    assert book.get("gemini-paid") == again(tmp_path).get("gemini-paid") == made
    for wrong in ("a/b", "../x", "a:b", "a?b", ".x"):
        with pytest.raises(DestinationError):
            book.set_model("gemini-paid", wrong)


@pytest.mark.parametrize(
    ("kind", "url", "end", "wire_name"),
    [
        ("ollama", "http://127.0.0.1:9999", "http://127.0.0.1:9999/api/chat", "ollama"),
        ("ollama", "http://127.0.0.1:9999/v1", "http://127.0.0.1:9999/api/chat", "ollama"),
        ("ollama", "http://127.0.0.1:9999/api", "http://127.0.0.1:9999/api/chat", "ollama"),
        ("lm-studio", "http://localhost:5/v1", "http://localhost:5/v1/chat/completions", "openai-compatible"),
        ("vllm", "http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions", "openai-compatible"),
    ],
)
def test_kinds_of_local_servers_are_kept(book: DestinationBook, tmp_path: Path, kind: str, url: str, end: str, wire_name: str) -> None:
    made = book.add_local("Mine", url, "gemma:local", kind)
    assert (made.origin + made.path, made.wire, made.card_id, made.local, made.model) == (end, wire_name, kind, True, "gemma")
    assert again(tmp_path).get(made.id) == made


def test_an_unknown_kind_of_local_server(book: DestinationBook) -> None:
    with pytest.raises(DestinationError, match="kind of server"):
        book.add_local("L", "http://127.0.0.1:1/v1", "m", "mainframe")


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


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "kimi:cloud", "kimi:Cloud:local", "a b", "ä", "x" * 201, "a\n"])
def test_models_that_no_local_server_has(book: DestinationBook, model: str) -> None:
    with pytest.raises(DestinationError):
        book.add_local("L", "http://127.0.0.1:1/v1", model)
    assert len(book.all()) == len(BUILT_IN)


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
    {"version": 1, "models": {}, "own": [LOCAL | {"kind": "mainframe"}]},
    {"version": 1, "models": {"gemini-paid": "../x"}, "own": []},
    {"version": 1, "models": {"ollama": "x:cloud"}, "own": []},
]


@pytest.mark.parametrize("content", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_file_is_said_and_kept_aside(tmp_path: Path, content: Any) -> None:
    file = tmp_path / FILE
    data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    file.write_bytes(data)
    book = again(tmp_path)
    assert book.trouble is not None
    assert [each.id for each in book.all()] == [each.id for each in BUILT_IN]
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
