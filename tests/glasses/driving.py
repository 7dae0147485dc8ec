"""What tests of glasses over Wi-Fi do in the place of a person."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from app.glasses import airs
from app.glasses.over_wifi import WifiStep
from app.media.samples import clip


def film(size: int) -> bytes:
    """A clip of `size` bytes: the sample, with a box of nothing known behind it (ISO/IEC 14496-12, 8.1.2)."""
    filling = size - len(clip())
    return clip() + filling.to_bytes(4, "big") + b"free" + bytes(filling - 8)


async def paired(bench: Any, monkeypatch: pytest.MonkeyPatch, twin: Any) -> str:
    """Switch this twin on and pair with it; its address."""
    monkeypatch.setattr(airs, "simulated", lambda *_: twin)
    await bench.desk.start_simulated("open")
    return str((await bench.desk.pair(await bench.found())).address)


async def imported(bench: Any, address: str) -> WifiStep:
    """The last step."""
    async with contextlib.aclosing(bench.desk.import_over_wifi(address)) as steps:
        return [step async for step in steps][-1]
