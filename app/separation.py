"""The separation: this process gives up the internet, and from then on couriers come from the depot, which was there before.

Owns the order of the two, and the report of what the kernel enforces now. What each process gives up is decided where it begins; what it
means, and what it does not, is in SECURITY.md. Programs started here give it up as well: a browser, should one ever be wanted, has to be
asked for over D-Bus.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from app.confine.calls import BLUETOOTH, NETLINK, UNIX, Kept, keep_only
from app.sharing.courier_link import Departure, environment
from app.sharing.errors import CourierGone

if TYPE_CHECKING:
    from app.courier.depot_link import Depot
    from ble.sim.loopback_http import Listen

KEPT = Kept((UNIX, NETLINK, BLUETOOTH), programs=True, writing=True)
"""Local sockets carry the display, D-Bus (and so Bluetooth, the keyring, notifications) and sound; netlink tells of devices that come."""


@dataclass(frozen=True, slots=True)
class Separation:
    """What stands in for sockets of one's own. Without a depot this process has them still, and does without by its own discipline."""

    depot: Depot | None = None

    @classmethod
    def begin(cls) -> Self:
        """Start the depot and give up internet sockets, for good, for all threads and all programs started from now on. Raises CourierGone.

        On Linux; elsewhere nothing is given up and no depot is needed. Once a process, and before any key is in memory.
        """
        if sys.platform != "linux":
            return cls()
        from app.courier.depot_link import Depot

        try:
            depot = Depot.start(environment())
        except OSError as error:
            raise CourierGone("The helper process that talks to the network could not be started.") from error
        keep_only(KEPT)
        return cls(depot)

    @property
    def departure(self) -> Departure | None:
        """How couriers are started; None: as children of this process."""
        return self.depot.courier if self.depot is not None else None

    @property
    def listen(self) -> Listen | None:
        """How simulated glasses get a port on this computer; None: as anybody does."""
        if self.depot is None:
            return None
        from app.courier.doorstep import Doorstep

        return partial(Doorstep.open, self.depot)

    def close(self) -> None:
        """End the depot. The sockets stay given up."""
        if self.depot is not None:
            self.depot.close()


@dataclass(frozen=True, slots=True)
class InForce:
    """What the kernel enforces now: `main` was tried, the others are what those processes found when they began."""

    main: bool
    """This process gets no sockets to the internet."""
    courier_calls: bool
    """The courier gets no programs, no local sockets, and writes nothing."""
    courier_files: int
    """The courier sees no file of the person's: the version of Landlock, 0 for none."""
    look: bool
    """The process that looks at pictures gets no sockets, no programs, and writes nothing."""
