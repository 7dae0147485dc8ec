"""What the benchmarks measure with: contestants that take turns, ratios by the clock and in computing, memory, and goals."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
Contest = dict[str, tuple[Path, Callable[[], object]]]
"""Of each contestant, the file it writes and its work."""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu() -> float:
    """Seconds that this process and its children kept processors busy: what a busy computer disturbs least."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


@dataclass(slots=True)
class Times:
    """Of each contestant, the seconds by the clock and of processors, round by round."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    busy: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, slow: str, fast: str) -> tuple[float, float]:
        """How many times as fast `fast` is as `slow` by the clock, in the median round, and how many times as little it computes."""
        wall, busy = ([a / b for a, b in zip(times[slow], times[fast], strict=True)] for times in (self.wall, self.busy))
        return statistics.median(wall), statistics.median(busy)


def rounds(entries: Contest, runs: int) -> Times:
    """Let every contestant work once a round, what it needs being there; return the times of each.

    Each second round goes backwards, and nobody starts before the drive is done with what the one before wrote, or writes over an old file.
    """
    times = Times()
    for _, work in entries.values():
        work()
    for number in range(runs):
        for name, (target, work) in list(entries.items())[:: -1 if number % 2 else 1]:
            target.unlink()
            os.sync()
            before = cpu()
            times.wall.setdefault(name, []).append(seconds(work))
            times.busy.setdefault(name, []).append(cpu() - before)
    return times


def peak_mib() -> int:
    """The most memory this process ever had, in MiB (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (MIB if sys.platform == "darwin" else 1024)


def memory_mib() -> int:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MIB


def goal(text: str, value: float, least: float | None = None, most: float | None = None, unit: str = "") -> None:
    met = (least is None or value >= least) and (most is None or value <= most)
    wanted = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"  {text}: {value:.2f}{unit} (goal: {wanted}{unit}; {'met' if met else 'MISSED'})")
