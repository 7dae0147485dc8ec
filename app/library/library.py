"""What the gallery asks: which captures there are, how they look, and what a person does with them.

Owns no data and caches nothing: meta files, index and thumbnails all live sealed in the vault. Synchronous and safe for any thread.
Must not know Qt or the network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from app.errors import EyelidError
from app.library.export import AS_THEY_CAME, ExportAs, Progress, export
from app.library.types import Query, Sharing, ThumbSize, Tile
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.place import location, turned
from app.media.preview import preview
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.thumbs import thumbnails
from app.media.types import Thumb
from app.vault.errors import ItemMissing, ObjectDamaged, VaultError, VaultTooNew
from app.vault.index import NO_PICTURE, IndexRow
from app.vault.types import ItemId, ItemKind, ItemMeta
from app.vault.vault import Vault

TRASH_DAYS = 30
LONGEST_ALBUM = 60
"""Characters of an album's name."""
PLAIN = 0x808080
"""Colour of a tile whose picture was not looked at yet, or has none."""
EXPORTS_KEPT = 50
"""Exports of one capture that its history keeps."""
_NONE = Thumb()
"""Stored in place of a thumbnail where none can be made, so that it is not tried at every look."""
_UNREADABLE = (ItemMissing, ObjectDamaged, VaultTooNew)
"""One item cannot be read, now at least; the others are not affected."""


class NotInTrash(EyelidError):
    """Only what a person put into the trash before is deleted for good."""

    def __init__(self) -> None:
        super().__init__(
            "That capture is not in the trash.", "Only what is in the trash is deleted for good.", "Move it to the trash first."
        )


class AlbumName(EyelidError):
    """An album cannot be called that."""

    def __init__(self) -> None:
        super().__init__("An album cannot be called that.", "A name has 1 to 60 characters that can be shown.", "Choose another name.")


def _album_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_ALBUM or not name.isprintable():
        raise AlbumName
    return name


