"""One capture by itself: looked at, turned, noted, played, its details and history."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton

from app.media.preview import preview
from app.vault.types import Exchange, ItemKind, Share
from tests.ui.hands import texts
from ui.widgets.picture import decode

HEIC = Path(__file__).parents[1] / "media/samples/glasses.heic"


async def test_the_viewer_walks_the_timeline(filled, fake, qtbot, until) -> None:
    filled.view(fake.item_id(0))
    await until(lambda: not filled.viewer.picture.empty)
    assert not filled.viewer._before.isEnabled()
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_Right)
    assert filled.viewer._item == fake.item_id(1)
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_Left)
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_Left)
    assert filled.viewer._item == fake.item_id(0)


async def test_the_arrows_walk_the_way_the_timeline_is_written(filled, fake, qtbot) -> None:
    filled.viewer.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    filled.view(fake.item_id(0))
    qtbot.keyClick(filled.viewer, Qt.Key.Key_Left)
    assert filled.viewer._item == fake.item_id(1)
    qtbot.keyClick(filled.viewer, Qt.Key.Key_Right)
    assert filled.viewer._item == fake.item_id(0)


async def test_the_viewer_shows_status_and_history_as_plain_text(filled, services, fake, until) -> None:
    shares = (Share("openai", "OpenAI", fake.NOW, 5, True), Share("mirror", "Mirror", fake.NOW, 4, False))
    talk = (Exchange(fake.NOW, "openai", "What is it?", "<b>A fern</b>", 5),)
    services.library.metas[fake.item_id(2)] = fake.meta_of(fake.tile(2), shares=shares, exchanges=talk)
    filled.view(fake.item_id(2))
    await until(lambda: filled.viewer.status.text == "Shared with OpenAI")
    shown = texts(filled.viewer)
    assert "<b>A fern</b>" in shown
    assert "Shown to Mirror, on this computer" in shown


async def test_what_is_told_late_of_another_capture_or_of_before_a_change_is_not_shown(filled, services, fake, until, monkeypatch) -> None:
    first, second = fake.item_id(0), fake.item_id(1)
    details, go = services.library.details, asyncio.Event()
    answers: list[object] = []

    async def slowly(item):
        found = await details(item)
        answers.append(found)
        await go.wait()
        return found

    viewer = filled.viewer
    filled.view(first)
    await until(lambda: viewer.details._meta is not None)
    monkeypatch.setattr(services.library, "details", slowly)
    await services.library.set_favourite((first,), True)
    await until(lambda: answers)
    monkeypatch.setattr(services.library, "details", details)
    viewer.open(second)
    await until(lambda: viewer._meta is not None and viewer._meta.id == second)
    go.set()
    await until(lambda: not filled.tasks.running("viewer-meta"))
    assert viewer._meta.id == second
    newer = replace(viewer._meta, revision=viewer._meta.revision + 1, favourite=True)
    for meta in (newer, replace(newer, revision=newer.revision - 1, favourite=False)):
        viewer._describe(meta)
    assert viewer._meta is newer


async def test_what_cannot_be_shown_is_said(filled, services, fake, until) -> None:
    services.library.pictures[fake.item_id(1)] = b"no picture"
    filled.view(fake.item_id(1))
    await until(lambda: "This picture cannot be shown" in texts(filled.viewer))
    services.library.add(fake.tile(60, kind=ItemKind.OTHER))
    filled.view(fake.item_id(60))
    await until(lambda: "Export it to open it" in texts(filled.viewer))


@pytest.mark.parametrize("kind", ["heic", "avif"])
async def test_what_the_screen_has_no_decoder_for_is_shown_upright(filled, services, fake, until, kind) -> None:
    item, data, orientation = fake.item_id(0), HEIC.read_bytes(), 1
    if kind == "avif":
        file, orientation = io.BytesIO(), 6
        Image.new("RGB", (64, 48), "navy").save(file, "AVIF")
        data = file.getvalue()
    assert decode(data).isNull()
    assert not decode(preview(data)).isNull()
    known = fake.meta_of(fake.tile(0))
    services.library.metas[item] = replace(known, new=replace(known.new, orientation=orientation))
    services.library.pictures[item] = data
    filled.view(item)
    await until(lambda: not filled.viewer.picture.empty)
    shown = filled.viewer.picture._scene.sceneRect()
    assert (shown.width(), shown.height()) == (48, 64)


async def test_a_damaged_neighbour_says_nothing_before_it_is_opened(filled, services, fake, until) -> None:
    services.library.pictures[fake.item_id(1)] = HEIC.read_bytes()[:500]
    filled.view(fake.item_id(0))
    await until(lambda: not filled.viewer.picture.empty)
    await until(lambda: not filled.tasks.running("viewer"))
    assert filled.viewer._stack.currentWidget() is filled.viewer.picture
    filled.viewer.step(1)
    await until(lambda: "This photo is damaged." in texts(filled.viewer))


async def test_a_note_is_kept(filled, services, fake, until) -> None:
    filled.view(fake.item_id(0))
    await until(lambda: filled.viewer.details._meta is not None)
    filled.viewer.details._note.setPlainText("by the river")
    filled.viewer.details._save.click()
    await until(lambda: fake.item_id(0) in services.library.metas)
    assert services.library.metas[fake.item_id(0)].note == "by the river"


async def test_trashing_in_the_viewer_goes_back(filled, services, fake, qtbot, until) -> None:
    filled.view(fake.item_id(0))
    await until(lambda: not filled.viewer.picture.empty)
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_Delete)
    await until(lambda: filled.stack.currentWidget() is filled.captures)
    assert len(services.library.trashed) == 1


async def test_a_photo_is_turned_as_metadata(filled, services, fake, qtbot, until) -> None:
    filled.view(fake.item_id(0))
    await until(lambda: not filled.viewer.picture.empty)
    wide = filled.viewer.picture._scene.sceneRect()
    assert wide.width() > wide.height()
    turned = fake.meta_of(fake.tile(0))
    services.library.metas[fake.item_id(0)] = replace(turned, new=replace(turned.new, orientation=6))
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_R)
    await until(lambda: services.library.turned == [(fake.item_id(0), 1)])
    await until(lambda: filled.viewer.picture._scene.sceneRect().height() > filled.viewer.picture._scene.sceneRect().width())


async def test_the_next_picture_is_ready_before_it_is_wanted(filled, services, fake, until) -> None:
    asked = []
    real = services.library.picture

    async def picture(item):
        asked.append(item)
        return await real(item)

    services.library.picture = picture
    filled.view(fake.item_id(3))
    await until(lambda: set(filled.viewer._ahead) == {fake.item_id(4)})
    filled.viewer.step(1)
    await until(lambda: set(filled.viewer._ahead) == {fake.item_id(5)})
    assert asked == [fake.item_id(3), fake.item_id(4), fake.item_id(5)], "nothing is decoded twice"
    filled.viewer.step(-1)
    await until(lambda: set(filled.viewer._ahead) == {fake.item_id(2)})
    filled.lock()
    assert filled.viewer._ahead == {}


async def test_full_screen_leaves_the_capture_alone_and_esc_brings_all_back(filled, fake, qtbot, until) -> None:
    viewer = filled.viewer
    filled.view(fake.item_id(0))
    await until(lambda: not viewer.picture.empty)
    qtbot.keyClick(viewer.picture, Qt.Key.Key_F11)
    assert filled.isFullScreen()
    assert not any(part.isVisible() for part in (filled.sidebar, filled.strip, viewer.title, viewer._tools, viewer.details))
    qtbot.keyClick(viewer.picture, Qt.Key.Key_Right)
    assert viewer._item == fake.item_id(1)
    qtbot.keyClick(viewer.picture, Qt.Key.Key_Escape)
    assert not filled.isFullScreen()
    assert all(part.isVisible() for part in (filled.sidebar, filled.strip, viewer.title, viewer._tools, viewer.details))
    qtbot.keyClick(viewer.picture, Qt.Key.Key_F11)
    filled.go("glasses")
    assert not filled.isFullScreen()
    assert filled.sidebar.isVisible()


async def test_where_it_was_taken_is_shown_only_when_asked_for(filled, services, fake, until) -> None:
    services.library.places[fake.item_id(0)] = (47.51, -8.25)
    filled.view(fake.item_id(0))
    await until(lambda: "Show" in texts(filled.viewer.details).split("\n"))
    assert "47.5" not in texts(filled.viewer.details)
    next(one for one in filled.viewer.details.findChildren(QPushButton) if one.text() == "Show").click()
    await until(lambda: "47.5100° N, 8.2500° W" in texts(filled.viewer.details))
    filled.viewer.step(1)
    await until(lambda: "Show" in texts(filled.viewer.details).split("\n"))
    assert "47.5" not in texts(filled.viewer.details)


async def test_the_history_leads_to_the_receipt(filled, services, fake, until) -> None:
    shares = (Share("openai", "OpenAI", fake.NOW, 5, True),)
    services.library.metas[fake.item_id(2)] = fake.meta_of(fake.tile(2), shares=shares)
    filled.view(fake.item_id(2))
    await until(lambda: "Receipt 5" in texts(filled.viewer))
    assert "Taken with Omi Glass" in texts(filled.viewer)
    asked = []
    filled.viewer.receipt_asked.connect(asked.append)
    next(one for one in filled.viewer.findChildren(QPushButton) if one.text() == "Receipt 5").click()
    assert asked == [5]
    assert filled.stack.currentWidget() is filled.shared


async def test_a_sound_is_played_and_has_no_frames_to_step(filled, services, fake, until) -> None:
    services.library.add(fake.tile(60, kind=ItemKind.SOUND, duration_ms=1000), data=b"no sound at all")
    opened = []
    filled.viewer.video.open = opened.append
    filled.view(fake.item_id(60))
    await until(lambda: opened)
    video = filled.viewer.video
    assert filled.viewer._stack.currentWidget() is video
    assert video.film.heard
    assert not any(button.isVisible() for button in video._steps)
    assert video.grab().toImage().pixelColor(video.width() // 2, 10) != QColor("black")
