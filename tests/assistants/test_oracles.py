"""The requests are those that the vendors' own libraries make for the same question, field by field.

Each library runs in a process of its own behind a transport that goes nowhere (`oracles/`), so that neither its imports nor its
settings come near the program or the other tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.assistants import Turn, wire
from app.assistants.anthropic_messages import MAX_TOKENS, VERSION

ORACLES = Path(__file__).parent / "oracles"
JPEGS = [b"\xff\xd8\xfb\x01\xff\xd9", b"\xff\xd8\xfb\xfe\xff\xff\xff"]
QUESTION = "What is this? ä “quoted” \n 你好"
EARLIER = [Turn("And then?", "A fern."), Turn("Why?", "It grows.")]


def asked(package: str, *tasks: dict[str, Any]) -> list[dict[str, Any]]:
    """What `package` sends, as [{"method", "url", "headers", "body"}]."""
    top = {"gemini": "google.genai"}.get(package, package)
    try:
        found = importlib.util.find_spec(top)
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip(f"the {top} library is not installed")
    usual: dict[str, Any] = {"key": "sk-test-1", "base_url": "https://api.openai.com/v1", "model": "m-1", "question": QUESTION, "chat": {}}
    usual |= {"pictures": [each.hex() for each in JPEGS], "earlier": [[turn.question, turn.answer] for turn in EARLIER]}
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "LANG")}
    done = subprocess.run(
        [sys.executable, str(ORACLES / f"asked_{package}.py")],
        input=json.dumps([usual | task for task in tasks or ({},)]),
        capture_output=True,
        text=True,
        timeout=55,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout))


def same(
    sent: dict[str, Any], name: str, url: str, *, model: str = "m-1", pictures: list[bytes] = JPEGS, earlier: list[Turn] = EARLIER
) -> None:
    """Compare one request with that of the format `name`: method, address, whole body, and the headers both have to send."""
    form = wire(name)
    assert (sent["method"], sent["url"]) == ("POST", url)
    assert sent["body"] == json.loads(form.body(model, QUESTION, pictures, earlier))
    ours = dict(form.headers("sk-test-1"))
    del ours["accept"]  # theirs ask for JSON and read a stream; ours ask for what they read
    assert {header: sent["headers"].get(header) for header in ours} == ours


def test_openai() -> None:
    extras = {"store": False, "stream_options": {"include_usage": True}}
    first: dict[str, Any] = {"pictures": [JPEGS[0].hex()], "earlier": [], "chat": extras}
    chat, responses, chat_on, responses_on = asked("openai", first, {"chat": extras})
    same(chat, "openai", "https://api.openai.com/v1/chat/completions", pictures=JPEGS[:1], earlier=[])
    same(responses, "openai-responses", "https://api.openai.com/v1/responses", pictures=JPEGS[:1], earlier=[])
    same(chat_on, "openai", "https://api.openai.com/v1/chat/completions")
    same(responses_on, "openai-responses", "https://api.openai.com/v1/responses")


def test_those_who_copy_openai() -> None:
    places = {
        "openai-compatible": "http://127.0.0.1:1234/v1",
        "openrouter": "https://openrouter.ai/api/v1",
        "groq": "https://api.groq.com/openai/v1",
        "mistral": "https://api.mistral.ai/v1",
        "xai": "https://api.x.ai/v1",
    }
    more = {"openrouter": {"extra_body": {"provider": {"data_collection": "deny", "zdr": True}}}}
    sent = asked("openai", *({"base_url": url, "chat": more.get(name, {})} for name, url in places.items()))
    for number, (name, url) in enumerate(places.items()):
        chat, responses = sent[2 * number : 2 * number + 2]
        if name == "xai":
            same(responses, name, f"{url}/responses")
        else:
            same(chat, name, f"{url}/chat/completions")


def test_anthropic() -> None:
    (sent,) = asked("anthropic", {"max_tokens": MAX_TOKENS})
    same(sent, "anthropic", "https://api.anthropic.com/v1/messages")
    assert sent["headers"]["anthropic-version"] == VERSION


def test_gemini() -> None:
    (sent,) = asked("gemini")
    same(sent, "gemini", "https://generativelanguage.googleapis.com/v1/models/m-1:streamGenerateContent?alt=sse")


def test_ollama() -> None:
    (sent,) = asked("ollama", {"base_url": "http://127.0.0.1:11434", "model": "m-1:local", "chat": {"options": {"num_ctx": 8192}}})
    sent["headers"]["authorization"] = "Bearer sk-test-1"  # there is no key to send
    same(sent, "ollama", "http://127.0.0.1:11434/api/chat")
