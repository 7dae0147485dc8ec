"""What is said of glasses, the same wherever they are shown: family, signal, what they can do, what they hold. Pure functions."""

from __future__ import annotations

from ble.types import Capabilities, Capability, DeviceInfo, GlassesStatus, Stored
from ui import words
from ui.i18n import plural, tr

EXPERIMENTAL = "heycyan"


def family(id: str) -> str:
    """A family as its maker calls it; an id nobody knows stays as it is."""
    return {
        "omi-glass": tr("Omi Glass"),
        "openglass": tr("OpenGlass"),
        "frame": tr("Brilliant Labs Frame"),
        "halo": tr("Brilliant Labs Halo"),
        "open": tr("Open profile"),
        "mentra-live": tr("Mentra Live"),
        "heycyan": tr("HeyCyan"),
    }.get(id, id)


def is_experimental(id: str) -> bool:
    """Whether the way to this family was found out by others rather than published by its maker."""
    return id == EXPERIMENTAL


def identity(id: str, info: DeviceInfo | None) -> str:
    """Family, model and firmware in one line, as far as they are known; a model that says no more than the family is left out."""
    made_by = family(id)
    model = info.model if info is not None and info.model.casefold() not in made_by.casefold() else ""
    firmware = tr("firmware {version}", version=info.firmware) if info is not None and info.firmware else ""
    return " · ".join(part for part in (made_by, model, firmware) if part)


def signal(rssi: int) -> tuple[str, str]:
    """Icon and word for a signal in dBm."""
    if rssi >= -60:
        return "signal-3", tr("Strong signal")
    if rssi >= -78:
        return "signal-2", tr("Fair signal")
    return "signal-1", tr("Weak signal")


def abilities(can: Capabilities) -> list[tuple[str, str]]:
    """Icon and words for each thing these glasses can do that a wearer would notice, most wanted first."""
    every = tr("Photos every {n} s", n=can.interval_seconds) if can.interval_seconds else tr("Photos at intervals")
    said = (
        (Capability.TAKE_PHOTO, "camera", tr("Photos on request")),
        (Capability.CONTINUOUS_CAPTURE, "interval", every),
        (Capability.VIDEO, "video", tr("Videos")),
        (Capability.MICROPHONE, "sound", tr("Voice notes")),
        (Capability.WIFI, "export", tr("Fast import over Wi-Fi")),
        (Capability.RESUME, "refresh", tr("Import goes on after a break")),
        (Capability.RELEASE, "trash", tr("Can be emptied after import")),
        (Capability.BATTERY, "battery", tr("Battery level")),
        (Capability.STORAGE, "drive", tr("Storage level")),
    )
    link = ("lock", tr("Encrypted link")) if can.encrypted_link else ("unlock", tr("Link not encrypted"))
    return [(icon, text) for ability, icon, text in said if can.can(ability)] + [link]


def holds(stored: Stored) -> str:
    """What is on the glasses: "12 photos and 3 videos"; all of it by number."""
    photos = plural(stored.photos, "{count} photo", "{count} photos")
    videos = plural(stored.videos, "{count} video", "{count} videos") if stored.videos else ""
    sounds = plural(stored.sounds, "{count} recording", "{count} recordings") if stored.sounds else ""
    return tr("{what} on the glasses", what=tr(", ").join(part for part in (photos, videos, sounds) if part))


def storage(status: GlassesStatus) -> str:
    """What the glasses hold and have room for; empty where they do not tell."""
    parts = [holds(status.stored)] if status.stored is not None else []
    if status.storage_free is not None:
        parts.append(tr("{size} free", size=words.size(status.storage_free)))
    return tr(", ").join(parts)
