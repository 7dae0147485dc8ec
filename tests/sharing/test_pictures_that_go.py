"""The pictures of a request: covered, cut, small enough, frames of videos; and further questions, with which none goes."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from app.assistants import Turn, wire
from app.media.look.boxes import Box
from app.media.look.cover import CoverFailed, Edit, FaceShows, NothingLeft, check_solid, covers_for
from app.media.look.types import Findings, Part
from app.media.shape import check_clean
from app.sharing import shaping
from app.sharing.errors import NotReady
from app.sharing.looking import REST_OF_VIDEO
from app.sharing.shaping import Space, fitted, space_for
from app.sharing.types import Draft, Outcome, PictureChoice
from app.vault.errors import VaultLocked
from app.vault.types import ItemId
from tests.sharing.scenes import FACE, everywhere, film, first_only, size
from tests.sharing.steps import receipt_of

# -- the picture that would go


async def test_covered_and_cropped_is_what_goes(room: Any) -> None:
    room.looker.says = first_only(FACE)
    findings = await room.desk.look(room.item)
    choice = PictureChoice(room.item, edit=Edit(covers_for(findings), Box(0, 0, 64, 40)))
    proposal = await room.proposal(pictures=(choice,))
    (picture,) = proposal.pictures
    assert (picture.width, picture.height) == (64, 40) == size(picture.jpeg)
    assert picture.covered
    assert picture.faces == 0
    check_solid(picture.jpeg, picture.covered)
    check_clean(picture.jpeg)
    assert "location" in picture.removed
    assert wire("mirror").read_back(proposal.parcel.body).pictures == (picture.jpeg,)
    assert room.looker.looked[-1] == ("image/jpeg", 1, frozenset({Part.FACES})), "looked at again after covering"
    before = room.vault.read(room.item)
    await receipt_of(room, proposal)
    assert room.vault.read(room.item) == before, "the original is never touched"


async def test_a_face_that_still_shows_beside_its_cover_stops_it(room: Any) -> None:
    room.looker.says = everywhere(FACE)
    with pytest.raises(FaceShows) as raised:
        await room.proposal(pictures=(PictureChoice(room.item, edit=Edit((Box(0, 0, 28, 28),))),))
    assert isinstance(raised.value, CoverFailed)
    assert raised.value.action
    assert room.courier.orders == []
    assert room.desk._waiting == {}


async def test_a_face_left_on_purpose_is_counted(room: Any) -> None:
    room.looker.says = everywhere(FACE)
    proposal = await room.proposal(pictures=(PictureChoice(room.item, edit=Edit((Box(0, 0, 8, 8),))),))
    assert [picture.faces for picture in proposal.pictures] == [1]
    assert proposal.notes == ()


async def test_covers_that_cannot_be_checked_again_are_said(room: Any) -> None:
    room.looker.missing = frozenset({Part.FACES})
    proposal = await room.proposal(pictures=(PictureChoice(room.item, edit=Edit((FACE.box,))),))
    assert proposal.pictures[0].faces is None
    assert "Check yourself" in proposal.notes[0]


async def test_nothing_is_looked_at_where_nothing_is_covered(room: Any) -> None:
    assert (await room.proposal()).pictures[0].faces is None
    assert room.looker.looked == []


async def test_a_crop_of_nothing(room: Any) -> None:
    with pytest.raises(NothingLeft):
        await room.proposal(pictures=(PictureChoice(room.item, edit=Edit(crop=Box(100, 100, 110, 110))),))


async def test_what_was_changed_no_longer_stands_and_is_no_refusal(room: Any) -> None:
    first = await room.proposal()
    assert first.parcel.draft.pictures == (PictureChoice(room.item),), "filled in, to be changed"
    edited = replace(first.parcel.draft, pictures=(PictureChoice(room.item, edit=Edit(crop=Box(0, 0, 32, 32))),))
    second = await room.desk.prepare(edited, instead_of=first)
    assert first.parcel.sha256 != second.parcel.sha256
    with pytest.raises(Exception, match="no longer stands"):
        await room.desk.approve(first)
    assert (await receipt_of(room, second)).outcome is Outcome.ANSWERED
    assert [receipt.outcome for receipt in await room.desk.receipts()] == [Outcome.INTENDED, Outcome.ANSWERED]


async def test_what_is_being_made_does_not_outlive_a_lock(room: Any) -> None:
    real = room.looker.look

    async def look(*given: Any, **named: Any) -> Findings:
        await room.lock()
        await room.unlock()
        found: Findings = await real(*given, **named)
        return found

    room.looker.look = look
    with pytest.raises(VaultLocked):
        await room.proposal(pictures=(PictureChoice(room.item, edit=Edit((FACE.box,))),))
    assert room.desk._waiting == {}


# -- videos


async def test_frames_of_a_video_go_and_no_sound(room: Any) -> None:
    item = film(room)
    proposal = await room.proposal(items=(item,))
    assert len(proposal.pictures) == 4
    assert all(picture.item == item and REST_OF_VIDEO in picture.removed for picture in proposal.pictures)
    assert [choice.at_ms for choice in proposal.parcel.draft.pictures] == [picture.at_ms for picture in proposal.pictures]
    receipt = await receipt_of(room, proposal)
    assert receipt.items == (item,)
    assert len(receipt.item_digests) == 4
    assert len(room.vault.meta(item).shares) == 1


async def test_the_chosen_frames_go(room: Any) -> None:
    item = film(room)
    strip = await room.desk.filmstrip(item, 10)
    chosen = (PictureChoice(item, strip[7].at_ms), PictureChoice(item, strip[1].at_ms, Edit(crop=Box(0, 0, 100, 100))))
    proposal = await room.proposal(items=(room.item, item), pictures=chosen)
    assert [(picture.item, picture.at_ms) for picture in proposal.pictures] == [
        (room.item, None),
        (item, strip[7].at_ms),
        (item, strip[1].at_ms),
    ]
    assert size(proposal.pictures[2].jpeg) == (100, 100)


async def test_frames_are_bounded(room: Any) -> None:
    item = film(room)
    with pytest.raises(NotReady, match="10 pictures"):
        await room.proposal(items=(item,), pictures=tuple(PictureChoice(item, 100 * at) for at in range(11)))
    room.book.set_model("ollama", "gemma4")
    room.courier.answer = b'{"models":[{"name":"gemma4:latest"}]}'
    assert len((await room.proposal("ollama", items=(item,))).pictures) == 4
    assert len((await room.proposal("ollama", items=(room.item, item))).pictures) == 3, "as many frames as there is room for"
    with pytest.raises(NotReady, match="4 pictures"):
        await room.proposal("ollama", items=(room.item, item), pictures=tuple(PictureChoice(item, 500 * at) for at in range(4)))


async def test_pictures_that_do_not_belong(room: Any) -> None:
    with pytest.raises(NotReady, match="not chosen"):
        await room.proposal(pictures=(PictureChoice(ItemId("b" * 32)),))
    with pytest.raises(NotReady, match="twice"):
        await room.proposal(pictures=(PictureChoice(room.item),) * 2)


# -- what fits


def noisy(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def test_pictures_are_made_smaller_where_that_suffices() -> None:
    data = noisy(900, 600)
    wide = fitted(data, "image/jpeg", 1, Space(8000, 4_000_000))
    assert (wide.width, wide.height) == (900, 600)
    tight = fitted(data, "image/jpeg", 1, Space(8000, len(wide.jpeg) // 3))
    assert len(tight.jpeg) <= len(wide.jpeg) // 3
    assert fitted(data, "image/jpeg", 1, Space(600, 4_000_000)).width == 600
    covered = fitted(data, "image/jpeg", 1, Space(8000, len(wide.jpeg) // 3), Edit((Box(0, 0, 400, 400),)))
    check_solid(covered.jpeg, [Box(*place) for place in covered.covered])
    with pytest.raises(NotReady, match="more than this server takes"):
        fitted(data, "image/jpeg", 1, Space(8000, 500))


@pytest.mark.parametrize("name", ["openai", "groq", "anthropic", "gemini", "mistral", "ollama", "openrouter", "mirror"])
def test_what_fits_the_space_fits_the_request(name: str) -> None:
    """The largest pictures that the space allows, and the longest question, make a body that the format accepts."""
    limits = wire(name).limits
    question, earlier = "\x01" * limits.question_chars, [Turn("\x01" * 5000, "\u2028" * 5000)]
    space = space_for(limits, limits.pictures, len(question) + 10_000)
    assert space.jpeg_bytes > 100_000
    body = wire(name).body("model", question, [bytes(space.jpeg_bytes)] * limits.pictures, earlier)
    assert len(body) <= limits.body_bytes


async def test_many_large_photos_still_fit(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "_STEPS", ((64, 95), (16, 50)))
    room.book.set_model("groq", "llama")
    room.book.keys.set("groq", "k")
    small = replace(wire("groq"), limits=replace(wire("groq").limits, body_bytes=8192 + 200 + 3000))  # type: ignore[type-var]
    for module in ("app.sharing.parcel", "app.sharing.proposal_maker"):
        monkeypatch.setattr(f"{module}.wire", lambda name: small)
    items = tuple(room.vault.add(noisy(64, 48), room.vault.meta(room.item).new).id for _ in range(3))
    proposal = await room.proposal("groq", items=items)
    assert {picture.width for picture in proposal.pictures} == {16}


# -- further questions in words alone


async def test_a_further_question_in_words_alone(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    first = await receipt_of(room, await room.proposal("lm-studio"))
    draft = Draft((), "Is it old?", "lm-studio", earlier=(first.number,), about=room.item)
    assert await room.desk.again(draft) == ""
    assert "goes to" in await room.desk.again(room.draft("lm-studio"))
    proposal = await room.desk.prepare(draft)
    assert (proposal.pictures, proposal.again, proposal.notes) == ((), False, ())
    assert [turn.question for turn in proposal.earlier] == ["What is this?"]
    receipt = await receipt_of(room, proposal)
    assert (receipt.items, receipt.item_digests, receipt.outcome) == ((), (), Outcome.ANSWERED)
    meta = room.vault.meta(room.item)
    assert [exchange.question for exchange in meta.exchanges] == ["What is this?", "Is it old?"]
    assert [share.receipt for share in meta.shares] == [first.number], "the photo did not go again"
    await asyncio.sleep(0)
    assert room.changed[-1] == room.item
    further = replace(draft, question="How old?", earlier=tuple(exchange.receipt for exchange in meta.exchanges))
    assert len((await room.desk.prepare(further)).earlier) == 2
    assert (await room.desk.verify_receipts()).sound


async def test_words_alone_need_something_to_go_on_from(room: Any) -> None:
    for draft in (Draft((), "q", "mirror"), Draft((), "q", "mirror", about=room.item), Draft((), "q", "mirror", earlier=(1,))):
        with pytest.raises(NotReady, match="No photo"):
            await room.desk.prepare(draft)
    with pytest.raises(NotReady, match="no exchange"):
        await room.desk.prepare(Draft((), "q", "mirror", earlier=(1,), about=room.item))


async def test_the_item_of_a_further_question_may_be_gone(room: Any) -> None:
    first = await receipt_of(room, await room.proposal())
    proposal = await room.desk.prepare(Draft((), "Is it old?", "mirror", earlier=(first.number,), about=room.item))
    room.vault.delete(room.item)
    assert (await receipt_of(room, proposal)).outcome is Outcome.ANSWERED


async def test_videos_that_go_again_are_called_so(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    item = film(room)
    await receipt_of(room, await room.proposal("lm-studio", items=(item,)))
    assert (await room.proposal("lm-studio", items=(item,))).notes[0].startswith("The same video goes to")
    assert (await room.proposal("lm-studio", items=(item, room.item))).notes[0].endswith(" again: 1 of these 2.")
