"""The wire of the mirror: to the byte what an OpenAI-compatible server would get, so that looking into it is worth something."""

from __future__ import annotations

from app.assistants.openai_chat import OpenAIChat

MIRROR = OpenAIChat("mirror")
