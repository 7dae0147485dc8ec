"""The twenty rules of the moment before sending, as far as the core and the terminal can prove them; the window's part is in
tests/ui/test_rules_*_ui.py. Each test is named after its rule.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.assistants import wire
from app.cli import approval as cli
from app.cli.terminal import Exit, NeedsTerminal
from app.errors import EyelidError
from app.media.look.boxes import Box
from app.media.look.cover import Edit
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.sharing.cards import CardBook
from app.sharing.compare import CLASS_WORDS
from app.sharing.errors import GateClosed, TermsForbid
from app.sharing.grants import MOST_ITEMS, MOST_MINUTES, GrantRefused, GrantSpan, GrantWish
from app.sharing.live_types import MOST_FRAMES, LiveDraft
from app.sharing.live_types import MOST_MINUTES as LIVE_MINUTES
from app.sharing.types import Draft, Ended, Outcome, PictureChoice, PolicyClass, Sending
from tests.sharing.steps import Person, receipt_of

TALK = GrantWish(GrantSpan.CONVERSATION)
SHIPPED = CardBook(clock=lambda: date(2026, 11, 23))
AFAR = [card_id for card_id in SHIPPED.ids() if SHIPPED.card(card_id).policy_class in (PolicyClass.TRAINS, PolicyClass.KEPT)]


def trains(room: Any) -> str:
    """A destination whose terms nobody read."""
    place = room.book.add_custom("A", "Somebody", "https://ai.example/v1", "m")
    room.book.keys.set(place.id, "sk-1")
    return str(place.id)


def kept(room: Any) -> str:
    room.book.set_model("openrouter", "m")
    room.book.keys.set("openrouter", "sk-1")
    return "openrouter"


# -- 1: no, everywhere

EXITS: dict[str, Callable[[Any], Any]] = {
    "timeout": lambda room: room.clock.pass_(minutes=5),
    "lock": lambda room: room.lock(),
    "quit": lambda room: room.desk.close(),
    "ai off": lambda room: setattr(room.desk, "ai_off", True),
    "changed terms": lambda room: (room.cards / "mirror.toml").write_bytes(b"id = 5"),
}


@pytest.mark.parametrize("way", EXITS)
@pytest.mark.parametrize("moment", ["before the yes", "after the yes"])
async def test_rule_01_deny_by_default_everywhere(room: Any, way: str, moment: str) -> None:
    """Nothing is sent unless a person says so, and whatever happens before the first byte means no."""
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal) if moment == "after the yes" else None
    done = EXITS[way](room)
    if asyncio.iscoroutine(done):
        await done
    if way == "changed terms" and approval is None:
        approval = await room.desk.approve(proposal)
    if approval is not None:
        with pytest.raises(EyelidError):
            async for _ in room.desk.send(proposal, approval):
                pass
    elif way != "timeout":
        with pytest.raises(EyelidError):
            await room.desk.approve(proposal)
    assert room.courier.orders == []


async def test_rule_01_what_was_not_answered_at_the_end_was_a_no(room: Any) -> None:
    room.desk.live.source = Glasses()
    await room.proposal()
    await room.desk.live.prepare(LiveDraft("G", "q", room.local.id))
    await room.desk.close()
    lines = await room.desk.receipts()
    assert [(line.outcome, line.detail) for line in lines] == [(Outcome.REFUSED, "Eyelid ended before it was answered")] * 2


async def test_rule_01_an_unknown_policy_counts_as_the_worst(room: Any) -> None:
    (room.cards / "openrouter.toml").unlink()
    assert room.desk.card(kept(room)).may_train


# -- 4 and 5: what leaves, and three facts


async def test_rule_04_show_exactly_what_leaves(room: Any) -> None:
    """What is shown is read back from the very bytes that go, and says who gets them, how large they are, and what was taken out."""
    proposal = await room.proposal(kept(room))
    receipt = await receipt_of(room, proposal)
    (order,) = room.courier.orders
    back = wire("openrouter").read_back(order.body)
    assert back.pictures == tuple(picture.jpeg for picture in proposal.pictures)
    assert (back.question, back.earlier, len(order.body)) == (proposal.question, proposal.earlier, proposal.size)
    assert "location" in proposal.pictures[0].removed
    place = proposal.parcel.destination
    assert (place.company, place.model, order.origin) == (receipt.company, receipt.model, place.origin)


@pytest.mark.parametrize("card_id", SHIPPED.ids())
def test_rule_05_three_facts_of_one_line_each(card_id: str) -> None:
    card = SHIPPED.card(card_id)
    for fact in (card.trains, card.retention, card.people):
        assert 0 < len(fact.text) <= 160
        assert "\n" not in fact.text
        assert fact.source
    assert card.policy_class in CLASS_WORDS, "a word beside the colour"
    assert card.read_on <= date(2026, 11, 23)


# -- the terminal


async def at_terminal(room: Any, place: str, answer: str | None, *, yes: bool = False) -> tuple[Exit, Person]:
    person = Person(*(() if answer is None else (answer,)))
    services: Any = SimpleNamespace(sharing=room.desk)
    return await cli.ask_and_answer(services, room.draft(place), person, yes=yes), person


@pytest.mark.parametrize("answer", ["", "n", "no", "y", "yes", "SENDING", "s"])
async def test_rule_13_more_friction_where_it_may_train(room: Any, answer: str) -> None:
    """There a whole word has to be typed, where it may be used to train; a quick yes is not enough."""
    found, person = await at_terminal(room, trains(room), answer)
    assert (found, room.courier.orders) == (Exit.KEPT_PRIVATE, [])
    assert "Type “send”" in person.asked[-1]


async def test_rule_13_less_where_it_may_not(room: Any) -> None:
    assert (await at_terminal(room, kept(room), "y"))[0] is Exit.DONE
    assert (await at_terminal(room, trains(room), "send"))[0] is Exit.DONE
    assert (await at_terminal(room, "mirror", None, yes=True))[0] is Exit.DONE, "one act for what stays here"


async def test_rule_06_warning_text_at_the_terminal(room: Any) -> None:
    _, person = await at_terminal(room, trains(room), "")
    text = " ".join(person.said).lower()
    assert "may be used to train" in text
    assert "cannot be recalled once sent" in text


async def test_rule_18_bystanders_at_the_terminal(room: Any) -> None:
    _, person = await at_terminal(room, kept(room), "")
    assert "have not been asked" in " ".join(person.said)
    _, person = await at_terminal(room, "mirror", "")
    assert "have not been asked" not in " ".join(person.said), "where nothing leaves, it would only wear people out"


async def test_rule_03_verbs_and_the_recipient_at_the_terminal(room: Any) -> None:
    _, person = await at_terminal(room, kept(room), "")
    assert person.asked[-1].startswith("Send 1 picture to OpenRouter")


async def test_rule_11_nobody_there_means_no(room: Any) -> None:
    with pytest.raises(NeedsTerminal):
        await at_terminal(room, kept(room), None)
    assert room.courier.orders == []
    assert [line.outcome for line in await room.desk.receipts()] == [Outcome.REFUSED]


# -- 7: taking away and covering


async def test_rule_07_what_is_taken_away_makes_another_parcel(room: Any, tools: Any) -> None:
    """Another body, another digest, another preview; the yes to the first is worth nothing for the second."""
    other = room.vault.add(tools.photo(10), tools.new_item()).id
    both = await room.desk.prepare(room.draft(items=(room.item, other)))
    approval = await room.desk.approve(both)
    edit = Edit((Box(8, 8, 40, 40),))
    less = await room.desk.prepare(room.draft(items=(room.item,), pictures=(PictureChoice(room.item, None, edit),)), both)
    assert (len(less.pictures), len(less.pictures[0].covered)) == (1, 1)
    assert less.parcel.sha256 != both.parcel.sha256
    assert less.parcel.sha256 == hashlib.sha256(less.parcel.body).hexdigest()
    assert less.pictures[0].jpeg != both.pictures[0].jpeg
    with pytest.raises(GateClosed):
        async for _ in room.desk.send(less, approval):
            pass
    assert room.courier.orders == []


# -- 8 and 9: remembering


async def test_rule_08_no_remember_where_it_may_train(room: Any) -> None:
    """Nothing to choose but this once, and what is asked for all the same is not given."""
    place = trains(room)
    proposal = await room.proposal(place)
    assert room.desk.grant_offer(proposal).spans == (GrantSpan.ONCE,)
    for span in (GrantSpan.CONVERSATION, GrantSpan.UNTIL_OFF):
        with pytest.raises(GrantRefused):
            await room.desk.approve(proposal, GrantWish(span))
    room.clock.pass_(days=400)
    old = await room.proposal(kept(room))
    assert old.parcel.card.expired
    assert room.desk.grant_offer(old).spans == (GrantSpan.ONCE,)
    assert room.desk.grants() == ()


async def test_rule_08_once_is_the_default(room: Any) -> None:
    await receipt_of(room, await room.proposal(kept(room)))
    assert room.desk.grants() == ()
    assert room.desk.grant_for(await room.proposal(kept(room))) is None


async def test_rule_09_grants_are_short_narrow_and_void_on_change(room: Any) -> None:
    assert (MOST_MINUTES, MOST_ITEMS) == (15, 20)
    place = kept(room)
    await receipt_of(room, await room.proposal(place), GrantWish(GrantSpan.CONVERSATION, 15, 1))
    (grant,) = room.desk.grants()
    assert grant.ends_at == grant.given_at + timedelta(minutes=15)
    assert room.desk.grant_for(await room.proposal(room.local.id)) is None, "one provider"
    with pytest.raises(GrantRefused):
        await room.desk.approve(await room.proposal(place), GrantWish(GrantSpan.UNTIL_OFF))
    room.book.set_model(place, "another")
    assert room.desk.grants() == ()
    await receipt_of(room, await room.proposal(room.local.id), GrantWish(GrantSpan.UNTIL_OFF))
    await room.lock()
    await room.unlock()
    assert room.desk.grants() == (), "even what stays here is asked for again after a lock"


# -- 12: live


class Glasses:
    """Glasses that wait to be told."""

    def __init__(self) -> None:
        self.asked = 0

    def check(self, glasses: str) -> None: ...

    async def frames(self, glasses: str, every: int) -> Any:
        self.asked += 1
        await asyncio.get_running_loop().create_future()
        yield


async def test_rule_12_live_is_no_batch_of_photos(room: Any) -> None:
    """No stream without a ceiling said yes to first, a counter, and a hard stop."""
    assert (MOST_FRAMES, LIVE_MINUTES) == (300, 10)
    room.desk.live.source = glasses = Glasses()
    draft = LiveDraft("G", "q", room.local.id, frames=5, minutes=1)
    proposal = await room.desk.live.prepare(draft)
    assert proposal.most_bytes == 5 * proposal.frame_bytes
    assert glasses.asked == 0, "nothing is taken before the yes"
    view = await room.desk.live.start(proposal)
    assert (view.frames, view.most_frames, view.bytes_sent) == (0, 5, 0)
    await room.desk.live.stop()
    assert not room.desk.live.running
    with pytest.raises(GateClosed):
        await room.desk.live.start(proposal)


# -- 14: refused outright


class SeesFaces:
    async def warm(self) -> None: ...
    async def drop(self) -> None: ...

    async def look(self, data: bytes, media_type: str, orientation: int, parts: Any = frozenset(), told: Any = None) -> Findings:
        return Findings(64, 48, (Region(Kind.FACE, Box(1, 1, 9, 9), 0.9),), (Check(Part.FACES, True),))


@pytest.mark.parametrize("place", ["gemini-unpaid", "meta-unpaid", "xai"])
async def test_rule_14_refuse_where_terms_forbid_people(room: Any, place: str) -> None:
    room.book.set_model(place, "m")
    room.book.keys.set(place, "k")
    room.desk.region = "US"
    with pytest.raises(TermsForbid, match="another destination, or the mirror"):
        await room.proposal(place)
    room.desk.looking._looker = SeesFaces()
    with pytest.raises(TermsForbid):
        await room.desk.prepare(Draft((room.item,), "q", place, no_people=True))


async def test_rule_14_refuse_models_that_terms_shut_out(room: Any) -> None:
    room.book.set_model("mistral", "labs-leanstral")
    room.book.keys.set("mistral", "k")
    with pytest.raises(TermsForbid, match="labs and preview"):
        await room.proposal("mistral")


# -- 15: a receipt for every attempt


async def test_rule_15_a_receipt_for_every_attempt(room: Any) -> None:
    """Refused, turned away, failed, stopped, answered: each has its line, with everything that identifies it, and no picture and no key."""
    place = kept(room)
    await room.desk.refuse(await room.proposal(place))
    late = await room.proposal(place)
    approval = await room.desk.approve(late)
    room.clock.pass_(minutes=5)
    with pytest.raises(GateClosed):
        async for _ in room.desk.send(late, approval):
            pass
    room.courier.status = 500
    await receipt_of(room, await room.proposal(place))
    room.courier.status = 200
    last = await receipt_of(room, await room.proposal(place), TALK)
    lines = await room.desk.receipts()
    ends = [line.outcome for line in lines if line.outcome is not Outcome.INTENDED]
    assert ends == [Outcome.REFUSED, Outcome.NOT_SENT, Outcome.FAILED, Outcome.ANSWERED]
    for line in lines:
        assert line.items == (room.item,)
        assert re.fullmatch("[0-9a-f]{64}", line.body_sha256)
        assert (line.origin, line.model, line.policy_card) == ("https://openrouter.ai", "m", "openrouter")
        assert line.policy_version == room.desk.card(place).version
        assert line.policy_class is PolicyClass.KEPT
    assert (last.http_status, last.bytes_sent) == (200, last.body_size)
    book = await room.desk.export_receipts()
    assert b"sk-1" not in book
    assert b"What is this?" not in book


# -- 16: taking back


async def test_rule_16_taking_back_is_as_easy_as_giving(room: Any) -> None:
    """One call gives, one takes back; one switch stops everything; and it is said what cannot be taken back."""
    place = kept(room)
    receipt = await receipt_of(room, await room.proposal(place), TALK)
    (grant,) = room.desk.grants()
    await room.desk.revoke(grant.id)
    assert room.desk.grants() == ()
    await receipt_of(room, await room.proposal(place), TALK)
    room.desk.ai_off = True
    assert room.desk.grants() == ()
    with pytest.raises(GateClosed):
        await room.proposal()
    text = room.desk.deletion(receipt)
    assert "it recalls nothing" in text
    assert room.desk.card(place).deletion.source in text


# -- 17: honest status


async def test_rule_17_bytes_are_told_while_they_move_and_after_a_stop(room: Any) -> None:
    proposal = await room.proposal(kept(room))
    approval = await room.desk.approve(proposal)
    room.courier.hold, room.courier.sent = asyncio.Event(), 100
    seen = []
    async for event in room.desk.send(proposal, approval):
        seen.append(event)
        if isinstance(event, Sending):
            await room.desk.cancel(proposal.parcel.id)
    assert seen[0] == Sending(100, proposal.size)
    assert isinstance(seen[-1], Ended)
    assert seen[-1].receipt.bytes_sent == 100
    assert f"100 of {proposal.size} bytes had left" in seen[-1].receipt.detail


# -- 19: everything works without any assistant


async def test_rule_19_everything_works_without_any_assistant(room: Any, tools: Any) -> None:
    room.desk.ai_off = True
    item = room.vault.add(tools.photo(), tools.new_item()).id
    assert room.vault.read(item)
    assert await room.desk.receipts() == ()
    assert room.desk.cards()
    assert room.desk.destinations()
    room.desk.ai_off = False
    assert (await receipt_of(room, await room.proposal())).outcome is Outcome.ANSWERED, "and the whole way can be tried without one"


# -- all twenty

UI = Path(__file__).parent.parent / "ui"
WINDOW_ONLY = {2, 3, 10, 11, 20}


def test_every_rule_has_a_test_of_its_name() -> None:
    """Those of the window alone are counted with its files."""
    named = set(map(int, re.findall(r"def test_rule_(\d\d)_", Path(__file__).read_text("utf-8"))))
    assert named >= set(range(1, 21)) - WINDOW_ONLY
    windows = "".join(file.read_text("utf-8") for file in UI.glob("test_rules_*_ui.py"))
    theirs = set(map(int, re.findall(r"def test_rule_(\d\d)_", windows)))
    assert theirs >= WINDOW_ONLY
    assert named | theirs >= set(range(1, 21))
