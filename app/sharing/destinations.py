"""The places a parcel can go to: those built in, and those the person added. Kept as a small file without any key.

Owns `destinations.json` in the profile. The mirror is not kept: where it listens is known only once the courier runs.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import EyelidError
from app.files import replace_file
from app.sharing.addresses import base_address
from app.sharing.built_in import BUILT_IN, CHAT, GEMINI_PATH, LOCAL_KINDS, THIS_COMPUTER
from app.sharing.errors import DestinationError
from app.sharing.keys import KeyringKeys, KeyStore
from app.sharing.types import Destination

__all__ = ["BUILT_IN", "FILE", "MIRROR", "MIRROR_COMPANY", "THIS_COMPUTER", "DestinationBook", "mirror_destination"]

FILE = "destinations.json"
MIRROR = "mirror"
MIRROR_COMPANY = "Mirror (this computer, no AI)"
_MAX_FILE = 256 * 1024
_MAX_OWN = 50
_GEMINI_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def mirror_destination(origin: str, path: str) -> Destination:
    """The mirror, where the courier says it listens."""
    return Destination(MIRROR, "Mirror", MIRROR_COMPANY, origin, path, "mirror", "mirror", "mirror", False, True)


class DestinationBook:
    """Built-in and own destinations. Changing calls write the file durably; `keys` holds what must not be in it."""

    def __init__(self, folder: Path, keys: KeyStore | None = None) -> None:
        """`trouble` afterwards says why the file could not be read; it is then kept aside when the book is next written."""
        self._file = folder / FILE
        self.keys = keys if keys is not None else KeyringKeys()
        self._own: dict[str, Destination] = {}
        self._models: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
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
        built_in = (_asking(each, self._models.get(each.id, each.model)) for each in BUILT_IN)
        return (*built_in, *self._own.values())

    def get(self, destination_id: str) -> Destination | None:
        return next((each for each in self.all() if each.id == destination_id), None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change, on the thread that makes it."""
        self._listeners.append(listener)

    def add_local(self, label: str, base_url: str, model: str, kind: str = "local-server") -> Destination:
        """Add a server on this computer; `kind` is one of `LOCAL_KINDS`. Raises DestinationError."""
        return self._add(_local(_new_id("local"), label, base_url, model, kind))

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
        if found.wire == "gemini":
            model = _gemini_model(model)
        if destination_id in self._own:
            self._own[destination_id] = replace(found, model=model)
        else:
            self._models[destination_id] = model
        self._save()
        return _asking(found, model)

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
        for listener in self._listeners:
            listener()

    def _load(self) -> None:
        with self._file.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        found = json.loads(data) if len(data) <= _MAX_FILE else None
        if not isinstance(found, dict) or found.get("version") != 1 or found.keys() != {"version", "models", "own"}:
            raise ValueError("not the format")
        if not isinstance(found["models"], dict) or not isinstance(found["own"], list) or len(found["own"]) > _MAX_OWN:
            raise ValueError("not the format")
        models = {str(key): _kept_model(str(key), value) for key, value in found["models"].items()}
        own = [_from_data(each) for each in found["own"]]
        self._models = models
        self._own = {each.id: each for each in own}


def _new_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def _asking(destination: Destination, model: str) -> Destination:
    """`destination` with its model, which for Gemini is a part of the address."""
    path = GEMINI_PATH.replace("{model}", model) if destination.wire == "gemini" else destination.path
    return replace(destination, model=model, path=path)


def _kept_model(destination_id: str, model: object) -> str:
    found = next((each for each in BUILT_IN if each.id == destination_id), None)
    name = _model(model, local=found is not None and found.local)
    return _gemini_model(name) if found is not None and found.wire == "gemini" else name


def _local(destination_id: str, label: str, base_url: str, model: str, kind: str = "local-server") -> Destination:
    known = LOCAL_KINDS.get(kind)
    if known is None:
        raise DestinationError("That kind of server is not known.", "", f"Choose one of: {', '.join(LOCAL_KINDS)}.")
    origin, path, local = base_address(base_url)
    if not local:
        raise DestinationError("That server is not on this computer.", "Its address names another one.", "Add it as a server elsewhere.")
    model = _model(model, local=True)
    path = path.removesuffix("/v1").removesuffix("/api") if kind == "ollama" else path
    return Destination(
        destination_id, _name(label), known.company, origin, path + known.endpoint, model, known.wire, known.card_id, False, True
    )


def _custom(destination_id: str, label: str, company: str, base_url: str, model: str, needs_key: bool) -> Destination:
    origin, path, local = base_address(base_url)
    if local:
        raise DestinationError("That server is on this computer.", "Its address says so.", "Add it as a server on this computer.")
    label, company, model = _name(label), _name(company), _model(model, local=False)
    return Destination(destination_id, label, company, origin, path + CHAT, model, "openai-compatible", "unknown", needs_key, False)


def _to_data(destination: Destination) -> dict[str, Any]:
    data = {"id": destination.id, "label": destination.label, "model": destination.model, "local": destination.local}
    endpoint = LOCAL_KINDS[destination.card_id].endpoint if destination.local else CHAT
    data["base_url"] = destination.origin + destination.path.removesuffix(endpoint)
    if destination.local:
        data["kind"] = destination.card_id
    else:
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
        return _local(data["id"], data["label"], data["base_url"], data["model"], str(data.get("kind", "local-server")))
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
    if local:
        model = model.removesuffix(":local")
        if model.lower().endswith(("-cloud", ":cloud")):
            raise DestinationError(
                "That model is not on this computer.", "Ollama would hand what you send on to ollama.com.", "Choose a model that runs here."
            )
    return model


def _gemini_model(model: str) -> str:
    """The name as it stands in an address. Raises DestinationError."""
    model = model.removeprefix("models/")
    if model and not _GEMINI_MODEL.fullmatch(model):
        raise DestinationError(
            "That model cannot be used.", "Its name has characters that no model has.", "Copy it from the server's list."
        )
    return model


def _unknown() -> DestinationError:
    return DestinationError("There is no such destination.", "It was removed, or never added.", "Choose one from the list.")
