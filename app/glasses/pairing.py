"""Pairing, step by step, without any screen: what is shown, what may be answered, and what follows. Used by window and terminal alike.

`step` is the whole of it as a pure function of a state and an event; `app.glasses.pairing_flow` carries its effects out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from app.errors import Explanation
from app.glasses.types import FoundGlasses, KnownGlasses
from ble.errors import GlassesError, NotGlasses, PairingNeeded, RadioUnavailable

MOST_FOUND = 64
"""Glasses listed at once: whoever fills the air with made-up ones fills no memory."""


class Stage(enum.Enum):
    """Where pairing stands; each is one screen, or one question at the terminal."""

    LOOKING = "looking"
    CAUTIONS = "cautions"
    CONNECTING = "connecting"
    SECURING = "securing"
    READY = "ready"
    FAILED = "failed"
    CLOSED = "closed"


class Remedy(enum.Enum):
    """The one thing that `Again` does after a failure."""

    SEARCH = "search again"
    RETRY = "try these again"
    OTHERS = "choose others"


@dataclass(frozen=True, slots=True)
class PairingState:
    """All that is to be shown. `found` in the order heard; `searching` while more may come.

    `code` is there while a person is asked whether the glasses show the same six digits, or speak the same four characters (`is_spoken`).
    `failure` says what, why, and the action that `remedy` stands for; while looking, it says why nothing was found. `namesake`: the chosen
    ones are called like a pair that is paired already, but they are others.
    """

    stage: Stage = Stage.LOOKING
    found: tuple[FoundGlasses, ...] = ()
    searching: bool = False
    chosen: FoundGlasses | None = None
    cautions: tuple[str, ...] = ()
    namesake: bool = False
    code: str = ""
    failure: Explanation | None = None
    remedy: Remedy = Remedy.SEARCH
    paired: KnownGlasses | None = None

    @property
    def is_spoken(self) -> bool:
        """Whether `code` is one that the glasses speak."""
        return bool(self.code) and self.chosen is not None and self.chosen.code == self.code


# -- what can happen ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The person wants to pair."""


