"""Dates, ages, sizes and states as words, the same everywhere in the window and ready for a screen reader. Pure functions."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from PySide6.QtCore import QDate, QLocale, QTime

from app.errors import Explanation
from app.library.types import Tile
from app.sharing.types import Outcome, PolicyClass
from app.vault.types import ItemKind, NewItem
from app.vault.words import local_time
from ble.types import LinkState
from ui.i18n import keys as keys
from ui.i18n import plural, tr, translated
from ui.phrases import together

_WEEKDAY = re.compile(r"[\s,،、]*dddd[\s,،、]*")
_DAY = re.compile(r"('[^']*')|\s*(?<!d)d(?!d)[.,日일]*\s*('[^']*'\s*)?")
"""The day of the week and the day of the month in a date pattern, each with what parts it from the rest; words in quotes are no days."""

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "image/heic": "HEIC",
    "image/avif": "AVIF",
    "video/mp4": "MP4",
    "video/quicktime": "QuickTime",
    "video/webm": "WebM",
    "video/matroska": "Matroska",
    "video/x-msvideo": "AVI",
    "audio/wav": "WAV",
    "audio/ogg": "Ogg",
    "audio/mpeg": "MP3",
    "audio/mp4": "M4A",
    "audio/aac": "AAC",
    "audio/flac": "FLAC",
}
"""Names of formats, the same in all languages."""


def local(moment: datetime) -> datetime:
    """The same moment in the time zone of this computer."""
    return local_time(moment)


def day(moment: date | datetime, today: date | None = None) -> str:
    """ "Today", "Yesterday" or "Tuesday, 12 May 2026" in the person's locale."""
    that = local(moment).date() if isinstance(moment, datetime) else moment
    now = today or local(datetime.now(UTC)).date()
    if that == now:
        return tr("Today")
    if (now - that).days == 1:
        return tr("Yesterday")
    return QLocale().toString(QDate(that.year, that.month, that.day), QLocale.FormatType.LongFormat)


def month(year: int, number: int, count: int) -> str:
    """ "May 2026 (12)" in the person's locale."""
    name = QLocale().toString(QDate(year, number, 1), _DAY.sub(lambda found: found[1] or " ", _whole_date()).strip())
    return tr("{month} ({count})", month=name, count=count)


def short_day(moment: date | datetime) -> str:
    """A date short enough for a table cell."""
    that = local(moment).date() if isinstance(moment, datetime) else moment
    return QLocale().toString(QDate(that.year, that.month, that.day), _whole_date().replace("MMMM", "MMM"))


def _whole_date() -> str:
    """How the locale writes day, month and year in words: its long pattern (Unicode's, as QLocale has it) without the day of the week."""
    return _WEEKDAY.sub("", QLocale().dateFormat(QLocale.FormatType.LongFormat))


def title_when(moment: datetime) -> str:
    """Day and time for a heading: "Today, 14:03", and from the day before yesterday on "12 May 2026, 14:03"."""
    recent = (local(datetime.now(UTC)).date() - local(moment).date()).days in (0, 1)
    return when(moment) if recent else short_when(moment)


def short_when(moment: datetime) -> str:
    """Day and time, as short as they can be told apart."""
    return tr("{day}, {time}", day=short_day(moment), time=clock(moment))


def clock(moment: datetime) -> str:
    """The time of day, short."""
    at = local(moment)
    return QLocale().toString(QTime(at.hour, at.minute), QLocale.FormatType.ShortFormat)


