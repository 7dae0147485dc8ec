"""The places a parcel can go to: those built in, and those the person added. Kept as a small file without any key.

Owns `destinations.json` in the profile. The mirror is not kept: where it listens is known only once the courier runs.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import EyelidError
from app.files import replace_file
from app.sharing.addresses import base_address
from app.sharing.errors import DestinationError
from app.sharing.keys import KeyringKeys, KeyStore
from app.sharing.types import Destination

FILE = "destinations.json"
THIS_COMPUTER = "Local server (this computer)"
MIRROR = "mirror"
_ENDPOINT = "/chat/completions"
_MAX_FILE = 256 * 1024
_MAX_OWN = 50

BUILT_IN = (
    Destination("openai", "OpenAI API", "OpenAI", "https://api.openai.com", "/v1" + _ENDPOINT, "", "openai", "openai-api", True, False),
    Destination(
        "meta-paid",
        "Meta Model API, paid",
        "Meta",
        "https://api.meta.ai",
        "/v1" + _ENDPOINT,
        "",
        "openai-compatible",
        "meta-model-api-paid",
        True,
        False,
    ),
    Destination(
        "meta-unpaid",
        "Meta Model API, unpaid",
        "Meta",
        "https://api.meta.ai",
        "/v1" + _ENDPOINT,
        "",
        "openai-compatible",
        "meta-model-api",
        True,
        False,
    ),
)
"""Addresses: OpenAI's OpenAPI description (openai/openai-openapi); Meta's from the terms and documents of the Meta Model API."""


def mirror_destination(origin: str, path: str) -> Destination:
    """The mirror, where the courier says it listens."""
    return Destination(MIRROR, "Mirror", "Mirror (this computer, no AI)", origin, path, "mirror", "mirror", "mirror", False, True)


class DestinationBook:
    """Built-in and own destinations. Changing calls write the file durably; `keys` holds what must not be in it."""

    def __init__(self, folder: Path, keys: KeyStore | None = None) -> None:
        """`trouble` afterwards says why the file could not be read; it is then kept aside when the book is next written."""
        self._file = folder / FILE
        self.keys = keys if keys is not None else KeyringKeys()
        self._own: dict[str, Destination] = {}
        self._models: dict[str, str] = {}
        self.trouble: EyelidError | None = None
        try:
            self._load()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError, DestinationError) as error:
            self.trouble = DestinationError(
                "Your own destinations cannot be read.", f"The file {FILE} is damaged ({error}).", "Mend it, or add them again."
            )

    def all(self) -> tuple[Destination, ...]:
        """Every destination but the mirror."""
        built_in = (replace(each, model=self._models.get(each.id, each.model)) for each in BUILT_IN)
        return (*built_in, *self._own.values())

    def get(self, destination_id: str) -> Destination | None:
        return next((each for each in self.all() if each.id == destination_id), None)

    def add_local(self, label: str, base_url: str, model: str) -> Destination:
        """Add a server on this computer (LM Studio, llama.cpp, vLLM, Ollama's /v1). Raises DestinationError."""
        return self._add(_local(_new_id("local"), label, base_url, model))

    def add_custom(self, label: str, company: str, base_url: str, model: str, *, needs_key: bool = True) -> Destination:
        """Add any OpenAI-compatible server; nothing is known of its terms. Raises DestinationError."""
        return self._add(_custom(_new_id("own"), label, company, base_url, model, needs_key))

    def _add(self, destination: Destination) -> Destination:
        if len(self._own) >= _MAX_OWN:
            raise DestinationError("There are too many destinations.", f"{_MAX_OWN} is the most.", "Remove one first.")
        self._own[destination.id] = destination
        self._save()
        return destination

    def set_model(self, destination_id: str, model: str) -> Destination:
        """Choose the model of a destination. Raises DestinationError."""
        found = self.get(destination_id)
        if found is None:
            raise _unknown()
        model = _model(model, local=found.local)
        if destination_id in self._own:
            self._own[destination_id] = replace(found, model=model)
        else:
            self._models[destination_id] = model
        self._save()
        return replace(found, model=model)

    def remove(self, destination_id: str) -> None:
        """Remove an own destination and its key. Raises DestinationError."""
        if self._own.pop(destination_id, None) is None:
            raise _unknown()
        self.keys.forget(destination_id)
        self._save()

    def _save(self) -> None:
        if self.trouble is not None:
            if self._file.exists():
                self._file.replace(self._file.with_name(f"{FILE}.damaged-{secrets.token_hex(4)}"))
            self.trouble = None
        own = [_to_data(each) for each in self._own.values()]
        text = json.dumps({"version": 1, "models": self._models, "own": own}, indent=1, ensure_ascii=False)
        replace_file(self._file, text.encode())

    def _load(self) -> None:
        with self._file.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        found = json.loads(data) if len(data) <= _MAX_FILE else None
        if not isinstance(found, dict) or found.get("version") != 1 or found.keys() != {"version", "models", "own"}:
            raise ValueError("not the format")
        if not isinstance(found["models"], dict) or not isinstance(found["own"], list) or len(found["own"]) > _MAX_OWN:
            raise ValueError("not the format")
        models = {str(key): _model(value, local=False) for key, value in found["models"].items()}
        own = [_from_data(each) for each in found["own"]]
        self._models = models
        self._own = {each.id: each for each in own}


def _new_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def _local(destination_id: str, label: str, base_url: str, model: str) -> Destination:
    origin, path, local = base_address(base_url)
    if not local:
        raise DestinationError("That server is not on this computer.", "Its address names another one.", "Add it as a server elsewhere.")
    model = _model(model, local=True)
    return Destination(
        destination_id, _name(label), THIS_COMPUTER, origin, path + _ENDPOINT, model, "openai-compatible", "local-server", False, True
    )


def _custom(destination_id: str, label: str, company: str, base_url: str, model: str, needs_key: bool) -> Destination:
    origin, path, local = base_address(base_url)
    if local:
        raise DestinationError("That server is on this computer.", "Its address says so.", "Add it as a server on this computer.")
    label, company, model = _name(label), _name(company), _model(model, local=False)
    return Destination(destination_id, label, company, origin, path + _ENDPOINT, model, "openai-compatible", "unknown", needs_key, False)


def _to_data(destination: Destination) -> dict[str, Any]:
    data = {"id": destination.id, "label": destination.label, "model": destination.model, "local": destination.local}
    data["base_url"] = destination.origin + destination.path.removesuffix(_ENDPOINT)
    if not destination.local:
        data |= {"company": destination.company, "needs_key": destination.needs_key}
    return data


def _from_data(data: object) -> Destination:
    if not isinstance(data, dict) or not isinstance(data.get("id"), str) or not data["id"].startswith(("local-", "own-")):
        raise ValueError("not a destination")
    local = data.get("local") is True
    names = ["label", "model", "base_url"] if local else ["label", "company", "model", "base_url"]
    if any(not isinstance(data.get(name), str) for name in names):
        raise ValueError("not a destination")
    if local:
        return _local(data["id"], data["label"], data["base_url"], data["model"])
    return _custom(data["id"], data["label"], data["company"], data["base_url"], data["model"], data.get("needs_key") is not False)


def _name(text: str) -> str:
    text = " ".join(text.split())
    if not 0 < len(text) <= 60 or not text.isprintable():
        raise DestinationError("That name cannot be used.", "A name has 1 to 60 characters that can be shown.", "Choose another one.")
    return text


def _model(model: object, *, local: bool) -> str:
    """A model's name as servers take it. Raises DestinationError."""
    if not isinstance(model, str) or len(model) > 200 or not model.isascii() or not model.isprintable() or " " in model:
        raise DestinationError(
            "That model cannot be used.", "Its name has characters that no model has.", "Copy it from the server's list."
        )
    # Ollama hands such models on to its own servers although the address is this computer's: docs.ollama.com/cloud.
    if local and (model.endswith("-cloud") or model.endswith(":cloud")):
        raise DestinationError(
            "That model is not on this computer.", "Ollama would hand what you send on to ollama.com.", "Choose a model that runs here."
        )
    return model


def _unknown() -> DestinationError:
    return DestinationError("There is no such destination.", "It was removed, or never added.", "Choose one from the list.")
