"""Phones that the system shows as folders, and words for those it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.imports import phones as places
from app.imports.phones import by_hand, phones


def test_stores_and_folders_of_phones_and_cards(tmp_path: Path) -> None:
    android, camera, empty = tmp_path / "mtp:host=Google_Pixel_8", tmp_path / "CARD", tmp_path / "USB"
    for folder in (
        android / "Internal shared storage/DCIM",
        android / "Internal shared storage/Download/Meta AI",
        android / "SD card/Music",
        camera / "DCIM",
        empty / "docs",
    ):
        folder.mkdir(parents=True)
    found = phones([android, camera, empty])
    assert [(phone.label, len(phone.folders)) for phone in found] == [("mtp:host=Google_Pixel_8", 2), ("CARD", 1)]
    assert found[0].folders[1].name == "Meta AI"


def test_this_computer_can_be_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "_children", lambda folder: [tmp_path] if "gvfs" in str(folder) else [])
    assert phones() == ()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_each_system_has_a_way_by_hand(platform: str) -> None:
    assert by_hand(platform).endswith(".")