class Library:
    """The captures of one vault. Everything but making it raises VaultLocked while the vault is locked."""

    def __init__(self, vault: Vault, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._vault = vault
        self._now = now

    # -- looking

    def tiles(self, query: Query, *, among: Sequence[ItemId] | None = None, after: ItemId | None = None, limit: int = -1) -> list[Tile]:
        """What fits `query`, newest first: at most `limit` (all, if negative), only `among` these items, or only `after` that one."""
        shared = None if query.sharing is None else query.sharing is Sharing.SHARED
        rows = self._vault.index.rows(
            kinds=query.kinds,
            shared=shared,
            favourites=query.favourites,
            album=query.album,
            glasses=query.glasses,
            only_glasses=query.only_glasses,
            text=query.text,
            trashed=query.trashed,
            among=among,
            after=after,
            limit=limit,
        )
        return [_tile(row) for row in rows]

    def thumbnail(self, item: ItemId, size: ThumbSize) -> bytes | None:
        """An upright JPEG whose long edge is `size`, made and kept on the first ask; None where there is no picture to show."""
        stored = self._vault.index.thumb(item, size)
        if stored is None:
            stored = self._make_thumbs(item).get(size)
        return stored or None

    def details(self, item: ItemId) -> ItemMeta:
        """Raises ItemMissing, ObjectDamaged."""
        return self._vault.meta(item)

    def partner(self, item: ItemId) -> ItemId | None:
        """The clip that was taken with this still, or the still of this clip; None where it is alone, or the other is in the trash."""
        return self._vault.index.partner(item)

    def picture(self, item: ItemId) -> bytes:
        """The original bytes. Raises ItemMissing, ObjectDamaged."""
        return self._vault.read(item)

    def preview(self, item: ItemId) -> bytes:
        """The picture in a format that the screen can show, as stored: see `app.media.preview`. Raises MediaDamaged besides."""
        return preview(self.picture(item))

    def open_media(self, item: ItemId) -> BinaryIO:
        """The original bytes, to be read and sought in; opens only what is read. Raises ItemMissing, ObjectDamaged, as do its reads."""
        return self._vault.open_media(item)

    def location(self, item: ItemId) -> tuple[float, float] | None:
        """Degrees north and east that a photo's own file says; None where it says none. Raises ItemMissing, ObjectDamaged."""
        if self._vault.meta(item).new.kind is not ItemKind.PHOTO:
            return None
        with self._vault.open_media(item) as media, contextlib.suppress(MediaDamaged, MediaUnsupported):
            return location(media)
        return None

    # -- taking in

    def arrived(self, item: ItemId, thumbs: Sequence[Thumb] | None = None) -> None:
        """Keep thumbnails and colour of a new item, so that the gallery finds them ready. A damaged item is no fault here.

        `thumbs` are those of each `ThumbSize`, in order; fewer are rough ones for the time being, and the item stays among `not_looked_at`.
        Without any word of them they are made from the vault's copy.
        """
        if thumbs is None:
            self._make_thumbs(item)
        else:
            self._keep_thumbs(item, thumbs)

    def not_looked_at(self) -> list[ItemId]:
        """Captures whose thumbnails are missing or rough, and that nobody knows yet to be whole, newest first."""
        return self._vault.index.not_looked_at()

    def look_at(self, item: ItemId) -> bool:
        """Decode one of those from the vault's copy, for its thumbnails; its tile says so where it cannot be decoded.

        Returns false where the vault's copy cannot be read now.
        """
        return bool(self._make_thumbs(item))

    def catch_up(self) -> tuple[ItemId, ...]:
        """After unlocking: take in what arrived while locked, newest last."""
        return tuple(meta.id for meta in self._vault.catch_up())

    def _make_thumbs(self, item: ItemId) -> dict[int, bytes]:
        """Make and store all sizes from one decoding; what has no picture gets empty ones, what cannot be read now gets none."""
        made: dict[int, bytes] | None = None
        while made is None:  # again if a person turned it meanwhile
            try:
                orientation = self._orientation(item)
                thumbs = self._decode(item, orientation)
            except (MediaDamaged, MediaUnsupported) as error:
                if isinstance(error, MediaDamaged) and error.for_want_of_memory:
                    return {}  # another time; it must not be called damaged for that
                thumbs = tuple(_NONE for _ in ThumbSize)
            except _UNREADABLE:
                return {}
            made = self._keep_thumbs(item, thumbs, orientation)
        return made

    def _keep_thumbs(self, item: ItemId, thumbs: Sequence[Thumb], orientation: int | None = None) -> dict[int, bytes] | None:
        """None where they were made for an `orientation` that the item has no more."""
        made: dict[int, bytes] = {size: thumb.jpeg for size, thumb in zip(ThumbSize, thumbs, strict=False)}
        colour = thumbs[0].colour if len(thumbs) == len(ThumbSize) else None
        counted = NO_PICTURE if thumbs and not thumbs[0].jpeg else colour
        return made if self._vault.index.put_thumbs(item, made, counted, orientation=orientation) else None

    def _orientation(self, item: ItemId) -> int:
        row = self._vault.index.get(item)
        return self._vault.meta(item).new.orientation if row is None else row.orientation

    def _decode(self, item: ItemId, orientation: int) -> tuple[Thumb, ...]:
        with self._vault.open_media(item) as media:
            media_type = sniff(media.read(SNIFF_BYTES))
            if media_type is None:
                raise MediaUnsupported("Eyelid does not know this kind of file.")
            return thumbnails(media, media_type, orientation, tuple(ThumbSize))

    # -- changing

    def set_favourite(self, items: Sequence[ItemId], favourite: bool) -> None:
        for item in items:
            self._vault.change(item, lambda meta: replace(meta, favourite=favourite))

    def rotate(self, item: ItemId, quarters: int) -> None:
        """Show `item` turned by so many quarters clockwise from now on. Only what is known of it changes, never its bytes."""
        self._vault.change(item, lambda meta: replace(meta, new=replace(meta.new, orientation=turned(meta.new.orientation, quarters))))
        self._make_thumbs(item)

    def set_note(self, item: ItemId, note: str) -> None:
        """Raises TooLarge for what the vault cannot keep; the old note stands then."""
        self._vault.change(item, lambda meta: replace(meta, note=note.strip()))

    def albums(self) -> tuple[tuple[str, int], ...]:
        """Each album's name and how many captures it has, by name. An album is there as long as something is in it."""
        return self._vault.index.albums()

    def glasses(self) -> tuple[tuple[str, int], ...]:
        """Each name of glasses and how many captures are from them, by name."""
        return self._vault.index.glasses()

    def put_in_album(self, items: Sequence[ItemId], album: str) -> None:
        """Raises AlbumName for a name that cannot be used; what is in it already stays."""
        name = _album_name(album)
        for item in items:
            self._vault.change(item, lambda meta: meta if name in meta.albums else replace(meta, albums=(*meta.albums, name)))

    def take_from_album(self, items: Sequence[ItemId], album: str) -> None:
        """The captures themselves stay where they are."""
        for item in items:
            self._vault.change(item, lambda meta: replace(meta, albums=tuple(one for one in meta.albums if one != album)))

    def trash(self, items: Sequence[ItemId]) -> None:
        """Put aside for 30 days. What is in the trash already keeps its day."""
        now = self._now()
        for item in items:
            self._vault.change(item, lambda meta: replace(meta, trashed_at=meta.trashed_at or now))

    def restore(self, items: Sequence[ItemId]) -> None:
        for item in items:
            self._vault.change(item, lambda meta: replace(meta, trashed_at=None))

    def purge(self, items: Sequence[ItemId]) -> None:
        """Delete for good; all of them must be in the trash, else NotInTrash and nothing is deleted. Missing ones are no fault."""
        present = {item: meta for item in items if (meta := self._known(item)) is not None}
        if any(meta.trashed_at is None for meta in present.values()):
            raise NotInTrash
        for item in present:
            with contextlib.suppress(ItemMissing):
                self._vault.delete(item)

    def purge_expired(self) -> tuple[ItemId, ...]:
        """Delete what has been in the trash for 30 days; returns what is gone. What cannot be read now is left alone."""
        limit = self._now() - timedelta(days=TRASH_DAYS)
        expired = []
        for row in self._vault.index.rows(trashed=True):
            with contextlib.suppress(*_UNREADABLE):
                meta = self._known(row.id)
                if meta is not None and meta.trashed_at is not None and meta.trashed_at <= limit:
                    expired.append(row.id)
        self.purge(expired)
        return tuple(expired)

    def _known(self, item: ItemId) -> ItemMeta | None:
        try:
            return self._vault.meta(item)
        except ItemMissing:
            return None

    # -- leaving the vault

    def export(
        self,
        items: Sequence[ItemId],
        folder: Path,
        how: ExportAs = AS_THEY_CAME,
        *,
        progress: Progress | None = None,
        wrote: Callable[[ItemId], object] = lambda _: None,
    ) -> tuple[Path, ...]:
        """Write the original bytes into `folder`, in the clear and never over another file. See `app.library.export.export`."""
        return export(self._vault, items, folder, how, progress=progress, wrote=wrote)

    def note_export(self, items: Sequence[ItemId]) -> None:
        """Keep in the history of each that a readable copy was written now; the last ones, where there were many.

        What cannot be noted (the vault locked meanwhile, its disk is full) is left: the copies are there all the same.
        """
        at = self._now()
        for item in items:
            with contextlib.suppress(VaultError, OSError):
                self._vault.change(item, lambda meta: replace(meta, exported=(*meta.exported, at)[-EXPORTS_KEPT:]))


def _tile(row: IndexRow) -> Tile:
    turned = row.orientation >= 5
    return Tile(
        id=row.id,
        kind=row.kind,
        taken_at=row.taken_at,
        width=row.height if turned else row.width,
        height=row.width if turned else row.height,
        duration_ms=row.duration_ms,
        favourite=row.favourite,
        shared_with=row.shared_with,
        from_name=row.from_name,
        colour=PLAIN if row.colour in (None, NO_PICTURE) else row.colour,
        intact=row.colour != NO_PICTURE or row.kind not in (ItemKind.PHOTO, ItemKind.VIDEO),
        paired=row.paired,
    )