@dataclass(frozen=True, slots=True)
class Heard:
    found: FoundGlasses


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """`why` nothing was heard, or nothing can listen."""

    why: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """The person wants these; `known`: what is paired already, `cautions`: what is to be known of such glasses."""

    address: str
    cautions: tuple[str, ...] = ()
    known: tuple[KnownGlasses, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Agree:
    """The person has read the cautions."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The link is up."""


@dataclass(frozen=True, slots=True)
class CodeShown:
    code: str


@dataclass(frozen=True, slots=True)
class CodeAnswered:
    same: bool


@dataclass(frozen=True, slots=True)
class Paired:
    known: KnownGlasses


@dataclass(frozen=True, slots=True)
class Failed:
    why: Explanation
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class Again:
    """The one action after a failure, or another search."""


@dataclass(frozen=True, slots=True)
class Back:
    """One screen back, whatever is under way."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Leave."""


Event = Begin | Heard | SearchEnded | Choose | Agree | Linked | CodeShown | CodeAnswered | Paired | Failed | Again | Back | Cancel


class Effect(enum.Enum):
    """What is to be done: at most one of search and pairing is under way, so that beginning either ends the other."""

    SEARCH = "search"
    PAIR = "pair"
    STOP = "end what is under way"
    SAME = "tell that the codes are the same"
    DIFFERENT = "tell that they are not"


Outcome = tuple[PairingState, Effect | None]

_BUSY = frozenset({Stage.CONNECTING, Stage.SECURING})


def step(state: PairingState, event: Event) -> Outcome:
    """Where `event` leads from `state`, and what is to be done. An event that means nothing there (it came too late) changes nothing."""
    return _RULES[type(event)](state, event)


def _begin(state: PairingState, _: Begin) -> Outcome:
    fresh = state.stage is Stage.LOOKING and not state.searching
    return _search(state) if fresh else (state, None)


def _search(state: PairingState) -> Outcome:
    return PairingState(searching=True), Effect.SEARCH


def _heard(state: PairingState, event: Heard) -> Outcome:
    if state.stage is not Stage.LOOKING or not state.searching:
        return state, None
    found = {each.address: each for each in state.found}
    if event.found.address in found or len(found) < MOST_FOUND:
        found[event.found.address] = event.found
    return replace(state, found=tuple(found.values()), failure=None), None


def _search_ended(state: PairingState, event: SearchEnded) -> Outcome:
    if state.stage is not Stage.LOOKING:
        return state, None
    return replace(state, searching=False, failure=None if state.found else event.why, remedy=Remedy.SEARCH), None


def _choose(state: PairingState, event: Choose) -> Outcome:
    chosen = next((found for found in state.found if found.address == event.address), None)
    if state.stage is not Stage.LOOKING or chosen is None:
        return state, None
    namesake = is_namesake(chosen, event.known)
    cautions = (*((_namesake(chosen),) if namesake else ()), *event.cautions)
    kept = PairingState(found=state.found, chosen=chosen, namesake=namesake, cautions=cautions)
    if not chosen.pairable and not chosen.known:
        return replace(kept, stage=Stage.FAILED, failure=_NOT_PAIRABLE, remedy=Remedy.SEARCH), Effect.STOP
    if cautions and not chosen.known:
        return replace(kept, stage=Stage.CAUTIONS), Effect.STOP
    return replace(kept, stage=Stage.CONNECTING), Effect.PAIR


def _agree(state: PairingState, _: Agree) -> Outcome:
    return (replace(state, stage=Stage.CONNECTING), Effect.PAIR) if state.stage is Stage.CAUTIONS else (state, None)


def _linked(state: PairingState, _: Linked) -> Outcome:
    return (replace(state, stage=Stage.SECURING), None) if state.stage is Stage.CONNECTING else (state, None)


def _code_shown(state: PairingState, event: CodeShown) -> Outcome:
    if state.stage in _BUSY:
        return replace(state, stage=Stage.SECURING, code=event.code), None
    return state, Effect.DIFFERENT


def _code_answered(state: PairingState, event: CodeAnswered) -> Outcome:
    if not state.code:
        return state, None
    return replace(state, code=""), Effect.SAME if event.same else Effect.DIFFERENT


def _paired(state: PairingState, event: Paired) -> Outcome:
    return (replace(state, stage=Stage.READY, code="", paired=event.known), None) if state.stage in _BUSY else (state, None)


def _failed(state: PairingState, event: Failed) -> Outcome:
    if state.stage not in _BUSY:
        return state, None
    return replace(state, stage=Stage.FAILED, code="", failure=event.why, remedy=event.remedy), None


def _again(state: PairingState, _: Again) -> Outcome:
    if state.stage is Stage.FAILED and state.remedy is Remedy.RETRY:
        return replace(state, stage=Stage.CONNECTING, failure=None), Effect.PAIR
    return _search(state) if state.stage in (Stage.FAILED, Stage.LOOKING) and not state.searching else (state, None)


def _back(state: PairingState, _: Back) -> Outcome:
    if state.stage is Stage.LOOKING:
        return _cancel(state, Cancel())
    if state.stage in (Stage.READY, Stage.CLOSED):
        return state, None
    return _search(state)


def _cancel(state: PairingState, _: Cancel) -> Outcome:
    if state.stage is Stage.CLOSED:
        return state, None
    return PairingState(stage=Stage.CLOSED, paired=state.paired), Effect.STOP


_RULES: Mapping[type, Callable[[PairingState, Any], Outcome]] = MappingProxyType(
    {
        Begin: _begin,
        Heard: _heard,
        SearchEnded: _search_ended,
        Choose: _choose,
        Agree: _agree,
        Linked: _linked,
        CodeShown: _code_shown,
        CodeAnswered: _code_answered,
        Paired: _paired,
        Failed: _failed,
        Again: _again,
        Back: _back,
        Cancel: _cancel,
    }
)


# -- judgements ---------------------------------------------------------------------------------------------------------------------


def is_namesake(found: FoundGlasses, known: Iterable[KnownGlasses]) -> bool:
    """Whether `found` is called like a pair that is paired, but is another. Names are anybody's to choose; the address is the identity."""
    pairs = tuple(known)
    if any(pair.address.upper() == found.address.upper() for pair in pairs):
        return False
    name = found.name.strip().casefold()
    return bool(name) and any(pair.name.strip().casefold() == name for pair in pairs)


def _namesake(found: FoundGlasses) -> str:
    return (
        f"You have paired glasses called “{found.name}” already, and these are others: their address differs. "
        "Pair them only if you know whose they are; they are kept as a pair of their own."
    )


def remedy_for(error: BaseException) -> Remedy:
    """What the one action after `error` is."""
    if isinstance(error, NotGlasses):
        return Remedy.OTHERS
    if isinstance(error, RadioUnavailable):
        return Remedy.SEARCH
    return Remedy.RETRY if isinstance(error, GlassesError | PairingNeeded) else Remedy.SEARCH


CODES_DIFFER = Explanation(
    "The glasses were not paired.",
    "You said that they show another code. Somebody may be between them and this computer.",
    "Try again where nobody else is near.",
)
OTHERS_SPEAK = Explanation(
    "The glasses were not paired.",
    "You said that yours speak another code, so these are somebody else's.",
    "Choose the ones that speak what you hear.",
)
_NOT_PAIRABLE = Explanation(
    "These glasses take no new computer now.",
    "They say that they are not in pairing mode.",
    "Switch their pairing mode on, as their maker's guide says, and search again.",
)
