"""Meta's archive: pictures that went to Meta AI are marked, others are not; hostile archives end with a sentence."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.imports.desk import META_AI, ImportDesk
from app.imports.meta_archive import ArchiveUnreadable, _named, shared_pictures
from app.sharing.cards import CardBook
from app.vault.vault import Vault

LIST = "your_instagram_activity/messages/ai_conversations.json"


def message(name: str, at: int, uri: str | None) -> dict[str, Any]:
    """One message in the shape of the archive."""
    attachment = [{"label": "File", "uri": uri, "creation_timestamp": at - 3}] if uri else []
    return {
        "dict": [
            {"label": "Message", "value": "what is this?"},
            {"dict": attachment, "title": "Attachment"},
            {"label": "Name", "value": name},
            {"timestamp_value": at},
        ],
        "title": "",
    }


def archive(path: Path, messages: list[dict[str, Any]], files: dict[str, bytes], around: str = "") -> Path:
    threads = [{"title": "thread", "timestamp": 1, "media": [], "label_values": [{"dict": messages, "title": "Messages"}], "fbid": "1"}]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(around + LIST, json.dumps(threads))
        for name, data in files.items():
            made.writestr(around + name, data)
    return path


async def test_what_was_shared_is_marked_and_what_was_not_there_is_taken_in(
    desk: ImportDesk, vault: Vault, heard: Any, folder: Path, pictures: list[bytes]
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    (folder / "private.jpg").write_bytes(pictures[1])
    await desk.run().files([folder])
    path = archive(
        folder / "meta.zip",
        [
            message("Somebody", 1_751_019_480, "media/a.jpg"),
            message("Somebody", 1_751_019_500, "media/new.jpg"),
            message("Meta AI", 1_751_019_510, "media/made.jpg"),
            message("Somebody", 1_751_019_520, "media/missing.jpg"),
            message("Somebody", 1_751_019_520, "media/text.jpg"),
            message("Somebody", 1_751_019_520, None),
        ],
        {
            "media/a.jpg": pictures[0],
            "media/new.jpg": pictures[2],
            "media/made.jpg": pictures[3],
            "media/not named.jpg": pictures[4],
            "media/text.jpg": b"no picture",
        },
    )
    report = await desk.meta_archive(path)
    assert (len(report.marked), len(report.added)) == (1, 1)
    meta = vault.meta(report.marked[0])
    assert meta.new.original_name == "a.jpg"
    share = meta.shares[0]
    assert (share.destination, share.company, share.receipt, share.leaves_computer) == (META_AI, "Meta", 0, True)
    assert share.at == datetime.fromtimestamp(1_751_019_477, UTC)
    assert vault.meta(report.added[0]).shares[0].company == "Meta"
    assert len(vault.ids()) == 3
    assert set(heard.changed) == {*report.marked, *report.added}
    again = await desk.meta_archive(path)
    assert (len(again.marked), len(again.added)) == (2, 0)
    assert all(len(vault.meta(item).shares) == 1 for item in again.marked)
    private = next(meta for meta in heard.arrived if meta.new.original_name == "private.jpg")
    assert vault.meta(private.id).shares == ()


async def test_what_is_taken_in_is_recognised_and_counted_once(
    desk: ImportDesk, heard: Any, folder: Path, pictures: list[bytes], recognition: ModuleType
) -> None:
    worn = recognition.jpeg("Meta AI", "Ray-Ban Meta Smart Glasses")
    files = {"media/a.jpg": worn, "media/b.jpg": worn, "media/c.jpg": pictures[3]}
    path = archive(folder / "meta.zip", [message("X", 5 + number, name) for number, name in enumerate(files)], files)
    report = await desk.meta_archive(path)
    assert (len(report.added), report.marked) == (2, ())
    assert {(meta.new.origin.family, meta.new.origin.name) for meta in heard.arrived} == {
        ("ray-ban-meta", "Ray-Ban Meta"),
        ("meta-archive", "Meta's archive"),
    }


def test_a_folder_around_everything(tmp_path: Path, pictures: list[bytes]) -> None:
    path = archive(tmp_path / "a.zip", [message("X", 5, "media/a.jpg")], {"media/a.jpg": pictures[0]}, "meta-2026/")
    assert [picture.data for picture in shared_pictures(path)] == [pictures[0]]


def test_parts_and_what_a_browser_unpacked_are_read_as_one(tmp_path: Path, pictures: list[bytes]) -> None:
    messages = [message("X", 5, "media/a.jpg"), message("X", 6, "media/b.jpg")]
    first = archive(tmp_path / "1.zip", messages, {"media/a.jpg": pictures[0]})
    second = tmp_path / "2/media"
    second.mkdir(parents=True)
    (second / "b.jpg").write_bytes(pictures[1])
    assert [picture.data for picture in shared_pictures(tmp_path / "2", first)] == pictures[:2]
    with zipfile.ZipFile(first) as packed:
        packed.extractall(tmp_path / "unpacked")
    assert [picture.data for picture in shared_pictures(tmp_path / "unpacked")] == pictures[:1]
    with pytest.raises(ArchiveUnreadable):
        list(shared_pictures(tmp_path / "2"))


def test_the_card_that_it_names_is_there() -> None:
    assert CardBook().card(META_AI).company


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"no archive"),
        lambda path: zipfile.ZipFile(path, "w").close(),
        lambda path: _with_list(path, b"{"),
        lambda path: _with_list(path, b"[" * 100_000),
        lambda path: _with_list(path, b" " * (65 << 20)),
    ],
    ids=["no archive", "nothing in it", "no JSON", "deep", "a bomb"],
)
def test_what_is_no_such_archive(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "a.zip")
    with pytest.raises(ArchiveUnreadable) as caught:
        list(shared_pictures(tmp_path / "a.zip"))
    assert caught.value.action


def _with_list(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(LIST, data)


KEYS = st.sampled_from(["uri", "dict", "timestamp_value", "label", "value"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@given(JSON)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_walked(value: Any) -> None:
    assert all(named.uri for named in _named(value, None, 0))
