"""Looking before asking, the picture that would go, and what is advised: with finders that a test speaks for."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.assistants import wire
from app.media.errors import MediaUnsupported
from app.media.frames import Frame
from app.media.look.boxes import Box
from app.media.look.cover import CoverFailed, Edit, check_solid, covers_for
from app.media.look.types import Findings, Kind, Part, Region
from app.sharing.errors import NotReady, TermsForbid
from app.sharing.looking import Looking, NoLooker
from app.sharing.shaping import space_for
from app.sharing.types import PictureChoice
from app.vault.errors import VaultLocked
from app.vault.types import ItemKind, NewItem, Origin
from tests.sharing.scenes import FACE, LINE, everywhere, film, first_only, size

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


async def test_what_a_video_says_while_the_vault_locks_is_not_kept(room: Any) -> None:
    looking, item, work = room.desk.looking, film(room), room.lanes.work

    async def locking(call: Any, *given: Any) -> Any:
        found = await work(call, *given)
        await looking.forget()
        return found

    room.lanes.work = locking
    await looking._facts(item)
    assert looking._facts_of == {}
    room.lanes.work = work


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
