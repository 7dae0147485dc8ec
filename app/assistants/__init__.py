"""Wire formats of assistants, one a file. Pure: bytes in, bytes out; no sockets, no files, no keys kept.

`wire(name)` is the registry. A format builds the request body, reads it back for the approval, and reads the streamed answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.assistants.anthropic_messages import ANTHROPIC
from app.assistants.gemini import GEMINI
from app.assistants.mirror import MIRROR
from app.assistants.ollama import OLLAMA
from app.assistants.openai_chat import GROQ, MISTRAL, OPENAI, OPENAI_COMPATIBLE, OPENROUTER
from app.assistants.openai_responses import OPENAI_RESPONSES, XAI
from app.assistants.wire import AnswerPart, AnswerReader, Fault, Finished, Limits, ReadBack, Text, Turn, WireError, WireFormat

__all__ = [
    "WIRES",
    "AnswerPart",
    "AnswerReader",
    "Fault",
    "Finished",
    "Limits",
    "ReadBack",
    "Text",
    "Turn",
    "WireError",
    "WireFormat",
    "wire",
]

_ALL: tuple[WireFormat, ...] = (
    MIRROR,
    OPENAI,
    OPENAI_COMPATIBLE,
    OPENAI_RESPONSES,
    XAI,
    OPENROUTER,
    GROQ,
    MISTRAL,
    ANTHROPIC,
    GEMINI,
    OLLAMA,
)
WIRES: Mapping[str, WireFormat] = MappingProxyType({each.name: each for each in _ALL})


def wire(name: str) -> WireFormat:
    """Return the format of that name; raises WireError for an unknown one."""
    found = WIRES.get(name)
    if found is None:
        raise WireError("unknown wire format")
    return found
