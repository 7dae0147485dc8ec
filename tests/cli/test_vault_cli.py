"""The vault's care at the terminal: a recovery code shown once, keys, trash, export, backup and restore, verify and repair, erasing."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault
from tests.cli.driving import PASSPHRASE, Answer, at_terminal, data, eyelid

GROUP = re.compile(r"(\d+): ([0-9A-Z]{5})")

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="drives a POSIX terminal"),
    pytest.mark.usefixtures("quick_slots", "no_courier"),
]


def group_asked_for(screen: str) -> str:
    return dict(GROUP.findall(screen))[re.findall(r"Type group (\d+)", screen)[-1]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile whose vault holds three photos of two days, one of them in an album."""
    profile = tmp_path_factory.mktemp("made")
    vault = Vault.create(profile / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=1)
    vault.catch_up()
    for day in (12, 12, 13):
        path = profile / "x.jpg"
        exif = Image.Exif()
        exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
        Image.new("RGB", (64, 48), (day * 10, 0, len(vault.ids()) * 40)).save(path, exif=exif)
        taken = datetime(2026, 5, day, 12, 0, len(vault.ids()), tzinfo=UTC)
        meta = vault.add(path.read_bytes(), NewItem(ItemKind.PHOTO, "image/jpeg", taken, Origin("omi-glass"), 64, 48))
        path.unlink()
    vault.change(meta.id, lambda old: replace(old, albums=("Berlin",)))
    vault.close()
    return profile


@pytest.fixture
def profile(made: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "profile"))


def test_the_recovery_code_is_shown_once_checked_and_opens(tmp_path: Path) -> None:
    codes: list[str] = []

    def keep(screen: str) -> str:
        codes.append("-".join(group for _, group in GROUP.findall(screen)))
        return group_asked_for(screen)

    code, screen = at_terminal(
        tmp_path / "p",
        "vault",
        "create",
        answers=[
            ("New passphrase: ", PASSPHRASE),
            ("Once more: ", PASSPHRASE),
            (r"Type group \d+ from your paper:", "WRONG"),
            (r"Type group \d+ from your paper:", keep),
            (r"Type group \d+ from your paper:", lambda screen: group_asked_for(screen).lower()),
        ],
    )
    assert code == 0, screen
    assert "That is not it" in screen
    assert "Both are right" in screen
    assert len(codes[0].split("-")) == 13
    assert data(tmp_path / "p", "--recovery", "list", secrets=codes[0]) == []
    wrong = codes[0][:-1] + ("0" if codes[0][-1] != "0" else "1")
    done = eyelid(tmp_path / "p", "--recovery", "list", secrets=wrong)
    assert done.returncode == 4
    assert "Group 13" in done.stderr
    assert {slot["kind"] for slot in data(tmp_path / "p", "vault", "keys", "list")} == {"passphrase", "recovery"}
    for path in (tmp_path / "p").rglob("*"):
        assert not path.is_file() or codes[0][:11].encode() not in path.read_bytes()


def test_a_recovery_code_can_be_declined_or_left_unchecked(tmp_path: Path) -> None:
    passphrases: list[tuple[str, Answer]] = [("New passphrase: ", PASSPHRASE), ("Once more: ", PASSPHRASE)]
    code, screen = at_terminal(tmp_path / "a", "vault", "create", "--no-recovery", answers=passphrases)
    assert code == 0
    assert "recovery code" not in screen.lower()
    code, screen = at_terminal(tmp_path / "b", "vault", "create", answers=[*passphrases, ("Type group", "")])
    assert code == 0
    assert "Not checked" in screen
    assert "No recovery code was made" in eyelid(tmp_path / "c", "vault", "create").stdout


