"""The imports a person asked for, one after another: owned by the window, so that they go on whichever page is in front."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import Explanation
from app.imports.run import Choice, Run
from app.imports.types import Outcome, Progress, Report
from app.vault.types import LockState
from ui.context import Context

KEY = "import run"
TOLD_MS = 100
"""Progress is shown no more often: an import ends hundreds of small files a second."""


class ImportWork(QObject):
    """`moved` when progress or state changed; `ended` carries the report of all that was asked for since nothing ran.

    The vault's lock ends a run. What was not done then, or when the person stopped it, is in `rest`, to go on with.
    """

    moved = Signal()
    ended = Signal(object)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._waiting: deque[tuple[Path, ...]] = deque()
        self._run: Run | None = None
        self._done: Report | None = None
        self.only_glasses = False
        self.progress: Progress | None = None
        self.rest: tuple[Path, ...] = ()
        self.locked_out = False
        self._calm = QTimer(self, singleShot=True, interval=TOLD_MS)
        self._calm.timeout.connect(self.moved)

    @property
    def running(self) -> bool:
        return bool(self._waiting)

    @property
    def paused(self) -> bool:
        return self._run is not None and self._run.paused

    def take(self, paths: Sequence[Path]) -> None:
        """Import what lies below `paths`, after what is being imported already."""
        if not paths:
            return
        self._waiting.append(tuple(paths))
        if len(self._waiting) == 1:
            self.rest, self.locked_out = (), False
            self._context.tasks.start(self._working(), key=KEY, on_error=self._failed, then=self._over)
            self.moved.emit()

    def go_on(self) -> None:
        """With what was not done."""
        self.take(self.rest)

    def pause(self) -> None:
        if self._run is not None:
            (self._run.resume if self._run.paused else self._run.pause)()
            self.moved.emit()

    def stop(self) -> None:
        """What is under way is finished; the rest can be gone on with."""
        if self._run is not None:
            self._run.stop()

    async def _working(self) -> None:
        outcomes: list[Outcome] = []
        report = Report()
        while self._waiting and not report.stopped:
            self.progress = None
            self._run = self._context.services.imports.run(Choice(self.only_glasses), self._at)
            report = await self._run.files(self._waiting[0])
            outcomes += report.outcomes
            if not report.stopped:
                self._waiting.popleft()
        self._done = replace(report, outcomes=tuple(outcomes))

    def _over(self) -> None:
        """However it ended, and if it never began."""
        self.rest = tuple(path for paths in self._waiting for path in paths)
        self._waiting.clear()
        self._run = None
        self._calm.stop()
        done, self._done = self._done, None
        self.moved.emit()
        if done is not None:
            self.ended.emit(done)

    def _at(self, progress: Progress) -> None:
        self.progress = progress
        if not self._calm.isActive():
            self._calm.start()

    def _failed(self, said: Explanation) -> None:
        """The lock is no failure: after unlocking it can go on."""
        self.locked_out = self._context.services.vault.state is not LockState.UNLOCKED
        if not self.locked_out:
            self._context.tasks.failed.emit(said, self.go_on)

    def forget(self) -> None:
        """The vault locks. Names of files are dropped from the screen; the paths to go on with stay in memory only."""
        if self.running:
            self.locked_out = True
            self._context.tasks.cancel(KEY)
        self.progress = None
