"""A window without a screen, on a qasync loop, over services that are made of plain data."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from app.events import EventHub
from app.paths import Profile
from app.settings import AI_OFF, THEME, Settings
from tests.ui import plain_data
from tests.ui.fake_glasses import FakeGlasses
from tests.ui.fake_sharing import FakeSharing
from tests.ui.fake_vault import FakeLibrary, FakeVault
from tests.ui.hands import until


class FakeServices:
    """As `app.services.Services`, running."""

    def __init__(self, root: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.begun = True
        self.profile = Profile(root)
        self.profile.make()
        self.settings = Settings(self.profile.settings)
        self.settings.on_change(self._changed)
        self.events = EventHub(loop)
        self.vault = FakeVault(self.events)
        self.library = FakeLibrary(self.events)
        self.glasses = FakeGlasses(self.events)
        self.sharing = FakeSharing(self.events)

    def _changed(self, key: str) -> None:
        self.sharing.ai_off = self.settings.get(AI_OFF)

    async def stop(self) -> None:
        pass


USUAL = ("This plugin does not support", "systemTrayWindowChanged", "pa_context_connect", "No RHI backend", "No audio device")
"""What Qt says where there is no window manager, no sound and no graphics card, as is usual where tests run."""


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"qt": lambda: qasync.QEventLoop(QApplication.instance() or QApplication(["eyelid"]))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for one in items:
        if Path(__file__).parent in one.path.parents:
            one.add_marker(pytest.mark.qt_log_ignore(*USUAL))


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], object]], Any]:
    return until


@pytest.fixture
def fake() -> ModuleType:
    """The plain data that tests are made of."""
    return plain_data


@pytest.fixture(scope="session")
def collector(qapp: QApplication) -> Iterator[Any]:
    from ui.collector import Collector

    qapp.setQuitOnLastWindowClosed(False)  # as in the program, too: it would stop the loop of the test
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _garbage_stays_on_this_thread(collector: Any) -> Iterator[None]:
    """As in the program: QObjects in reference cycles, and the timers of closed loops, must not be destroyed by a worker thread."""
    gc.disable()
    yield
    collector.check()


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Any]:
    from ui.theme import Theme

    made = Theme(qapp)
    made.choose("light")
    yield made
    made.scale_text(100)
    made.deleteLater()


@pytest.fixture
async def services(tmp_path: Path) -> FakeServices:
    return FakeServices(tmp_path, asyncio.get_running_loop())


@pytest.fixture
async def window(services: FakeServices, theme: Any) -> AsyncIterator[Any]:
    """The whole window, unlocked, on the screen."""
    from ui.main_window import MainWindow

    services.settings.set(THEME, "light")
    made = MainWindow(services, theme, asyncio.get_running_loop())
    made.show()
    await until(made.isActiveWindow)
    yield made
    made.close()
    await made.tasks.stop()
    made.deleteLater()
    await asyncio.sleep(0)


@pytest.fixture
async def filled(window: Any, services: FakeServices, until: Any) -> Any:
    """The window with a dozen captures and a pair of glasses."""
    services.library.add(*(plain_data.tile(number) for number in range(12)))
    services.glasses.put(plain_data.view())
    await until(lambda: window.captures.model.rowCount() == 12)
    return window


@pytest.fixture
async def real(services: FakeServices, tmp_path: Path, theme: Any) -> AsyncIterator[Any]:
    """A window whose vault, library and imports are real."""
    from tests.ui.import_window import real_window

    async with real_window(services, tmp_path, theme, until) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a phone has it: three photos of glasses, another one, and what is none."""
    from tests.ui.import_window import GLASSES, photo

    made = tmp_path / "phone"
    made.mkdir()
    for number in range(3):
        (made / f"worn{number}.jpg").write_bytes(photo(number, "Meta AI", GLASSES))
    (made / "other.jpg").write_bytes(photo(50, "Apple", "iPhone 17"))
    (made / "notes.txt").write_text("no picture")
    return made


@pytest.fixture
async def bench(services: FakeServices, theme: Any, fake: ModuleType) -> AsyncIterator[Any]:
    """The page Ask by itself, with four captures to ask about."""
    from tests.ui.ask_bench import Bench

    services.library.add(*(fake.tile(number) for number in range(4)))
    made = Bench(services, theme)
    made.show()
    await until(made.isActiveWindow)
    yield made
    await made.tasks.stop()
    made.close()
    made.deleteLater()
    await asyncio.sleep(0)


@pytest.fixture
async def asking(bench: Any, fake: ModuleType) -> Any:
    """Asking about two captures, the question written."""
    from tests.ui.ask_bench import begun

    return await begun(bench, fake, until)


@pytest.fixture
async def whole(window: Any, services: FakeServices, fake: ModuleType) -> Any:
    """The same in the whole window."""
    from tests.ui.ask_bench import begun

    services.library.add(*(fake.tile(number) for number in range(4)))
    return await begun(window, fake, until)


@pytest.fixture
async def ask(services: FakeServices, fake: ModuleType, theme: Any) -> AsyncIterator[Any]:
    """Ask with it, and the dialog opens."""
    from PySide6.QtWidgets import QWidget

    from tests.ui.asker import Asker
    from ui.context import Context
    from ui.memory import Memory
    from ui.pages.asking import Sender
    from ui.tasks import Tasks
    from ui.widgets.banner import Banners

    parent = QWidget()
    parent.show()
    tasks = Tasks(asyncio.get_running_loop(), parent)
    context = Context(services, theme, tasks, Memory(services.profile.root))
    banners = Banners(theme, parent)
    await until(parent.isActiveWindow)
    yield Asker(parent, services, Sender(parent, context, banners), until, fake)
    await tasks.stop()
    parent.close()
    parent.deleteLater()
    await asyncio.sleep(0)
