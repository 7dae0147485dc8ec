"""The page Ask by itself, and the hands that ask."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QWidget

from tests.ui.hands import dialog_of
from ui.approval import ApprovalDialog
from ui.context import Context
from ui.memory import Memory
from ui.pages.ask import AskPage
from ui.tasks import Tasks
from ui.widgets.banner import Banners
from ui.widgets.basics import column


class Lent(QWidget):
    """What the window lends a page; for one by itself, which is much sooner made than a window."""

    def __init__(self, services, theme) -> None:
        super().__init__()
        self.tasks = Tasks(asyncio.get_running_loop(), self)
        self.context = Context(services, theme, self.tasks, Memory(services.profile.root))
        self.banners = Banners(theme)


class Bench(Lent):
    """The page Ask by itself."""

    def __init__(self, services, theme) -> None:
        super().__init__(services, theme)
        self.tasks.failed.connect(lambda said, again: self.banners.trouble(said))
        self.ask = AskPage(self.context, self.banners).complete()
        self.setLayout(column(self.banners, self.ask.sending.bar, self.ask))
        self.resize(1000, 700)

    def ask_about(self, items) -> None:
        self.ask.take(items)
        self.ask.entered()


async def begun(window, fake, until):
    window.context.memory.region_asked = True
    window.ask_about((fake.item_id(0), fake.item_id(1)))
    window.ask._question.setPlainText("What plant is this?")
    await until(lambda: not window.tasks.running("ask ready"))
    return window


async def press_send(window, until) -> None:
    dialog = await dialog_of(window, until, ApprovalDialog)
    dialog._armed.setInterval(0)
    for check in dialog.checks:
        check.setChecked(True)
    await until(lambda: dialog.armed)
    dialog.send.click()


async def settled(window, until) -> None:
    await until(lambda: not window.ask.busy)