def test_keys_are_added_changed_and_removed(profile: Path) -> None:
    [first] = data(profile, "vault", "keys", "list", secrets="")
    added = data(profile, "vault", "keys", "add", "recovery")
    assert data(profile, "--recovery", "list", secrets=added["code"])
    data(profile, "vault", "keys", "add", "passphrase", secrets=f"{PASSPHRASE}\nsecond")
    assert data(profile, "list", secrets="second")
    changed = eyelid(profile, "vault", "keys", "change", "passphrase", secrets="second\nthird")
    assert changed.returncode == 0, changed.stderr
    assert eyelid(profile, "list", secrets="second").returncode == 4
    assert data(profile, "list", secrets="third")
    assert eyelid(profile, "vault", "keys", "remove", first["id"], secrets="third").returncode == 0
    assert eyelid(profile, "list").returncode == 4
    left = data(profile, "vault", "keys", "list")
    assert eyelid(profile, "vault", "keys", "remove", added["id"], secrets="third").returncode == 0
    [last] = [slot for slot in left if slot["id"] != added["id"]]
    refused = eyelid(profile, "vault", "keys", "remove", last["id"], secrets="third")
    assert refused.returncode == 1
    assert "last way" in refused.stderr
    keyring = eyelid(profile, "vault", "keys", "add", "keyring", secrets="third")
    assert keyring.returncode == 1
    assert "keyring" in keyring.stderr


def test_trash_and_back_and_for_good(profile: Path) -> None:
    ids = [item["id"] for item in data(profile, "list")]
    data(profile, "trash", "put", ids[0][:8], ids[1][:8])
    assert len(data(profile, "list")) == 1
    assert {item["id"] for item in data(profile, "trash", "list")} == set(ids[:2])
    data(profile, "trash", "restore", ids[1])
    assert len(data(profile, "list")) == 2
    assert eyelid(profile, "trash", "purge").returncode == 1
    unasked = eyelid(profile, "trash", "purge", "--all")
    assert unasked.returncode == 1
    assert "Nothing was deleted" in unasked.stderr
    prompts: list[tuple[str, Answer]] = [("Passphrase: ", PASSPHRASE)]
    code, _ = at_terminal(profile, "trash", "purge", "--all", answers=[*prompts, (r"for good\? \[y/N\]", "n")])
    assert code == 3
    code, screen = at_terminal(profile, "trash", "purge", ids[0][:8], answers=[*prompts, (r"Delete 1 capture for good\? \[y/N\]", "y")])
    assert code == 0, screen
    assert data(profile, "trash", "list") == []
    assert list((profile / "vault").rglob(f"{ids[0]}*")) == []


def test_export_by_date_album_and_without_location(profile: Path, tmp_path: Path) -> None:
    paths = [Path(path) for path in data(profile, "export", "--all", "--by-date", "--without-location", "--to", str(tmp_path / "out"))]
    assert [path.parent.relative_to(tmp_path / "out").as_posix() for path in paths] == ["2026/2026-05-12"] * 2 + ["2026/2026-05-13"]
    with Image.open(paths[0]) as picture:
        assert 0x8825 not in picture.getexif()
    [one] = data(profile, "export", "--album", "Berlin", "--to", str(tmp_path / "album"))
    with Image.open(one) as picture:
        assert 0x8825 in picture.getexif()
    for arguments in ([], ["--all", "--album", "Berlin"], ["--album", "nowhere"]):
        done = eyelid(profile, "export", *arguments, "--to", str(tmp_path / "none"))
        assert done.returncode == 1
    assert not (tmp_path / "none").exists()


def test_export_goes_on_behind_a_damaged_capture_and_says_which(profile: Path, tmp_path: Path) -> None:
    damaged = data(profile, "list")[-1]["id"]  # the first in the order of export
    path = profile / "vault" / "objects" / damaged[:2] / f"{damaged}.age"
    path.write_bytes(path.read_bytes()[:-1])
    done = eyelid(profile, "--json", "export", "--all", "--to", str(tmp_path / "out"))
    assert done.returncode == 1
    assert len(json.loads(done.stdout)) == len(list((tmp_path / "out").iterdir())) == 2
    assert "2 of 3" in done.stderr
    assert damaged[:12] in done.stderr


def test_verify_says_what_and_where(profile: Path) -> None:
    report = data(profile, "vault", "verify")
    assert (report["sound"], report["checked"]) == (True, 3)
    item = data(profile, "list")[0]["id"]
    path = profile / "vault" / "objects" / item[:2] / f"{item}.age"
    path.write_bytes(path.read_bytes()[:-1])
    report = data(profile, "vault", "verify", "--afresh", code=5)
    assert [fault["id"] for fault in report["faults"]] == [item]
    said = eyelid(profile, "vault", "verify")
    assert said.returncode == 5
    assert f"objects/{item[:2]}/{item}.age" in said.stdout
    path.with_name(f"{item}.meta.age").write_bytes(b"x")
    mended = data(profile, "vault", "repair")
    assert mended["aside"] == [f"objects/{item[:2]}/{item}.meta.age"]


