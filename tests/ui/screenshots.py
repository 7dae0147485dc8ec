"""Makes pictures of the real program on simulated glasses: the README's three, and every page in every look for judging.

    python tests/ui/screenshots.py [--looks light dark contrast large mirrored] [--only captures viewer] [--size 1024x640]
        [--language de] [--judge FOLDER] [--readme FOLDER]

Nothing is sent: the approval is only shown. The vaults are throw-away ones, no keyring is touched, and no screen is needed. A scene that
fails is named, and the others are made all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keyring
import keyring.backends.fail
import qasync
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from studio import PASSPHRASE, Studio

from app.paths import Profile
from app.services import Services
from ui.i18n import ENGLISH, LANGUAGES, PSEUDO_MIRRORED, language
from ui.language import VARIABLE, speak
from ui.main_window import MainWindow
from ui.theme import Theme

SIZE = QSize(1280, 840)
README = ("captures", "glasses", "approval")
FULL = (
    *("captures", "captures_small", "selected", "nothing", "viewer", "video", "glasses", "importing", "pairing"),
    *("ask", "approval", "approval_many", "shared", "settings", "diagnostics", "dialogs", "help", "locked", "first_run"),
)
MIRRORED = "mirrored"
LOOKS = {"light": ("light", 100), "dark": ("dark", 100), "contrast": ("contrast", 100), "large": ("light", 200), MIRRORED: ("light", 100)}
"""Theme and text size of each. The mirrored one speaks a language for testing, in Hebrew letters."""


async def shoot(app: QApplication, loop: asyncio.AbstractEventLoop, arguments: argparse.Namespace) -> None:
    theme, full = Theme(app), arguments.vault == "full"
    with tempfile.TemporaryDirectory(prefix="eyelid-pictures-") as folder:
        services = await Services.start(Profile(Path(folder)))
        window = MainWindow(services, theme, loop)
        window.resize(arguments.size)
        window.show()
        studio = Studio(window, arguments.judge)
        try:
            await services.vault.create(PASSPHRASE, keyring=False)
            window.welcome.forget()
            window.rooms.setCurrentWidget(window.inside)
            window.go("captures")
            if full:
                await studio.furnish()
                await studio.pair()
            await visit(theme, studio, FULL if full else ("empty",), arguments)
        finally:
            window.close()
            await window.tasks.stop()
            await services.stop()


async def visit(theme: Theme, studio: Studio, scenes: Sequence[str], arguments: argparse.Namespace) -> None:
    """The README's pictures first, then each scene in each look."""
    theme.choose("light")
    if arguments.readme is not None and scenes is FULL and language() == ENGLISH:
        studio.readme = {name: arguments.readme / f"{name}.png" for name in README}
        for name in README:
            await play(studio, name)
        studio.readme = {}
    for look in arguments.looks:
        choice, percent = LOOKS[look]
        theme.choose(choice)
        theme.scale_text(percent)
        studio.look = look
        for name in scenes:
            if not arguments.only or name in arguments.only:
                await play(studio, name)
    theme.scale_text(100)


async def play(studio: Studio, name: str) -> None:
    sys.stdout.write(f"{studio.look}: {name}\n")
    sys.stdout.flush()
    try:
        await getattr(studio, name)()
    except Exception as error:
        sys.stdout.write(f"  {name} failed: {type(error).__name__}: {error}\n")


def _size(text: str) -> QSize:
    wide, tall = text.split("x")
    return QSize(int(wide), int(tall))


def apart(arguments: argparse.Namespace, vault: str) -> None:
    """In a process for each language, since a window speaks one, and for each vault: whoever gave up sockets starts no second courier."""
    english = [look for look in arguments.looks if look != MIRRORED]
    for looks in (english, [look for look in arguments.looks if look == MIRRORED]):
        if looks:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--looks", *looks, "--vault", vault], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, default=Path(tempfile.gettempdir()) / "eyelid-screenshots", help="where all pictures go")
    parser.add_argument("--readme", type=Path, help="make the README's pictures, too, in this folder")
    parser.add_argument("--looks", nargs="*", choices=list(LOOKS), default=list(LOOKS))
    parser.add_argument("--only", nargs="*", choices=[*FULL, "empty"], default=[])
    parser.add_argument("--size", type=_size, default=SIZE, help="of the window, and of the screen it stands on")
    parser.add_argument("--language", choices=list(LANGUAGES), default=ENGLISH, help="of the window, but for the mirrored look")
    parser.add_argument("--vault", choices=("empty", "full"), help="only the pages of this one")
    arguments = parser.parse_args()
    if arguments.vault is None:
        for vault in ("empty", "full"):
            apart(arguments, vault)
        sys.stdout.write(f"Look at them one by one: {arguments.judge}\n")
        return
    for folder in (arguments.judge, arguments.readme):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    keyring.set_keyring(keyring.backends.fail.Keyring())
    screen = arguments.judge / "screen.json"
    place = {"name": "screen", "x": 0, "y": 0, "width": arguments.size.width(), "height": arguments.size.height(), "logicalDpi": 96}
    screen.write_text(json.dumps({"screens": [place | {"logicalBaseDpi": 96, "dpr": 1}]}), "utf-8")
    os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={screen}")
    os.environ.setdefault("QT_LOGGING_RULES", "qt.multimedia.*=false;qt.qpa.*=false")
    app = QApplication(["eyelid"])
    app.setQuitOnLastWindowClosed(False)
    os.environ[VARIABLE] = PSEUDO_MIRRORED if MIRRORED in arguments.looks else arguments.language
    speak(app, Profile(arguments.judge / "no profile"))
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(shoot(app, loop, arguments))


if __name__ == "__main__":
    main()
