"""Lists of models, as servers answer with them. Pure: bytes in, models out; bounded, and never raising for what a server says.

Forms: the descriptions named in the formats' own files; OpenRouter's and llama.cpp's `architecture.input_modalities`, Mistral's
`capabilities.vision`, Together's bare list (their API references); Ollama's docs/api.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.assistants.reading import items, table

MAX_MODELS = 2000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a server offers. `pictures`: whether it takes any, None where the server does not say.

    `elsewhere`: a server on this computer says that another computer would run it.
    """

    id: str
    title: str = ""
    pictures: bool | None = None
    elsewhere: bool = False


def read_models(wire_name: str, data: bytes) -> tuple[Model, ...] | None:
    """The models in a server's answer, each once, in its order; None for what is no list of models."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    rows = found if isinstance(found, list) else next((table(found)[key] for key in ("data", "models") if key in table(found)), None)
    if not isinstance(rows, list):
        return None
    read = {"ollama": _ollama, "gemini": _gemini}.get(wire_name, _common)
    models = (read(row) for row in items(rows)[:MAX_MODELS])
    return tuple({model.id: model for model in models if model is not None}.values())


def _model(name: object, title: object, pictures: bool | None, *, elsewhere: bool = False) -> Model | None:
    """A model, if `name` is one that can be asked for; a title that cannot be shown is left out."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or not name.isascii() or not name.isprintable() or " " in name:
        return None
    shown = title if isinstance(title, str) and title.isprintable() and len(title) <= _LONGEST and title != name else ""
    return Model(name, shown, pictures, elsewhere)


def _common(row: dict[str, Any]) -> Model | None:
    capabilities = table(row.get("capabilities"))
    modalities = table(row.get("architecture")).get("input_modalities")
    said: object = None
    if isinstance(modalities, list):
        said = "image" in modalities
    elif "vision" in capabilities:
        said = capabilities["vision"]
    elif "image_input" in capabilities:
        said = table(capabilities["image_input"]).get("supported")
    return _model(row.get("id"), row.get("display_name") or row.get("name"), said if isinstance(said, bool) else None)


def _gemini(row: dict[str, Any]) -> Model | None:
    name = row.get("name")
    methods = row.get("supportedGenerationMethods")
    if not isinstance(name, str) or (isinstance(methods, list) and "generateContent" not in methods):
        return None
    return _model(name.removeprefix("models/"), row.get("displayName"), None)


def _ollama(row: dict[str, Any]) -> Model | None:
    capabilities = row.get("capabilities")
    pictures = "vision" in capabilities if isinstance(capabilities, list) else None
    name = row.get("name") or row.get("model")
    ends = isinstance(name, str) and name.lower().endswith(("-cloud", ":cloud"))
    return _model(name, "", pictures, elsewhere=bool(row.get("remote_host") or row.get("remote_model") or ends))


def cloud_off(data: bytes) -> bool | None:
    """What Ollama's `/api/status` says of its cloud: True where it is switched off, None where it does not say."""
    try:
        said = table(table(json.loads(data)).get("cloud")).get("disabled")
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, bool) else None