def test_backup_and_restore_and_the_question_afterwards(profile: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    locked = eyelid(profile, "--json", "vault", "backup", str(drive), secrets="not even the passphrase")
    assert locked.returncode == 0, locked.stderr
    assert json.loads(locked.stdout)["copied"] == 8  # three captures with what is known of them, a slot, vault.toml
    assert data(profile, "vault", "backup", str(drive), "--check")["copied"] == 0
    inside = eyelid(profile, "vault", "backup", str(profile / "vault" / "backup"))
    assert inside.returncode == 1
    assert "inside the vault" in inside.stderr
    there = eyelid(profile, "vault", "restore", str(drive))
    assert there.returncode == 1
    assert "already a vault" in there.stderr
    restored = data(tmp_path / "new", "vault", "restore", str(drive), secrets="")
    assert restored["files"] == 8
    assert len(data(tmp_path / "new", "list")) == 3
    assert data(tmp_path / "new", "vault", "verify")["sound"]
    assert data(tmp_path / "new", "vault", "notices") == []


def test_captures_that_are_gone_are_said_until_accepted(profile: Path) -> None:
    item = data(profile, "list")[0]["id"]
    for path in (profile / "vault").rglob(f"{item}*"):
        path.unlink()
    said = eyelid(profile, "list")
    assert said.returncode == 0
    assert "1 captures that were here are gone" in said.stderr
    prompts: list[tuple[str, Answer]] = [("Passphrase: ", PASSPHRASE)]
    code, screen = at_terminal(profile, "list", answers=[*prompts, (r"as it should be.*\[y/N\]", "n")])
    assert code == 0, screen
    [notice] = data(profile, "vault", "notices", code=5)
    assert notice["serious"]
    code, screen = at_terminal(profile, "list", answers=[*prompts, (r"as it should be.*\[y/N\]", "y")])
    assert code == 0, screen
    assert "are gone" not in eyelid(profile, "list").stderr
    assert data(profile, "vault", "notices", "--accept") == []


def test_inspect_needs_no_key_and_no_vault(profile: Path, tmp_path: Path) -> None:
    path = next((profile / "vault" / "objects").rglob("*.age"))
    facts = data(tmp_path / "nowhere", "vault", "inspect", str(path), secrets="")
    assert facts["version"] == "age-encryption.org/v1"
    (tmp_path / "x").write_text("no age file")
    assert data(tmp_path / "nowhere", "vault", "inspect", str(tmp_path / "x"), code=5)["trouble"]
    assert eyelid(profile, "vault", "inspect", str(tmp_path / "missing")).returncode == 1


def test_erasing_takes_the_short_id_typed_by_a_person(profile: Path) -> None:
    short = Vault.open(profile / "vault")
    vault_id = short.id[:8]
    short.close()
    assert eyelid(profile, "vault", "erase").returncode == 1
    assert eyelid(profile, "vault", "erase", "--yes").returncode == 2
    code, screen = at_terminal(profile, "vault", "erase", answers=[("to erase it:", "yes")])
    assert code == 1
    assert "was not erased" in screen
    assert (profile / "vault" / "vault.toml").exists()
    code, screen = at_terminal(profile, "vault", "erase", answers=[(f"short id, {vault_id}, to erase it:", vault_id)])
    assert code == 0, screen
    assert "This destroys 3 captures" in screen
    assert not (profile / "vault").exists()
    assert "Create one first" in eyelid(profile, "list").stderr


def test_a_vault_gets_a_post_quantum_key_and_opens_as_before(profile: Path) -> None:
    assert data(profile, "vault", "keys", "hybrid") == {"hybrid": True}
    assert data(profile, "vault", "verify")["sound"]
    again = eyelid(profile, "vault", "keys", "hybrid")
    assert again.returncode == 1