def when(moment: datetime) -> str:
    """Day and time in one phrase."""
    return tr("{day}, {time}", day=day(moment), time=clock(moment))


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, coarse: "just now", "4 min ago", "2 h ago", "3 days ago"."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 60:
        return tr("just now")
    if seconds < 3600:
        return tr("{n} min ago", n=int(seconds // 60))
    if seconds < 86400:
        return tr("{n} h ago", n=int(seconds // 3600))
    return plural(int(seconds // 86400), "{count} day ago", "{count} days ago")


def size(count: int) -> str:
    """A number of bytes as people write it, in powers of ten: "0.31 MB"."""
    return QLocale().formattedDataSize(count, 2 if count >= 1_000_000 else 0, QLocale.DataSizeFormat.DataSizeSIFormat)


def number(count: int) -> str:
    """A count as people write it: "12,500"."""
    return QLocale().toString(count)


def explained(said: Explanation) -> str:
    """What is wrong, why, and what to do, in one line and in the person's language."""
    ours = translated(said)
    return together((ours.what, ours.why, ours.action))


def duration(milliseconds: int) -> str:
    """ "0:20" or "1:02:07"."""
    seconds = milliseconds // 1000
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def kind(of: ItemKind) -> str:
    return {
        ItemKind.PHOTO: tr("Photo"),
        ItemKind.VIDEO: tr("Video"),
        ItemKind.SOUND: tr("Sound"),
        ItemKind.OTHER: tr("File"),
    }[of]


def format_of(new: NewItem) -> str:
    """ "Photo, JPEG"; a type without a name here is told as it is."""
    return tr("{kind}, {format}", kind=kind(new.kind), format=_FORMATS.get(new.media_type, new.media_type))


def tile_caption(tile: Tile) -> str:
    """The time of day below a tile, and what was taken together with it."""
    at = clock(tile.taken_at)
    if not tile.paired:
        return at
    return tr("{time}, with a clip", time=at) if tile.kind is ItemKind.PHOTO else tr("{time}, with a photo", time=at)


def tile_name(tile: Tile) -> str:
    """What a screen reader says first of a tile: what it is, when, and whether it was shared."""
    return tr("{kind}, {when}, {status}", kind=kind(tile.kind), when=when(tile.taken_at), status=status(tile.shared_with))


def tile_description(tile: Tile) -> str:
    """What a screen reader may say after the name."""
    parts = [tr("Favourite") if tile.favourite else "", tr("from {name}", name=tile.from_name) if tile.from_name else ""]
    if tile.width and tile.height:
        parts.append(tr("{width} by {height} pixels", width=tile.width, height=tile.height))
    if tile.duration_ms:
        parts.append(tr("length {time}", time=duration(tile.duration_ms)))
    if tile.paired:
        parts.append(tr("photo and clip taken together"))
    if not tile.intact:
        parts.append(tr("damaged"))
    return tr(", ").join(part for part in parts if part)


def status(shared_with: tuple[str, ...]) -> str:
    """ "Private" or "Shared with OpenAI, Mistral"."""
    return tr("Shared with {names}", names=tr(", ").join(shared_with)) if shared_with else tr("Private")


def link(state: LinkState) -> str:
    return {
        LinkState.IDLE: tr("Not connected"),
        LinkState.SCANNING: tr("Looking for them"),
        LinkState.CONNECTING: tr("Connecting"),
        LinkState.SECURING: tr("Securing the link"),
        LinkState.READY: tr("Connected"),
        LinkState.LOST: tr("Connection lost"),
        LinkState.WAITING: tr("Out of reach"),
        LinkState.BLOCKED: tr("Needs you"),
    }[state]


def policy(of: PolicyClass) -> str:
    """The word of a policy class, always shown with its icon."""
    return {
        PolicyClass.TRAINS: tr("May be used for training"),
        PolicyClass.KEPT: tr("Kept for a while"),
        PolicyClass.LOCAL: tr("Stays on this computer"),
        PolicyClass.MIRROR: tr("Mirror on this computer"),
    }[of]


def outcome(of: Outcome) -> str:
    return {
        Outcome.REFUSED: tr("Kept private"),
        Outcome.INTENDED: tr("Started, end unknown"),
        Outcome.ANSWERED: tr("Sent and answered"),
        Outcome.CANCELLED: tr("Cancelled"),
        Outcome.FAILED: tr("Failed"),
        Outcome.NOT_SENT: tr("Not sent"),
    }[of]


def written(of: Outcome) -> str:
    """What one line of the receipt book says; the line of intent is written before the first byte, so it is no ending."""
    return tr("Written before sending") if of is Outcome.INTENDED else outcome(of)


def battery(percent: int | None, at: datetime | None, now: datetime | None = None) -> str:
    """ "62 %, 4 min ago"; never without its age, because a stale figure misleads."""
    if percent is None:
        return tr("not known")
    if at is None:
        return tr("{percent} %", percent=percent)
    return tr("{percent} %, {ago}", percent=percent, ago=ago(at, now))
