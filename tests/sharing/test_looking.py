"""Looking before asking, the picture that would go, and what is advised: with finders that a test speaks for."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.assistants import Turn, wire
from app.media.errors import MediaUnsupported
from app.media.frames import Frame
from app.media.look.boxes import Box
from app.media.look.cover import CoverFailed, Edit, FaceShows, NothingLeft, check_solid, covers_for
from app.media.look.types import Findings, Kind, Part, Region
from app.media.samples import clip
from app.media.shape import check_clean
from app.sharing import shaping
from app.sharing.errors import NotReady, TermsForbid
from app.sharing.looking import REST_OF_VIDEO, Looking, NoLooker
from app.sharing.shaping import Space, fitted, space_for
from app.sharing.types import Draft, Ended, Outcome, PictureChoice
from app.vault.errors import VaultLocked
from app.vault.types import ItemId, ItemKind, NewItem, Origin

FACE = Region(Kind.FACE, Box(20, 10, 40, 34), 0.9)
LINE = Region(Kind.TEXT, Box(2, 40, 60, 46), 0.8, lines=1)


def everywhere(*regions: Region) -> Any:
    """Finders that find these on whatever they are shown, of the parts asked for."""
    parts = {Kind.FACE: Part.FACES, Kind.TEXT: Part.TEXT}
    return lambda data, wanted: tuple(region for region in regions if parts[region.kind] in wanted)


def first_only(*regions: Region) -> Any:
    """Finders that find these once, and nothing on what was made of it."""
    seen: list[bytes] = []

    def says(data: bytes, parts: frozenset[Part]) -> tuple[Region, ...]:
        seen.append(data)
        return regions if data == seen[0] else ()

    return says


def size(jpeg: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(jpeg)).size


def film(room: Any, **changes: Any) -> ItemId:
    new = NewItem(ItemKind.VIDEO, "video/mp4", room.clock.now, Origin("test"), 640, 360, duration_ms=3000)
    item: ItemId = room.vault.add(clip(), replace(new, **changes)).id
    return item


async def go(room: Any, proposal: Any) -> Any:
    approval = await room.desk.approve(proposal)
    events = [event async for event in room.desk.send(proposal, approval)]
    assert isinstance(events[-1], Ended)
    return events[-1].receipt


# -- what is on it


async def test_what_is_found_comes_in_by_and_by_and_is_kept(room: Any) -> None:
    room.looker.says = everywhere(FACE)
    told: list[Findings] = []
    findings = await room.desk.look(room.item, told=told.append)
    assert told[-1] == findings
    assert [len(each.checks) for each in told] == [1, 2, 3, 4]
    assert findings.has_faces
    again: list[Findings] = []
    assert await room.desk.look(room.item, told=again.append) == findings
    assert again == [findings]
    assert len(room.looker.looked) == 1, "looked at once only"


async def test_a_photo_that_was_turned_is_looked_at_anew(room: Any) -> None:
    await room.desk.look(room.item)
    room.vault.change(room.item, lambda meta: replace(meta, new=replace(meta.new, orientation=6)))
    await room.desk.look(room.item)
    assert [looked[1] for looked in room.looker.looked] == [1, 6]


async def test_two_who_ask_for_the_same_look_once(room: Any) -> None:
    first, second = await asyncio.gather(room.desk.look(room.item), room.desk.look(room.item))
    assert first is second
    assert len(room.looker.looked) == 1


async def test_what_was_not_checked_is_looked_for_again(room: Any) -> None:
    room.looker.missing = frozenset({Part.TEXT})
    findings = await room.desk.look(room.item)
    assert [(check.part, check.reason) for check in findings.unchecked] == [(Part.TEXT, "The finder is not there.")]
    room.looker.missing = frozenset()
    assert (await room.desk.look(room.item)).unchecked == ()


async def test_the_lock_forgets_what_was_found_and_ends_the_finders(room: Any) -> None:
    await room.desk.look(room.item)
    await room.lock()
    assert room.looker.dropped == 1
    with pytest.raises(VaultLocked):
        await room.desk.look(room.item)
    await room.unlock()
    await room.desk.look(room.item)
    assert len(room.looker.looked) == 2


async def test_what_is_found_while_the_vault_locks_is_not_kept(room: Any) -> None:
    real = room.looker.look

    async def look(*given: Any, **named: Any) -> Findings:
        await room.lock()
        found: Findings = await real(*given, **named)
        return found

    room.looker.look = look
    await room.desk.look(room.item)
    assert room.desk.looking._found == {}


async def test_only_so_much_is_kept(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sharing.looking._KEPT", 2)
    items = [room.item, *(room.vault.add(room.vault.read(room.item), room.vault.meta(room.item).new).id for _ in range(3))]
    for item in items:
        await room.desk.look(item)
    assert [key[0] for key in room.desk.looking._found] == items[-2:]


async def test_without_finders_nothing_is_checked(room: Any) -> None:
    looking = Looking(room.vault, room.lanes, NoLooker())
    await looking.warm()
    findings = await looking.look(room.item)
    assert len(findings.unchecked) == len(Part)
    assert not findings.has_faces
    await looking.forget()


async def test_a_video_is_looked_at_frame_by_frame(room: Any) -> None:
    item = film(room)
    room.looker.says = everywhere(FACE)
    told: list[Findings] = []
    findings = await room.desk.look(item, 1000, told.append)
    assert (room.looker.looked[-1][0], room.looker.looked[-1][1]) == ("image/jpeg", 1)
    assert room.looker.looked[-1][2] == {Part.FACES, Part.TEXT, Part.CODES}
    assert findings.checked(Part.METADATA)
    assert findings.has_faces
    assert told[0].checks[0].part is Part.METADATA
    assert all(each.checked(Part.METADATA) for each in told)
    await room.desk.look(item)
    assert {key[1] for key in room.desk.looking._found} == {1000, None}


async def test_a_sound_has_traces_only(room: Any) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    item = room.vault.add(out.getvalue(), NewItem(ItemKind.SOUND, "audio/wav", room.clock.now, Origin("test"))).id
    findings = await room.desk.look(item)
    assert findings.checked(Part.METADATA)
    assert {check.reason for check in findings.unchecked} == {"A sound has no picture."}
    assert room.looker.looked == []


async def test_the_finders_get_the_pixels_of_a_heic_picture(room: Any) -> None:
    data = (Path(__file__).parents[1] / "media/samples/glasses.heic").read_bytes()
    item = room.vault.add(data, NewItem(ItemKind.PHOTO, "image/heic", room.clock.now, Origin("test"))).id
    findings = await room.desk.look(item)
    assert [looked[0] for looked in room.looker.looked] == ["image/jpeg"]
    assert findings.unchecked == ()
    (picture,) = (await room.proposal(items=(item,))).pictures
    assert (picture.width, picture.height) == (findings.width, findings.height)
    assert picture.removed == findings.traces


async def test_a_filmstrip(room: Any) -> None:
    item = film(room)
    told: list[Frame] = []
    strip = await room.desk.filmstrip(item, told=told.append)
    assert len(strip) == 4
    assert tuple(told) == strip
    assert [frame.at_ms for frame in strip] == sorted({frame.at_ms for frame in strip})
    assert all(max(frame.width, frame.height) == 320 for frame in strip)
    assert len(await room.desk.filmstrip(item, 20, 64)) == 20
    assert len(await room.desk.filmstrip(film(room, duration_ms=None), 2, 64)) == 2, "a length that nobody noted is found out"
    for count in (0, 21):
        with pytest.raises(ValueError, match="frames"):
            await room.desk.filmstrip(item, count)
    with pytest.raises(MediaUnsupported):
        await room.desk.filmstrip(room.item)


async def test_what_to_draw_upon(room: Any) -> None:
    seen = await room.desk.view(room.item, long_edge=32)
    assert (seen.width, seen.height) == (32, 24) == size(seen.jpeg)
    item = film(room)
    strip = await room.desk.filmstrip(item)
    assert (await room.desk.view(item, strip[2].at_ms, 320)).jpeg == strip[2].jpeg
    assert (await room.desk.view(item)).width > 320


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
    await go(room, proposal)
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
    assert (await go(room, second)).outcome is Outcome.ANSWERED
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
    receipt = await go(room, proposal)
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


# -- what is advised, and what terms forbid


async def test_the_covered_copy_comes_first_where_it_may_train(room: Any) -> None:
    room.looker.says = everywhere(FACE, LINE)
    findings = await room.desk.look(room.item)
    unpaid = next(each.id for each in room.book.all() if each.card_id == "meta-model-api")
    advice = room.desk.advice(unpaid, [findings])
    assert advice.cover_first
    assert advice.covers == (covers_for(findings),)
    assert "personal information" in advice.forbidden
    kept = room.desk.advice("openai", [findings])
    assert (kept.cover_first, kept.covers, kept.forbidden) == (False, advice.covers, "")
    assert room.desk.advice("nowhere", [findings]).cover_first, "unknown counts as training"


async def test_not_checked_counts_as_people_where_people_are_forbidden(room: Any) -> None:
    room.looker.missing = frozenset({Part.FACES})
    findings = await room.desk.look(room.item)
    advice = room.desk.advice("xai", [findings])
    assert not advice.cover_first
    assert advice.forbidden
    room.looker.missing = frozenset()
    assert room.desk.advice("xai", [await room.desk.look(room.item)]).forbidden == ""


async def test_faces_are_refused_where_terms_forbid_them_whatever_is_said(room: Any) -> None:
    room.book.set_model("xai", "grok-x")
    room.book.keys.set("xai", "k")
    room.looker.says = everywhere(FACE)
    with pytest.raises(TermsForbid, match="face is to be seen") as raised:
        await room.proposal("xai", no_people=True)
    assert "ZDR-Enabled" in raised.value.why
    room.looker.says = first_only(FACE)
    covers = covers_for(await room.desk.look(room.item))
    covered = (PictureChoice(room.item, edit=Edit(covers)),)
    assert await room.proposal("xai", no_people=True, pictures=covered), "covered, and the person says that nobody is left"
    with pytest.raises(TermsForbid):
        await room.proposal("xai", pictures=covered)
    room.looker.missing = frozenset({Part.FACES})
    with pytest.raises(TermsForbid, match="could not be looked for"):
        await room.proposal("xai", no_people=True)
    assert room.courier.orders == []


# -- further questions in words alone


async def test_a_further_question_in_words_alone(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    first = await go(room, await room.proposal("lm-studio"))
    draft = Draft((), "Is it old?", "lm-studio", earlier=(first.number,), about=room.item)
    assert await room.desk.again(draft) == ""
    assert "goes to" in await room.desk.again(room.draft("lm-studio"))
    proposal = await room.desk.prepare(draft)
    assert (proposal.pictures, proposal.again, proposal.notes) == ((), False, ())
    assert [turn.question for turn in proposal.earlier] == ["What is this?"]
    receipt = await go(room, proposal)
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
    first = await go(room, await room.proposal())
    proposal = await room.desk.prepare(Draft((), "Is it old?", "mirror", earlier=(first.number,), about=room.item))
    room.vault.delete(room.item)
    assert (await go(room, proposal)).outcome is Outcome.ANSWERED


async def test_videos_that_go_again_are_called_so(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    item = film(room)
    await go(room, await room.proposal("lm-studio", items=(item,)))
    assert (await room.proposal("lm-studio", items=(item,))).notes[0].startswith("The same video goes to")
    assert (await room.proposal("lm-studio", items=(item, room.item))).notes[0].endswith(" again: 1 of these 2.")


# -- frames of a live look


async def test_a_picture_in_no_vault_is_covered_and_checked_again(room: Any) -> None:
    data, space = room.vault.read(room.item), space_for(wire("mirror").limits)
    room.looker.says = first_only(FACE)
    made = await room.desk.looking.redacted(data, "image/jpeg", 1, space)
    assert made.covered
    check_solid(made.jpeg, [Box(*place) for place in made.covered])
    elsewhere = replace(FACE, box=Box(44, 30, 60, 46))
    room.looker.says = lambda found, parts: (FACE,) if found == data else (elsewhere,)
    with pytest.raises(CoverFailed):
        await room.desk.looking.redacted(data, "image/jpeg", 1, space)


async def test_a_picture_that_cannot_be_checked_does_not_go(room: Any) -> None:
    data, space = room.vault.read(room.item), space_for(wire("mirror").limits)
    room.looker.missing = frozenset({Part.FACES})
    with pytest.raises(NotReady, match="The finder is not there"):
        await room.desk.looking.redacted(data, "image/jpeg", 1, space)

    def then_gone(data: bytes, parts: frozenset[Part]) -> tuple[Region, ...]:
        room.looker.missing = frozenset({Part.FACES}) if len(room.looker.looked) > 1 else frozenset()
        return ()

    room.looker.looked.clear()
    room.looker.missing = frozenset()
    room.looker.says = then_gone
    with pytest.raises(NotReady, match="again after covering"):
        await room.desk.looking.redacted(data, "image/jpeg", 1, space, [Kind.FACE, Kind.CODE])
    assert room.looker.looked[0][2] == {Part.FACES, Part.CODES}
