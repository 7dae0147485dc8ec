"""What is asked of servers besides questions about pictures, and what their replies come to: models, keys, and where a model runs."""

from __future__ import annotations

from dataclasses import dataclass

from app.assistants import faults
from app.assistants.listing import Model, cloud_off, read_models
from app.sharing.built_in import key_path, models_path
from app.sharing.errands import Errands, Reply
from app.sharing.errors import DestinationError, TermsForbid
from app.sharing.types import Destination, KeyReport, ModelList

STATUS_PATH = "/api/status"
ZERO_RETENTION = "xai-api-zdr"
"""The card of the destination that is chosen because nothing is kept there."""


@dataclass(frozen=True, slots=True)
class Locality:
    """Whether what is sent stays on this computer, as far as that can be found out, in words. `cloud_off` is Ollama's own word."""

    local: bool
    text: str
    cloud_off: bool | None = None


async def models(errands: Errands, destination: Destination) -> ModelList:
    """The models of a server. Raises DestinationError, and what `Errands.ask` raises."""
    reply = await errands.ask(destination, models_path(destination))
    if reply.status >= 400:
        raise DestinationError(f"{destination.label} did not tell its models.", _words(reply), "Check the key in the settings.")
    found = read_models(destination.wire, reply.body)
    if found is None:
        raise DestinationError(
            f"{destination.label} did not tell its models.", "Its answer is no list of models.", "Enter the model's name yourself."
        )
    return ModelList(found, reply.receipt)


async def check_key(errands: Errands, destination: Destination) -> KeyReport:
    """Whether the server takes the key. Raises what `Errands.ask` raises."""
    reply = await errands.ask(destination, key_path(destination))
    if reply.status < 400:
        said = f"{destination.label} accepts the key." if destination.needs_key else f"{destination.label} answers."
        return KeyReport(True, f"{said} {_kept(reply)}" if destination.card_id == ZERO_RETENTION else said, reply.receipt)
    # Google answers 400 to a key that it does not know.
    refused = reply.status in (401, 403) or (destination.wire == "gemini" and reply.status == 400)
    text = f"{destination.label} does not accept the key." if refused else f"It is not known whether the key is good. {_words(reply)}"
    return KeyReport(False if refused else None, text, reply.receipt)


def _kept(reply: Reply) -> str:
    said = {"true": "It says that zero retention is on.", "false": "But it says that zero retention is not on, so nothing is sent with it."}
    return said.get(reply.zero_retention, "Whether zero retention is on it does not say.")


async def prove_nothing_is_kept(errands: Errands, destination: Destination) -> None:
    """Raise TermsForbid when a server that was chosen for zero retention says that it is not on. Nothing to prove for any other.

    xAI says so in a header of every answer (docs.x.ai, FAQ on security). One that says nothing is taken at the person's word.
    """
    if destination.card_id == ZERO_RETENTION and (await errands.ask(destination, models_path(destination))).zero_retention == "false":
        raise TermsForbid(
            f"Nothing may be sent to {destination.label}.",
            "The server says that zero retention is not on for this key, and without it the terms forbid pictures of people.",
            "Switch it on in xAI's console, or use the destination without zero retention.",
        )


def _words(reply: Reply) -> str:
    return faults.words(reply.status, "", "The server answered with an error.")


async def prove_local(errands: Errands, destination: Destination) -> None:
    """Raise DestinationError unless Ollama says that the chosen model lies on this computer. Nothing to prove for any other server."""
    if destination.wire != "ollama":
        return
    found = (await models(errands, destination)).models
    model = next((each for each in found if _full(each.id) == _full(destination.model)), None)
    if model is None:
        raise DestinationError(
            "That model is not on this computer.", f"Ollama has no model “{destination.model}”.", "Choose one of its list, or get it first."
        )
    if model.elsewhere:
        raise DestinationError(
            "That model is not on this computer.",
            "Ollama would hand what you send on to another computer.",
            "Choose a model that runs here.",
        )


def _full(model: str) -> str:
    """The name with the tag that Ollama takes it to have (docs/api.md, “Model names”)."""
    return model.lower() if ":" in model.rpartition("/")[2] else f"{model.lower()}:latest"


async def locality(errands: Errands, destination: Destination) -> Locality:
    """Where what is sent to `destination` stays. Raises what `prove_local` raises but its own refusal."""
    if not destination.local:
        return Locality(False, f"It leaves this computer and goes to {destination.company}.")
    if destination.card_id == "lm-studio":
        said = "It stays on this computer, or goes to another of yours that you linked in LM Studio; which one cannot be seen from here."
        return Locality(True, said)
    if destination.wire != "ollama":
        return Locality(True, "Eyelid connects to this computer only; what your server does next is its own affair.")
    try:
        await prove_local(errands, destination)
    except DestinationError as error:
        return Locality(False, str(error))
    reply = await errands.ask(destination, STATUS_PATH)
    off = cloud_off(reply.body) if reply.status < 400 else None
    more = (
        " Ollama's cloud is switched off."
        if off
        else " Ollama's cloud is not known to be off, but this model is asked for by name as a local one."
    )
    return Locality(True, "The model lies on this computer." + more, off)


def choices(found: ModelList, *, local: bool) -> tuple[Model, ...]:
    """The models worth showing: those that take pictures, or do not say; of a server on this computer, only what runs here."""
    return tuple(each for each in found.models if each.pictures is not False and not (local and each.elsewhere))
