"""The window's speed with a hundred thousand captures, beside an empty window, the vault alone, and a bare QListView.

    python tests/bench/bench_window.py [--items 100000] [--photos 1000] [--only start scroll import]

Each part runs in processes of its own, without a screen. The vault is that of `large_vault`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from large_vault import PASSPHRASE, borrow_thumbs, make_photos, make_vault
from measure import goal, memory_mib, peak_mib
from watchdog import Watchdog
from wheel import STEPS, Wheel, said, turn

SIZE = (1280, 860)


# -- cold start


def start_bare(profile: Path, began: float) -> dict[str, float]:
    """An empty window, painted; then the vault, opened and unlocked."""
    from PySide6.QtWidgets import QApplication, QWidget

    app = QApplication(["bare"])
    painted: list[float] = []

    class Empty(QWidget):
        def paintEvent(self, event: Any) -> None:
            painted.append(time.time())
            app.quit()

    window = Empty()
    window.resize(*SIZE)
    window.show()
    app.exec()
    from app.vault.vault import Vault

    vault = Vault.open(profile / "vault")
    vault.unlock_with_passphrase(PASSPHRASE)
    done = time.time()
    vault.close()
    return {"window": painted[0] - began, "whole": done - began, "key": key_seconds()}


def key_seconds() -> float:
    """How long the passphrase's key takes to derive, which no program can avoid."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    began = time.perf_counter()
    Scrypt(salt=bytes(16), length=32, n=1 << 18, r=8, p=1).derive(b"bench")
    return time.perf_counter() - began


def start_ours(profile: Path, began: float) -> dict[str, float]:
    """The program as `make run` starts it, unlocked as soon as its window is there; usable once captures are painted."""
    borrow_thumbs()
    from ui import main as program
    from ui.main_window import MainWindow
    from ui.widgets.timeline import TimelineView

    times: dict[str, float] = {}
    paint, show = TimelineView.paintEvent, MainWindow.show

    def shown(window: MainWindow) -> None:
        window.resize(*SIZE)
        show(window)
        times["window"] = time.time() - began
        window.tasks.start(window.context.services.vault.unlock(PASSPHRASE))
        window.tasks.start(until_whole(window))

    def painted(view: TimelineView, event: Any) -> None:
        paint(view, event)
        if view.model().rowCount() and "whole" not in times:
            times["whole"] = time.time() - began

    async def until_whole(window: MainWindow) -> None:
        while not window.captures._whole or "whole" not in times:
            await asyncio.sleep(0.005)
        times["every row"] = time.time() - began
        while not window.captures.thumbs._kept:
            await asyncio.sleep(0.005)
        times["sharp"] = time.time() - began
        window.close()

    TimelineView.paintEvent, MainWindow.show = painted, shown  # type: ignore[method-assign]
    from app.paths import Profile

    program.open_window(Profile(profile))
    return times


def bench_start(profile: Path, options: argparse.Namespace) -> None:
    print(f"cold start, {options.items} captures, {options.runs} rounds (medians)")
    found: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    for _ in range(options.runs):
        for name in found:
            found[name].append(child(f"start-{name}", profile, options))
    middle = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()}
    for name, times in middle.items():
        print(f"  {name}: " + ", ".join(f"{key} {value * 1e3:.0f} ms" for key, value in times.items()))
    ratio = statistics.median(ours["whole"] / bare["whole"] for ours, bare in zip(found["ours"], found["bare"], strict=True))
    goal("to a usable window, beside an empty window and the vault's open", ratio, most=1.5)
    key = middle["bare"]["key"]
    print(f"  the same without deriving the key: {(middle['ours']['whole'] - key) / (middle['bare']['whole'] - key):.2f}")


# -- the window in a program of our own


