"""Frames for live looks: photos taken one after the other or at the glasses' own interval, and an end when the glasses are lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.events import EventHub, GlassesChanged, GlassesForgotten
from app.glasses.types import GlassesView, KnownGlasses
from app.live_frames import GlassesFrames
from app.sharing.errors import NotReady
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin
from ble.errors import GlassesError
from ble.types import Capabilities, Capability, GlassesStatus, LinkState

HERE, OTHER = "C0:00:00:00:00:01", "C0:00:00:00:00:02"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def view(*can: Capability, state: LinkState = LinkState.READY, continuous: bool = False) -> GlassesView:
    known = KnownGlasses(HERE, "openglass", "Mine", NOW, continuous=continuous)
    return GlassesView(known, state, GlassesStatus(), None, Capabilities("openglass", frozenset(can), encrypted_link=False))


def meta(item: str, *, address: str = HERE, kind: ItemKind = ItemKind.PHOTO, at: datetime = NOW) -> ItemMeta:
    return ItemMeta(ItemId(item), 1, NewItem(kind, "image/jpeg", at, Origin("openglass", address)), 10, "", NOW)


class Desk:
    """Plays the glasses desk."""

    def __init__(self, *views: GlassesView) -> None:
        self.views = views
        self.photos = 0
        self.asked = asyncio.Event()
        self.continuous: list[bool] = []
        self.trouble: Exception | None = None

    def known(self) -> tuple[GlassesView, ...]:
        return self.views

    async def take_photo(self, address: str) -> None:
        self.photos += 1
        self.asked.set()
        if self.trouble:
            raise self.trouble

    async def set_continuous(self, address: str, on: bool) -> None:
        self.continuous.append(on)
        self.asked.set()


class Stage:
    def __init__(self, *views: GlassesView) -> None:
        self.desk = Desk(*views)
        self.hub = EventHub(asyncio.get_running_loop())
        self.frames = GlassesFrames(self.desk, self.hub, lambda: NOW)  # type: ignore[arg-type]
        self.taken: list[str] = []

    @contextlib.asynccontextmanager
    async def watching(self, every: int = 1) -> AsyncIterator[asyncio.Task[None]]:
        async def take() -> None:
            async with contextlib.aclosing(self.frames.frames(HERE, every)) as frames:
                async for item in frames:
                    self.taken.append(item)

        task = asyncio.create_task(take())
        await self.desk.asked.wait()
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    "views",
    [
        (),
        (view(Capability.TAKE_PHOTO, state=LinkState.LOST),),
        (view(Capability.BATTERY),),
        (replace(view(Capability.TAKE_PHOTO), capabilities=None),),
    ],
)
async def test_glasses_that_cannot(views: tuple[GlassesView, ...]) -> None:
    stage = Stage(*views)
    with pytest.raises(NotReady):
        stage.frames.check(HERE)
    with pytest.raises(NotReady):
        await anext(stage.frames.frames(HERE, 1))
    assert stage.desk.photos == 0


async def test_each_sealed_photo_is_a_frame_and_nothing_else_is() -> None:
    stage = Stage(view(Capability.TAKE_PHOTO, Capability.CONTINUOUS_CAPTURE))
    stage.frames.check(HERE)
    stage.frames.sealed(meta("before"))
    async with stage.watching() as task:
        stage.frames.sealed(meta("one"))
        stage.frames.sealed(meta("other glasses", address=OTHER))
        stage.frames.sealed(meta("a film", kind=ItemKind.VIDEO))
        stage.frames.sealed(meta("taken long ago", at=NOW - timedelta(minutes=1)))
        stage.frames.sealed(meta("two", at=NOW + timedelta(seconds=5)))
        stage.hub.publish(GlassesForgotten(HERE))
        await task
    stage.frames.sealed(meta("after"))
    assert stage.taken == ["one", "two"]
    assert (stage.desk.photos, stage.desk.continuous) == (1, []), "asked one by one, where they can"


@pytest.mark.parametrize("always", [False, True])
async def test_at_their_own_interval_and_back_again(always: bool) -> None:
    stage = Stage(view(Capability.CONTINUOUS_CAPTURE, continuous=always))
    async with stage.watching() as task:
        stage.frames.sealed(meta("one"))
        stage.hub.publish(GlassesChanged(view(state=LinkState.READY)))
        stage.hub.publish(GlassesChanged(replace(view(state=LinkState.LOST), known=KnownGlasses(OTHER, "", "", NOW))))
        stage.hub.publish(GlassesChanged(view(state=LinkState.LOST)))
        await task
    assert stage.taken == ["one"]
    assert stage.desk.continuous == ([True] if always else [True, False])


async def test_glasses_that_refuse_are_heard_of() -> None:
    stage = Stage(view(Capability.TAKE_PHOTO))
    stage.desk.trouble = GlassesError("The camera is covered.")
    with pytest.raises(GlassesError, match="covered"):
        await anext(stage.frames.frames(HERE, 1))


async def test_leaving_stops_the_photos() -> None:
    stage = Stage(view(Capability.TAKE_PHOTO))
    async with stage.watching():
        pass
    assert stage.frames._waiting == {}
    assert [task for task in asyncio.all_tasks() if task.get_coro().__name__ == "_shoot"] == []  # type: ignore[union-attr]
