"""Albums: names in the sealed description of each capture, so that an album is nothing that could be lost apart from them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.library.library import AlbumName, Library
from app.library.types import Query
from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault


@pytest.fixture
def made(tmp_path: Path):
    vault = Vault.create(tmp_path / "vault", passphrase="plain words", keyring=False, work_factor=4)
    new = NewItem(ItemKind.OTHER, "application/octet-stream", datetime(2026, 5, 12, tzinfo=UTC), Origin("test"))
    yield Library(vault), tuple(vault.add(bytes([number]) * 20, new).id for number in range(3))
    vault.close()


def test_put_in_and_taken_out(made) -> None:
    library, (one, two, three) = made
    library.put_in_album((one, two), "  By the   river ")
    library.put_in_album((two,), "Work")
    library.put_in_album((two,), "Work")
    assert library.albums() == (("By the river", 2), ("Work", 1))
    assert {tile.id for tile in library.tiles(Query(album="By the river"))} == {one, two}
    assert library.details(two).albums == ("By the river", "Work")
    library.take_from_album((one, two, three), "By the river")
    assert library.albums() == (("Work", 1),)
    assert {tile.id for tile in library.tiles(Query())} == {one, two, three}


def test_the_trash_is_in_no_album(made) -> None:
    library, (one, *_) = made
    library.put_in_album((one,), "Work")
    library.trash((one,))
    assert library.albums() == ()
    library.restore((one,))
    assert library.albums() == (("Work", 1),)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(made, name: str) -> None:
    library, items = made
    with pytest.raises(AlbumName):
        library.put_in_album(items, name)
    assert library.albums() == ()
