"""What keeps this process from the internet and stands between it and the network: begun before anything else is read, to be up by then.

Owns the separation and the courier until `Services` takes them over. Imports little, because what it starts needs time of its own.
"""

from __future__ import annotations

import asyncio

from app.confine.memory import harden
from app.separation import Separation
from app.sharing.courier_link import CourierLink


class Outside:
    """Made before there can be any key in memory. To be used on one loop, which is running."""

    def __init__(self) -> None:
        """Harden this process, give up the internet, and send for the courier. Raises CourierGone."""
        harden()
        self.separation = Separation.begin()
        self._coming = asyncio.ensure_future(CourierLink.start(self.separation.departure))

    async def courier(self) -> CourierLink:
        """Wait until it is ready. Raises CourierGone."""
        return await self._coming

    async def close(self) -> None:
        """End both, where nothing came of the start."""
        self._coming.cancel()
        for courier in await asyncio.gather(self._coming, return_exceptions=True):
            if isinstance(courier, CourierLink):
                await courier.close()
        self.separation.close()
