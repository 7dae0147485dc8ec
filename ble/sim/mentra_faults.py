"""What can be made to go wrong with simulated Mentra Live glasses. Plain data, fixed when they are made; all off by default.

Each was reported of real glasses (issues 1479, 2039, 2780, 3349, 3419, 3475, 3694, 3701 of Mentra-Community/MentraOS), or is what glasses
in the wrong hands could do.
"""

from __future__ import annotations

from dataclasses import dataclass

from ble.drivers.k900 import LengthOrder


@dataclass(frozen=True, slots=True)
class MentraFaults:
    """Faults of the link and its messages, of photos over Bluetooth, and of the gallery over Wi-Fi.

    Faults of packets harm the first `times` transfers and spare those after; None harms all.
    """

    mtu: int = 509
    order: LengthOrder = LengthOrder.BIG
    deaf_to_other_order: bool = False
    """Frames with the other byte order are not understood, as by firmware that knows one only."""
    split_frames: int | None = None
    """Frames are notified in pieces of so many bytes."""
    garbage: bytes = b""
    """Notified before each frame."""
    boot_seconds: float = 0.0
    """The application needs so long to start after the first connection."""
    never_acknowledges: bool = False
    repeats_messages: bool = False
    """Each numbered message of the glasses comes twice, as when an acknowledgement was lost."""
    flood: int = 0
    """So many useless messages follow the first contact."""
    hostile_message: bytes = b""
    """Notified in a frame of its own after the first contact."""

    not_announced: bool = False
    lose_packet: int | None = None
    repeat_packet: int | None = None
    swap_packet: int | None = None
    inflated_size: bool = False
    wrong_pack_size: bool = False
    ignores_mtu: bool = False
    """Packets are of 400 bytes whatever the link carries."""
    trailing: bytes = b""
    """Appended to each picture sent over Bluetooth."""
    restart_after_packet: int | None = None
    drop_link_after_packet: int | None = None
    endless_packets: bool = False
    deaf_to_confirmation: bool = False
    """The first confirmation of each file is not heard, so the file comes again."""
    photo_error: str = ""
    camera_silent: bool = False
    times: int | None = None
    old_build: bool = False
    """Photos to be saved are sent over Bluetooth as well, and the gallery is of the older kind."""
    gallery_busy: bool = False

    hotspot_silent: int = 0
    """So many orders to turn the hotspot on are carried out without a word."""
    hotspot_error: bool = False
    hotspot_late: float = 0.0
    """Seconds until the hotspot can be reached after it was said to be on."""
    hotspot_idle: float = 120.0
    """Seconds without a request after which the hotspot goes off."""
    announced_address: str = ""
    """Told instead of the true address."""
    on_network: bool = True
    """The glasses are on a Wi-Fi network together with this computer."""

    cut_after: int | None = None
    """Each answer with a file ends after so many bytes."""
    cuts: int | None = None
    """So many answers are cut; None: all."""
    without_range: bool = False
    wrong_hash: bool = False
    changes_file: bool = False
    """A file is another one after its first request."""
    recording: bool = False
    too_many_after: int | None = None
    """After so many requests the next three are answered with 429."""
    slow_list: bool = False
    """Lists of more than 20 captures take the glasses too long."""
    bad_names: tuple[str, ...] = ()
    """Further files with these names are listed."""
    redirect_to: str = ""
    endless_file: bool = False
    hostile_list: bytes = b""
    circular_list: bool = False
    server_error: int = 0
    """So many requests for files are answered with 500."""


NO_MENTRA_FAULTS = MentraFaults()