async def with_window(profile: Path, work: Callable[[Any, Watchdog], Any]) -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from app.paths import Profile
    from app.services import Services
    from ui.collector import Collector
    from ui.main_window import MainWindow
    from ui.theme import Theme

    app = QApplication.instance()
    services = await Services.start(Profile(profile))
    collector = Collector(app)
    window = MainWindow(services, Theme(app), asyncio.get_running_loop())  # type: ignore[arg-type]
    window.resize(*SIZE)
    window.show()
    await services.vault.unlock(PASSPHRASE)
    while not (window.captures._whole and window.captures.thumbs._kept):
        await asyncio.sleep(0.01)
    collector.settle()
    await asyncio.sleep(1)
    watchdog = Watchdog()
    try:
        return await work(window, watchdog)  # type: ignore[no-any-return]
    finally:
        watchdog.end()
        window.close()
        await window.tasks.stop()
        await services.stop()
        collector.stop()


def in_loop(profile: Path, work: Callable[[Any, Watchdog], Any]) -> dict[str, float]:
    borrow_thumbs()
    from PySide6.QtWidgets import QApplication

    app = QApplication(["eyelid"])
    app.setQuitOnLastWindowClosed(False)
    import qasync

    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        return loop.run_until_complete(with_window(profile, work))  # type: ignore[no-any-return]


# -- scrolling


async def scroll(window: Any, watchdog: Watchdog) -> dict[str, float]:
    found: dict[str, float] = {}
    view = window.captures.view
    for name, (count, step) in STEPS.items():
        view.verticalScrollBar().setValue(0)
        await asyncio.sleep(0.3)
        watchdog.begin()
        found |= said(name, await turn(view, count, step))
        found["memory"] = max(found.get("memory", 0), memory_mib())
        found[f"{name} longest"], found[f"{name} busiest"] = watchdog.clock * 1e3, watchdog.busy * 1e3
    found["peak"] = peak_mib()
    began = time.perf_counter()
    window.resize(SIZE[0] - 200, SIZE[1])
    view.viewport().repaint()
    found["resize"] = (time.perf_counter() - began) * 1e3
    began = time.perf_counter()
    view.selectAll()
    view.viewport().repaint()
    found["select all"] = (time.perf_counter() - began) * 1e3
    return found


def scroll_bare(profile: Path, items: int) -> dict[str, float]:
    """A QListView as Qt makes it, with as many lines of text in cells of the same size, and nothing else."""
    from PySide6.QtCore import QSize, QStringListModel
    from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView

    app = QApplication(["bare"])
    import qasync

    view = QListView()
    view.setModel(QStringListModel([f"Capture {number}" for number in range(items)]))
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setUniformItemSizes(True)
    view.setGridSize(QSize(176, 220))
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.resize(SIZE[0] - 200, SIZE[1] - 150)
    view.show()

    async def work() -> dict[str, float]:
        found: dict[str, float] = {}
        for name, (count, step) in STEPS.items():
            view.verticalScrollBar().setValue(0)
            found |= said(name, await turn(view, count, step))
        found["memory"] = peak_mib()
        began = time.perf_counter()
        view.resize(SIZE[0] - 400, SIZE[1] - 150)
        view.doItemsLayout()
        found["resize"] = (time.perf_counter() - began) * 1e3
        return found

    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        return loop.run_until_complete(work())  # type: ignore[no-any-return]


def bench_scroll(profile: Path, options: argparse.Namespace) -> None:
    print(f"scrolling {options.items} captures, sixty steps a second (milliseconds)")
    ours, bare = child("scroll-ours", profile, options), child("scroll-bare", profile, options)
    for name in STEPS:
        for what in ("painted", "computed"):
            beside = ", ".join(
                f"p{part} {ours[f'{name} {what} p{part}']:.1f} (bare {bare[f'{name} {what} p{part}']:.1f})" for part in (50, 99)
            )
            print(f"  {name}, {what}: {beside}")
            goal(f"{name}, 99 % of frames {what} in", ours[f"{name} {what} p99"], most=16, unit=" ms")
        goal(f"{name}, longest handler in computing", ours[f"{name} busiest"], most=50, unit=" ms")
        print(f"  {name}, longest handler by the clock: {ours[f'{name} longest']:.0f} ms")
    print(f"  another width: {ours['resize']:.0f} (bare {bare['resize']:.0f}); select all: {ours['select all']:.0f}")
    goal(f"memory (bare {bare['memory']:.0f} MiB)", ours["memory"], most=400, unit=" MiB")
    print(f"  at its peak, when the passphrase's key was derived: {ours['peak']:.0f} MiB")


