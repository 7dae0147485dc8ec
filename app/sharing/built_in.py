"""The destinations that Eyelid knows of itself. Which model is asked, and with which key, is for the person to say.

Addresses: the providers' own API references (platform.openai.com, platform.claude.com, ai.google.dev, docs.mistral.ai, docs.x.ai,
console.groq.com, openrouter.ai/docs, docs.together.ai, the terms of the Meta Model API), and the default ports that Ollama, LM Studio,
llama.cpp's server and vLLM document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.sharing.types import Destination

CHAT = "/chat/completions"
RESPONSES = "/responses"
GEMINI_PATH = "/v1/models/{model}:streamGenerateContent?alt=sse"
THIS_COMPUTER = "Local server (this computer)"


@dataclass(frozen=True, slots=True)
class LocalKind:
    """A kind of server that runs on this computer: how it is spoken to, whose card counts, and whom the dialog names."""

    wire: str
    endpoint: str
    card_id: str
    company: str


LOCAL_KINDS: Mapping[str, LocalKind] = MappingProxyType(
    {
        "local-server": LocalKind("openai-compatible", CHAT, "local-server", THIS_COMPUTER),
        "ollama": LocalKind("ollama", "/api/chat", "ollama", "Ollama (this computer)"),
        "lm-studio": LocalKind("openai-compatible", CHAT, "lm-studio", "LM Studio (this computer, or one linked to it)"),
        "llama-cpp": LocalKind("openai-compatible", CHAT, "llama-cpp", "llama.cpp (this computer)"),
        "vllm": LocalKind("openai-compatible", CHAT, "vllm", "vLLM (this computer)"),
    }
)


def _away(name: str, label: str, company: str, origin: str, path: str, wire: str, card_id: str) -> Destination:
    return Destination(name, label, company, origin, path, "", wire, card_id, needs_key=True, local=False)


def _here(kind: str, label: str, origin: str, base: str) -> Destination:
    known = LOCAL_KINDS[kind]
    return Destination(
        kind, label, known.company, origin, base + known.endpoint, "", known.wire, known.card_id, needs_key=False, local=True
    )


BUILT_IN = (
    _here("ollama", "Ollama", "http://127.0.0.1:11434", ""),
    _here("lm-studio", "LM Studio", "http://127.0.0.1:1234", "/v1"),
    _here("llama-cpp", "llama.cpp", "http://127.0.0.1:8080", "/v1"),
    _here("vllm", "vLLM", "http://127.0.0.1:8000", "/v1"),
    _away("openai", "OpenAI API", "OpenAI", "https://api.openai.com", "/v1" + RESPONSES, "openai-responses", "openai-api"),
    _away("anthropic", "Anthropic API", "Anthropic", "https://api.anthropic.com", "/v1/messages", "anthropic", "anthropic-api"),
    _away("gemini-paid", "Gemini API, paid", "Google", "https://generativelanguage.googleapis.com", GEMINI_PATH, "gemini", "gemini-paid"),
    _away(
        "gemini-unpaid", "Gemini API, unpaid", "Google", "https://generativelanguage.googleapis.com", GEMINI_PATH, "gemini", "gemini-unpaid"
    ),
    _away("mistral", "Mistral API", "Mistral AI", "https://api.mistral.ai", "/v1" + CHAT, "mistral", "mistral-api"),
    _away("xai", "xAI API", "xAI", "https://api.x.ai", "/v1" + RESPONSES, "xai", "xai-api"),
    _away("xai-zdr", "xAI API, zero retention agreed", "xAI", "https://api.x.ai", "/v1" + RESPONSES, "xai", "xai-api-zdr"),
    _away("groq", "Groq API", "Groq", "https://api.groq.com", "/openai/v1" + CHAT, "groq", "groq-api"),
    _away(
        "openrouter",
        "OpenRouter",
        "OpenRouter, and the company that runs the model",
        "https://openrouter.ai",
        "/api/v1" + CHAT,
        "openrouter",
        "openrouter",
    ),
    _away("together", "Together AI", "Together AI", "https://api.together.xyz", "/v1" + CHAT, "openai-compatible", "together-api"),
    _away("meta-paid", "Meta Model API, paid", "Meta", "https://api.meta.ai", "/v1" + CHAT, "openai-compatible", "meta-model-api-paid"),
    _away("meta-unpaid", "Meta Model API, unpaid", "Meta", "https://api.meta.ai", "/v1" + CHAT, "openai-compatible", "meta-model-api"),
)
"""What stays here first, what trains for sure last."""


def models_path(destination: Destination) -> str:
    """Where a server tells which models it has."""
    if destination.wire == "gemini":
        return "/v1/models?pageSize=1000"
    if destination.wire == "anthropic":
        return "/v1/models?limit=1000"
    if destination.wire == "ollama":
        return destination.path.removesuffix("/chat") + "/tags"
    return destination.path.removesuffix(CHAT).removesuffix(RESPONSES) + "/models"


def key_path(destination: Destination) -> str:
    """Where a server tells whether a key is good: the list of models, but where that is told to anybody."""
    return "/api/v1/key" if destination.id == "openrouter" else models_path(destination)
