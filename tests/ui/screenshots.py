"""Makes the pictures of the README from the real program on simulated glasses.

    python tests/ui/screenshots.py [FOLDER] [--theme dark] [--all]

Nothing is sent: the approval is only shown. The vault is a throw-away one, no keyring is touched, and no screen is needed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring
import keyring.backends.fail
import qasync
from PIL import Image
from PySide6.QtCore import QBuffer, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QDialog

from app import settings
from app.glasses.pairing import PairingState
from app.media.samples import clip, pictures
from app.paths import Profile
from app.services import Services
from app.vault.types import ItemId, ItemKind, NewItem, Origin, Share
from ble.types import LinkState
from ui.approval import ApprovalDialog
from ui.main_window import MainWindow
from ui.theme import Theme
from ui.tokens import Palette, rgb

ROOT = Path(__file__).parents[2]
SIZE = QSize(1280, 840)
MOST_BYTES = 250_000
TRAINS = "meta-unpaid"
QUESTION = "Which beans could this coffee be made of?"
CODE = "7K2QA-9M4TD-X0RGB-2FH8W-P5NVC-6JY1E-ZQ3SK-8D0MT-C4WAH-1XG7R-V9B2N-5EPJ6-T0KQ8"


async def until(condition, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def save_small(shot: QPixmap, path: Path, look: Palette) -> None:
    """As a PNG with a palette: the window's own colours exactly, and as many for the photographs as fit into the size allowed."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    shot.save(buffer, "PNG")
    picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    own = [
        channel
        for name in ("surface", "window", "text", "accent", "selected", "sent", "good", "bad")
        for channel in rgb(getattr(look, name))
    ]
    mine = [own[at : at + 3] for at in range(0, len(own), 3)]
    for colours in (256, 192, 128, 96, 64):
        found = picture.quantize(colours - len(own) // 3, method=Image.Quantize.MEDIANCUT).getpalette() or []
        each = [found[at : at + 3] for at in range(0, len(found), 3)]
        # Pillow takes whichever is nearest by and large, so nothing may stand close to a colour of the window's own.
        seen = [
            value
            for one in each
            if all(sum(map(abs, map(int.__sub__, one, kept))) > (20 if kept in mine[:2] else 8) for kept in mine)
            for value in one
        ]
        palette = Image.new("P", (1, 1))
        palette.putpalette((own + seen)[: 3 * colours])
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            return


class Studio:
    """A window on a furnished profile, and what takes its pictures."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window = window
        self.services = window.context.services
        self.folder = folder
        self.items: list[ItemId] = []

    async def settle(self) -> None:
        await until(lambda: not self.window.captures.thumbs._busy)
        for _ in range(30):
            await asyncio.sleep(0.01)

    async def take(self, name: str, dialog: QDialog | None = None) -> None:
        """Save the window, with `dialog` in front of it as a window manager would put it."""
        await self.settle()
        shot = self.window.grab()
        if dialog is not None:
            self.lay_over(shot, dialog.grab())
        path = self.folder / f"{name}.png"
        save_small(shot, path, self.window.context.theme.palette)
        size = path.stat().st_size
        sys.stdout.write(f"{path.name}: {shot.width()} x {shot.height()}, {size // 1000} kB\n")
        if size > MOST_BYTES:
            sys.stdout.write(f"  larger than {MOST_BYTES // 1000} kB\n")

    @staticmethod
    def lay_over(shot: QPixmap, front: QPixmap) -> None:
        painter = QPainter(shot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(shot.rect(), QColor(10, 12, 20, 110))
        at = QRect((shot.width() - front.width()) // 2, max(0, (shot.height() - front.height()) // 2), front.width(), front.height())
        painter.setPen(Qt.PenStyle.NoPen)
        for width in range(12, 0, -2):
            painter.setBrush(QColor(0, 0, 0, 14))
            painter.drawRoundedRect(at.adjusted(-width, -width + 4, width, width + 4), 8, 8)
        painter.drawPixmap(at, front)
        painter.end()

    # -- what is in it ---------------------------------------------------------------------------------------------------------

    async def furnish(self) -> None:
        """Ten captures of two days, one shared, one a favourite, one a video."""
        vault, now = self.services.vault.vault, datetime.now(UTC).replace(second=0, microsecond=0)
        seen = [("omi-glass", "Omi Glass", 3, 640, 480), ("frame", "Frame", 8, 720, 720)]
        shots = [(*one, data) for one in seen for data in pictures(one[0])]
        order = [0, 3, 2, 9, 4, 5, 1, 6, 8]
        for number, which in enumerate(order):
            family, name, turned, width, height, data = shots[which]
            at = now - timedelta(minutes=7 * number + 1, days=number // 5)
            origin = Origin(family, f"D0:00:00:00:00:{number:02X}", name, simulated=True)
            # One byte more behind the picture each time: the vault holds every capture once.
            new = NewItem(ItemKind.PHOTO, "image/jpeg", at, origin, width, height, orientation=turned)
            self.items.append(vault.add(data + bytes(number), new).id)
        origin = Origin("mentra-live", "D0:00:00:00:01:00", "Mentra Live", simulated=True)
        film = NewItem(ItemKind.VIDEO, "video/mp4", now - timedelta(minutes=3), origin, 320, 240, 3000)
        self.items.insert(0, vault.add(clip(), film).id)
        for item in self.items:
            await self.services.library.arrived(item)
        share = Share("openai", "OpenAI", now, 1, leaves_computer=True)
        vault.change(self.items[5], lambda meta: type(meta)(**{**fields(meta), "shares": (share,)}))
        await self.services.library.set_favourite((self.items[1],), True)
        self.window.captures.entered()
        await until(lambda: self.window.captures.model.rowCount() == len(self.items))

    async def pair(self) -> None:
        for family in ("omi-glass", "halo"):
            await self.services.glasses.start_simulated(family)
            async with contextlib.aclosing(self.services.glasses.scan(20)) as heard:
                async for found in heard:
                    if not found.known:
                        break
            await self.services.glasses.pair(found)
        await until(lambda: all(view.state is LinkState.READY for view in self.services.glasses.known()))

    # -- pictures --------------------------------------------------------------------------------------------------------------

    async def captures(self) -> None:
        self.window.go("captures")
        await until(lambda: len(self.window.captures.thumbs._kept) >= min(10, len(self.items)))
        await self.take("captures")

    async def glasses(self) -> None:
        self.window.go("glasses")
        await until(lambda: len(self.window.glasses._cards) == 2)
        await until(lambda: not any(card.progress.isVisible() for card in self.window.glasses._cards.values()))
        await self.take("glasses")

    async def approval(self) -> None:
        """The unpaid Meta Model API trains on what it is sent; the picture is of a cup, and the box for that is ticked."""
        book = self.services.sharing.book
        book.keys.set(TRAINS, "not-a-real-key")
        if not book.get(TRAINS).model:
            book.set_model(TRAINS, "muse-spark-1.3")
        ask = self.window.ask
        self.window.ask_about((self.items[1],))
        ask._question.setPlainText(QUESTION)
        await until(lambda: not self.window.tasks.running("ask ready"))
        ask._to.choose(TRAINS)
        ask._no_people.setChecked(True)
        await self.take_ask("ask")
        ask.review()
        await until(lambda: self.window.findChildren(ApprovalDialog))
        dialog = self.window.findChildren(ApprovalDialog)[0]
        dialog._armed.setInterval(0)
        await until(lambda: dialog.proposal is not None)
        for check in dialog.checks:
            check.setChecked(True)
        await until(lambda: dialog.armed)
        dialog.keep.setFocus()
        await self.take("approval", dialog)
        dialog.reject()
        await until(lambda: not ask.busy)

    async def take_ask(self, name: str) -> None:
        if self.all:
            await self.take(name)

    all = False

    async def rest(self) -> None:
        """Every other page, for looking over a change."""
        window = self.window
        window.banners.clear()
        window.view(self.items[0])
        await until(lambda: window.viewer.video._seen)
        await self.take("video")
        window.view(self.items[1])
        await until(lambda: not window.viewer.picture.empty)
        await self.take("viewer")
        window.go("shared")
        await until(lambda: window.shared.model.rowCount())
        await self.take("shared")
        window.go("settings")
        await self.take("settings-1")
        area = window.settings.body.itemAt(0).widget()
        for number in (2, 3):
            area.verticalScrollBar().setValue(area.verticalScrollBar().value() + area.viewport().height() - 40)
            await self.take(f"settings-{number}")
        window._pair()
        await until(lambda: window.glasses.pairing.look.offered)
        window.glasses.pairing.look.show_state(PairingState(failure=_NO_RADIO))
        await self.take("pairing")
        window.go("captures")
        window.captures.view.selectionModel().select(
            window.captures.model.index(2), window.captures.view.selectionModel().SelectionFlag.Select
        )
        window.banners.good("1 capture moved to the trash.", ("Undo", lambda: None))
        await self.take("selected")
        window.lock()
        await until(lambda: window.rooms.currentWidget() is window.lock_page)
        await self.take("locked")
        window.lock_page._ask_code()
        await self.take("locked-code")
        window.rooms.setCurrentWidget(window.welcome)
        await self.take("welcome")
        window.welcome._show(CODE)
        await self.take("recovery-1")
        window.welcome.recovery.wrote.click()
        await self.take("recovery-2")


def fields(meta: object) -> dict[str, object]:
    return {name: getattr(meta, name) for name in type(meta).__slots__}


def _no_radio():
    from app.errors import Explanation

    what = "Bluetooth cannot be used on this computer."
    return Explanation(what, "The system's Bluetooth service does not answer.", "Start it, or plug a Bluetooth adapter in.")


_NO_RADIO = _no_radio()


async def shoot(app: QApplication, loop: asyncio.AbstractEventLoop, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="eyelid-pictures-") as folder:
        services = await Services.start(Profile(Path(folder)))
        services.settings.set(settings.THEME, arguments.theme)
        window = MainWindow(services, Theme(app), loop)
        window.resize(SIZE)
        window.show()
        try:
            await services.vault.create("a passphrase for these pictures", keyring=False)
            await until(lambda: window.rooms.currentWidget() is window.inside)
            studio = Studio(window, arguments.folder)
            studio.all = arguments.all
            await studio.furnish()
            await studio.pair()
            for picture in (studio.captures, studio.glasses, studio.approval, *((studio.rest,) if arguments.all else ())):
                await picture()
        finally:
            window.close()
            await window.tasks.stop()
            await services.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "resources" / "screenshots")
    parser.add_argument("--theme", choices=settings.THEME.choices, default="light")
    parser.add_argument("--all", action="store_true", help="every page, not only those of the README")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    keyring.set_keyring(keyring.backends.fail.Keyring())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_LOGGING_RULES", "qt.multimedia.*=false;qt.qpa.*=false")
    app = QApplication(["eyelid"])
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(shoot(app, loop, arguments))


if __name__ == "__main__":
    main()
