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


def test_what_gvfs_shows_has_names_for_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places.sys, "platform", "linux")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("USER", "nobody at all")
    mounts = {
        "mtp:host=Google_Pixel_8": "Internal shared storage/DCIM",
        "gphoto2:host=Apple_Inc._iPhone": "store_00010001/DCIM",
        "gphoto2:host=%5Busb%3A001%2C005%5D": "DCIM",
        "afc:host=00008110000A11112222801E": "DCIM",
        "smb-share:server=x": "DCIM",
    }
    for mount, folder in mounts.items():
        (tmp_path / "gvfs" / mount / folder).mkdir(parents=True)
    assert [phone.label for phone in phones()] == ["iPhone or iPad", "Phone or camera", "Apple Inc. iPhone", "Google Pixel 8"]


def test_this_computer_can_be_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "_children", lambda folder: [tmp_path] if "gvfs" in str(folder) else [])
    assert phones() == ()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_each_system_has_a_way_by_hand(platform: str) -> None:
    assert by_hand(platform).endswith(".")
