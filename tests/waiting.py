"""Waiting for what a test is about: for the thing itself, never for a length of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Let the loop run until `condition` holds: at most `seconds` by its clock, many because computers may be busy."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
