"""The window as a program: one Qt application on one qasync loop. Starts the services, shows the window, and stops both in order."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QSocketNotifier, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QWidget

from app.errors import explain
from app.outside import Outside
from app.paths import Profile
from ui.collector import Collector
from ui.dialogs import tell
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.icons import app_icon
from ui.language import speak
from ui.lockwatch import make_watch
from ui.screen import has_screen
from ui.single import claim, ring
from ui.theme import Theme

if TYPE_CHECKING:
    from app.services import Services
    from ui.main_window import MainWindow

BEGIN_SECONDS = 3.0
"""After so long at the latest, the glasses are looked after."""
FAILED = 1
"""The same as the command line's code for "could not be done"."""

_NO_ANSWER_WORDS = "Eyelid is open already, but its window does not answer. End it, then start Eyelid again.\n"
_NO_SCREEN_WORDS = "Eyelid's window needs a screen, and there is none here; use “eyelid --help” for the command line instead.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window; returns the exit code (0 done, 1 no screen or could not start)."""
    arguments = _parser().parse_args(sys.argv[1:] if argv is None else argv)
    profile = Profile(arguments.profile.expanduser().absolute()) if arguments.profile else Profile.default()
    return open_window(profile, tuple(arguments.sim), hidden=arguments.hidden)


def open_window(profile: Profile, sims: Sequence[str] = (), *, hidden: bool = False) -> int:
    """Show the window on `profile` until it is closed; the exit codes are those of `main`. If there is one already, that comes forward.

    `hidden`: begin in the tray, or as a small window where there is no tray.
    """
    if not has_screen():
        sys.stderr.write(_NO_SCREEN_WORDS)
        return FAILED
    profile.make()
    if (held := claim(profile.root)) is None:
        return _wake_the_other(profile, hidden)
    try:
        return _open(profile, sims, hidden)
    finally:
        held.release()


def _wake_the_other(profile: Profile, hidden: bool) -> int:
    """This profile has a window; a second one would only be told that the vault is in use."""
    if hidden or ring(profile.root):
        return 0
    sys.stderr.write(_NO_ANSWER_WORDS)
    return FAILED


def _open(profile: Profile, sims: Sequence[str], hidden: bool) -> int:
    spare_reading()
    app = _application()
    speak(app, profile)
    import qasync  # type: ignore[import-untyped]  # picks its Qt binding when imported, which must be the one loaded above

    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        return int(loop.run_until_complete(run(app, profile, sims, loop, hidden=hidden)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eyelid-window", description="The window of Eyelid.")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="use this folder instead of your own profile")
    parser.add_argument(
        "--sim", action="append", default=[], metavar="FAMILY", help="put simulated glasses of this family on a virtual radio"
    )
    parser.add_argument("--hidden", action="store_true", help="start in the tray, as after logging in")
    return parser


def spare_reading() -> None:
    """Keep PySide6 from reading the source of every module that is imported after it, some three hundred at a start (60 ms, 4 MB).

    It looks there for its own name, to know which modules may have chosen one of its `__feature__`s; none does here. (Its code is in
    shibokensupport/feature.py, and says so under PYSIDE-2029.) Without that function nothing is done, and all is as slow as before.
    """
    feature = sys.modules.get("shibokensupport.feature")
    if feature is not None and "_mod_uses_pyside" in vars(feature):
        vars(feature)["_mod_uses_pyside"] = lambda _module: True


def _application() -> QApplication:
    """Make the application; should Qt give up on the screen after all, leave with one sentence instead of a crash."""

    def on_fatal(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind == QtMsgType.QtFatalMsg:
            sys.stderr.write(_NO_SCREEN_WORDS)
            sys.stderr.flush()
            os._exit(FAILED)

    qInstallMessageHandler(on_fatal)
    app = QApplication(["eyelid"])
    qInstallMessageHandler(None)
    app.setApplicationName("eyelid")
    app.setApplicationDisplayName(tr("Eyelid"))
    app.setDesktopFileName("app.eyelid.Eyelid")  # of resources/packaging: its icon, and whose notifications these are
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(app_icon())
    return app


async def run(app: QApplication, profile: Profile, sims: Sequence[str], loop: asyncio.AbstractEventLoop, *, hidden: bool = False) -> int:
    """Start, show, wait until the window is closed, stop."""
    theme = Theme(app)
    collector = Collector(app)
    try:
        return await _run(theme, collector, profile, sims, loop, hidden)
    finally:
        collector.stop()


async def _run(
    theme: Theme, collector: Collector, profile: Profile, sims: Sequence[str], loop: asyncio.AbstractEventLoop, hidden: bool
) -> int:
    try:
        outside = Outside()
        await asyncio.sleep(0)  # by now the courier's process is on its way; the modules are read while it comes up
        from app.services import Services

        starting = asyncio.ensure_future(Services.start(profile, sims=sims, outside=outside, begin=False))
        await asyncio.sleep(0)
        from ui.everyday import Everyday
        from ui.main_window import MainWindow

        services = await starting
    except Exception as error:  # whatever it was, the person is told in the same three parts
        said = explain(error)
        anchor = QWidget()
        await tell(anchor, tr_core(said.what), " ".join(tr_core(part) for part in (said.why, said.action) if part))
        return FAILED
    try:
        window = MainWindow(services, theme, loop, make_watch())
        _on_signals(window)
        everyday = Everyday(window)
        (everyday.start_hidden if hidden else window.show)()
        window.tasks.start(_begin(services, window))
        collector.settle()
        await window.closed.wait()
        everyday.stop()
        await window.tasks.stop()
    finally:
        await services.stop()
    window.deleteLater()
    return 0


async def _begin(services: Services, window: MainWindow) -> None:
    """Leave the first moments to whoever waits for the window; but one that nobody sees is never made to the end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BEGIN_SECONDS):
            await window.made.wait()
    await services.begin()
    window.show_glasses()


def _on_signals(window: MainWindow) -> None:
    """Close the window on SIGINT and SIGTERM. The pipe wakes Qt, so that Python sees the signal at once; there is none on Windows."""
    if sys.platform == "win32":
        return
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    waker = QSocketNotifier(reading, QSocketNotifier.Type.Read, window)
    waker.activated.connect(lambda: os.read(reading, 64))

    def close(number: int, frame: FrameType | None) -> None:
        window.leave()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, close)


if __name__ == "__main__":
    sys.exit(main())
