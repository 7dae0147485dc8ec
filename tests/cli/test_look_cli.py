"""`eyelid look` and `eyelid ask` with covers, crops, frames and further questions: the real finders, the real courier, the mirror."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from PIL import Image

from app.cli.look import lines_of
from app.cli.main import parser
from app.cli.terminal import Exit
from app.errors import EyelidError
from app.media.look.boxes import Box
from app.media.look.cover import Edit, FaceShows, check_solid
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.media.samples import clip
from app.services import Services
from app.sharing.types import Draft, PictureChoice, Proposal
from app.vault.types import ItemKind, NewItem, Origin
from tests.cli.driving import PASSPHRASE, Talk, run

WHEN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def portrait() -> bytes:
    """Grace Hopper, small, with a place in the file."""
    picture = Image.open(io.BytesIO((resources.files("resources") / "samples/faces/hopper.jpg").read_bytes())).convert("RGB")
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0)})
    picture.info.clear()  # it carries a comment
    out = io.BytesIO()
    picture.resize((256, 300)).save(out, "JPEG", exif=exif)
    return out.getvalue()


async def test_look_cover_and_go_on(services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    photo = services.vault.vault.add(portrait(), NewItem(ItemKind.PHOTO, "image/jpeg", WHEN, Origin("test"), 256, 300)).id
    film = services.vault.vault.add(clip(), NewItem(ItemKind.VIDEO, "video/mp4", WHEN, Origin("test"), duration_ms=3000)).id
    shown: list[Proposal] = []
    real = services.sharing.prepare

    async def prepare(draft: Any, *rest: Any) -> Proposal:
        shown.append(await real(draft, *rest))
        return shown[-1]

    monkeypatch.setattr(services.sharing, "prepare", prepare)

    assert await run(services, Talk(json=True), "look", photo, film, "--frames", "1") is Exit.DONE
    of_photo, of_film = json.loads(capsys.readouterr().out)
    assert of_photo["in_the_file"] == ["location"]
    assert set(of_photo["checks"].values()) == {"checked"}
    assert [each["kind"] for each in of_photo["regions"]].count("face") == 1
    assert (of_film["at_ms"], set(of_film["checks"].values())) == (1500, {"checked"})

    asked = ("ask", photo, "--question", "Who is it?", "--yes")
    assert await run(services, Talk(), *asked, "--cover", "faces,codes", "--crop", "40,30,200,200") is Exit.DONE
    (picture,) = shown[-1].pictures
    assert (picture.width, picture.height, picture.faces, len(picture.covered)) == (200, 200, 0, 1)
    check_solid(picture.jpeg, picture.covered)
    said = capsys.readouterr().out
    assert "covered places: 1" in said
    assert "removed: location" in said

    # A face that shows beside its cover is found by the finders themselves, and stops it.
    left, top, width, height = next(each["box"] for each in of_photo["regions"] if each["kind"] == "face")
    half = PictureChoice(photo, edit=Edit((Box(left, top, left + width, top + height // 2),)))
    with pytest.raises(FaceShows):
        await services.sharing.prepare(Draft((photo,), "x", "mirror", pictures=(half,)))

    # A destination that is not known to keep from training: the covered copy is the first offer, and only a no declines it.
    place = services.sharing.book.add_custom("Elsewhere", "Somebody", "https://ai.example/v1", "m", needs_key=False).id
    for answer, covered in (("", 1), ("n", 0)):
        talk = Talk(answer, "no")
        assert await run(services, talk, "ask", photo, "--question", "Who?", "--to", place) is Exit.KEPT_PRIVATE
        assert "Faces found: 1" in talk.asked[0]
        assert len(shown[-1].pictures[0].covered) == covered

    assert await run(services, Talk(), "ask", photo, "--question", "How old?", "--further", "--yes") is Exit.DONE
    assert shown[-1].pictures == ()
    said = capsys.readouterr().out
    assert "words alone" in said
    assert "Said before: “Who is it?”" in said

    assert await run(services, Talk(), "ask", film, "--question", "What?", "--frames", "2", "--yes") is Exit.DONE
    assert [each.at_ms for each in shown[-1].pictures] == [750, 2250]

    # A lock ends the finders with whatever they hold.
    assert services._look.pid is not None
    await services.vault.lock()
    while services._look.pid is not None:
        await asyncio.sleep(0)
    await services.vault.unlock(PASSPHRASE)

    # What cannot be covered is not sent.
    await services._look.close()
    with pytest.raises(EyelidError, match="Not checked: faces"):
        await run(services, Talk(), "ask", photo, "--question", "x", "--cover", "faces", "--yes")
    with pytest.raises(EyelidError, match="nothing to go on from"):
        await run(services, Talk(), "ask", film, "--question", "x", "--further", "--to", "lm-studio", "--yes")
    with pytest.raises(EyelidError, match="one at a time"):
        await run(services, Talk(), "ask", photo, photo, "--question", "x", "--crop", "0,0,9,9", "--yes")


@pytest.mark.parametrize(
    "arguments",
    [("--cover", "noses"), ("--crop", "1,2,3"), ("--crop", "a,b,c,d"), ("--frames", "0"), ("--frames", "21"), ("--frames", "x")],
)
def test_arguments_that_make_no_sense(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parser().parse_args(["ask", "0", "--question", "x", *arguments])
    assert raised.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_arguments() -> None:
    parsed: argparse.Namespace = parser().parse_args(["ask", "0", "--question", "x", "--cover", "text", "--crop", "1,2,30,40"])
    assert parsed.cover == {Kind.TEXT, Kind.DOCUMENT}
    assert parsed.crop == Box(1, 2, 31, 42)
    assert parser().parse_args(["ask", "0", "--question", "x", "--cover", "none"]).cover == frozenset()
    assert parser().parse_args(["ask", "0", "--question", "x"]).cover is None


def test_findings_in_words() -> None:
    regions = (
        Region(Kind.FACE, Box(1, 2, 31, 42), 0.4, sure=False),
        Region(Kind.DOCUMENT, Box(0, 0, 9, 9), 0.9, lines=14),
        Region(Kind.CODE, Box(0, 0, 5, 5), 1, note="QR code: Wi-Fi login"),
    )
    checks = tuple(Check(part, True) for part in Part)
    assert list(lines_of(Findings(100, 100, regions, checks, ("location",)))) == [
        "in the file: location; none of it is ever sent",
        "faces: 1 found",
        "  face at 1,2,30,40 (unsure)",
        "codes: 1 found",
        "  QR code: Wi-Fi login at 0,0,5,5",
        "text: 1 found",
        "  a document or screen, 14 lines at 0,0,9,9",
    ]
    gone = tuple(Check(part, False, "It took too long.") for part in Part)
    assert list(lines_of(Findings(checks=gone))) == [
        f"{name}: not checked. It took too long." for name in ("in the file", "faces", "codes", "text")
    ]
    assert "in the file: nothing found" in list(lines_of(Findings(checks=checks)))