# -- import while scrolling


def importing(photos: Path) -> Callable[[Any, Watchdog], Any]:
    async def work(window: Any, watchdog: Watchdog) -> dict[str, float]:
        view, services = window.captures.view, window.context.services
        before = window.captures.model.rowCount()
        watchdog.begin()
        began, done = time.perf_counter(), asyncio.Event()
        job = asyncio.ensure_future(services.imports.run().files([photos]))
        job.add_done_callback(lambda _: done.set())
        frames: list[Wheel] = []
        while not done.is_set():
            frames.append(await turn(view, 120, STEPS["wheel"][1]))
        report = job.result()
        taken = time.perf_counter() - began
        wanted = before + len(report.outcomes)
        while window.captures.model.rowCount() < wanted:
            await asyncio.sleep(0.01)
        whole = Wheel(view, STEPS["wheel"][1])
        whole.painted = [one for wheel in frames for one in wheel.painted]
        whole.computed = [one for wheel in frames for one in wheel.computed]
        sys.stderr.write(watchdog.report())
        return said("wheel", whole) | {
            "longest": watchdog.clock * 1e3,
            "busiest": watchdog.busy * 1e3,
            "seconds": taken,
            "photos": len(report.outcomes),
            "memory": memory_mib(),
        }

    return work


def bench_import(profile: Path, options: argparse.Namespace) -> None:
    print(f"import of {options.photos} photos while scrolling {options.items} captures")
    found = child("import", profile, options)
    print(f"  {found['photos']:.0f} photos in {found['seconds']:.1f} s, {found['photos'] / found['seconds']:.0f} a second")
    goal("longest handler on the main thread, in computing", found["busiest"], most=50, unit=" ms")
    goal("longest handler on the main thread, by the clock", found["longest"], most=50, unit=" ms")
    goal("99 % of frames painted in", found["wheel painted p99"], most=16, unit=" ms")
    goal("99 % of frames computed in", found["wheel computed p99"], most=16, unit=" ms")
    goal("memory afterwards", found["memory"], most=400, unit=" MiB")


# -- processes


def child(name: str, profile: Path, options: argparse.Namespace) -> dict[str, float]:
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "qt.*=false", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, __file__, "--child", name, "--folder", str(profile), "--items", str(options.items)]
    ran = subprocess.run([*command, "--began", repr(time.time())], env=env, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def run_child(options: argparse.Namespace) -> None:
    import keyring
    import keyring.backends.fail

    profile = options.folder
    work: dict[str, Callable[[], dict[str, float]]] = {
        "start-bare": lambda: start_bare(profile, options.began),
        "start-ours": lambda: start_ours(profile, options.began),
        "scroll-bare": lambda: scroll_bare(profile, options.items),
        "scroll-ours": lambda: in_loop(profile, scroll),
        "import": lambda: in_loop(profile, importing(profile.parent / "photos")),
    }
    if not options.child.startswith("start"):
        keyring.set_keyring(keyring.backends.fail.Keyring())
    print(json.dumps(work[options.child]()))


SECTIONS = {"start": bench_start, "scroll": bench_scroll, "import": bench_import}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir()))
    parser.add_argument("--child")
    parser.add_argument("--began", type=float)
    parser.add_argument("--keep", action="store_true", help="use, and leave, the vault of an earlier run in FOLDER/eyelid-bench")
    options = parser.parse_args()
    if options.child:
        run_child(options)
        return
    sys.path.insert(0, str(Path(__file__).parents[2]))
    if options.keep:
        run(options.folder / "eyelid-bench", options)
        return
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="eyelid-bench-") as name:
        run(Path(name), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    profile = folder / "profile"
    if not profile.exists():
        profile.mkdir(parents=True)
        make_vault(profile, options.items)
        make_photos(folder / "photos", options.photos)
    for section in options.only:
        SECTIONS[section](profile, options)


if __name__ == "__main__":
    main()
