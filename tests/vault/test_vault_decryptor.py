"""The second decryptor: one file, run as a person without Eyelid would run it, on real vaults."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from app.vault import rescue
from app.vault.age import seal_bytes
from app.vault.hybrid import HybridIdentity
from app.vault.types import ItemKind, ItemMeta, NewItem, Origin
from app.vault.vault import Vault

SCRIPT = Path(rescue.__file__)
VIDEO = os.urandom(65536 * 3 + 17)
Opened = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=[False, True], ids=["x25519", "hybrid"])
def rescued(request: pytest.FixtureRequest, folder: Path, key_store: Any, fast_files: Any, new_item: NewItem) -> tuple[Path, str, ItemMeta]:
    """The folder of a vault with one video and slots of every kind, its recovery code, and what is known of the video."""
    vault = Vault.create(folder, passphrase="x", keyring=True, work_factor=1, hybrid=request.param, key_store=key_store, files=fast_files)
    vault.add_recovery()
    _, code = vault.add_recovery()
    meta = vault.add(VIDEO, NewItem(ItemKind.VIDEO, "video/mp4", new_item.taken_at, Origin("test")))
    vault.seal_record("receipts", 0, b"a receipt")
    vault.close()
    return folder, code, meta


@pytest.fixture
def run(tmp_path: Path) -> Opened:
    """Runs a copy of the script far from the project, with the code typed at its question."""
    script = tmp_path / "elsewhere" / "rescue.py"
    script.parent.mkdir()
    script.write_text(SCRIPT.read_text())

    def run_it(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(script), *map(str, arguments)],
            input=code + "\n",
            text=True,
            capture_output=True,
            cwd=script.parent,
            start_new_session=True,  # without a terminal, the code is taken from standard input
            timeout=50,
            check=False,
        )

    return run_it


def object_path(folder: Path, meta: ItemMeta, ending: str = ".age") -> Path:
    return folder / "objects" / meta.id[:2] / f"{meta.id}{ending}"


def test_it_is_one_small_file_that_needs_nothing_of_the_project() -> None:
    text = SCRIPT.read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 60
    modules = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules - set(sys.stdlib_module_names) == {"cryptography"}


def test_any_file_of_a_vault_opens_with_the_code(rescued: tuple[Path, str, ItemMeta], run: Opened, tmp_path: Path) -> None:
    folder, code, meta = rescued
    new = tmp_path / "video.mp4"
    done = run(code, folder, object_path(folder, meta), new)
    assert (done.returncode, new.read_bytes() == VIDEO) == (0, True), done.stderr
    done = run(code.lower().replace("-", " "), folder, object_path(folder, meta, ".meta.age"), tmp_path / "meta.json")
    assert meta.sha256 in (tmp_path / "meta.json").read_text(), done.stderr
    assert run(code, folder, folder / "receipts" / "0.age", tmp_path / "receipt").returncode == 0
    assert (tmp_path / "receipt").read_bytes() == b"a receipt"


def test_a_hybrid_file_opens_with_its_seed_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.age"
    path.write_bytes(seal_bytes(VIDEO, [HybridIdentity(bytes(32)).recipient]))
    assert b"".join(rescue.opened(path, {b"mlkem768x25519": bytes(32)})) == VIDEO
    path.write_bytes(path.read_bytes().replace(b"\n--- ", b"\n-> x y\nQUFB\n--- ", 1))
    with pytest.raises((ValueError, InvalidTag)):
        list(rescue.opened(path, {b"mlkem768x25519": bytes(32)}))


def test_a_file_that_is_there_is_not_replaced(rescued: tuple[Path, str, ItemMeta], run: Opened, tmp_path: Path) -> None:
    folder, code, meta = rescued
    new = tmp_path / "mine"
    new.write_text("mine")
    assert "FileExists" in run(code, folder, object_path(folder, meta), new).stderr
    assert new.read_text() == "mine"


def test_a_wrong_code_writes_nothing(rescued: tuple[Path, str, ItemMeta], run: Opened, tmp_path: Path) -> None:
    folder, code, meta = rescued
    other = code.replace(code[0], "Z" if code[0] != "Z" else "Y")
    for wrong in (other, "nonsense"):
        done = run(wrong, folder, object_path(folder, meta), tmp_path / "new")
        assert (done.returncode, (tmp_path / "new").exists()) == (1, False)
        assert "Nothing was written" in done.stderr


@pytest.mark.parametrize("place", [0, 40, 100, -17, -65536 * 2, "cut", "cut at a chunk", "longer", "chunks swapped", "no age file"])
def test_damage_is_an_error_and_leaves_no_file(
    vault: Vault, folder: Path, tmp_path: Path, new_item: NewItem, place: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, code = vault.add_recovery()
    meta = vault.add(VIDEO, new_item)
    vault.close()
    path = object_path(folder, meta)
    whole = path.read_bytes()
    last, chunk = len(whole) - 17 - 16, 65552
    damaged: dict[object, bytes] = {
        "cut": whole[:-5],
        "cut at a chunk": whole[:last],
        "longer": whole + b"\0",
        "chunks swapped": whole[: last - 3 * chunk]
        + whole[last - 2 * chunk : last - chunk]
        + whole[last - 3 * chunk : last - 2 * chunk]
        + whole[last - chunk :],
        "no age file": b"nonsense",
    }
    if isinstance(place, int):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        damaged[place] = bytes(flipped)
    path.write_bytes(damaged[place])
    assert damaged[place] != whole
    monkeypatch.setattr(rescue, "getpass", lambda _: code)
    with pytest.raises((ValueError, InvalidTag)):
        rescue.main(folder, path, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    path.write_bytes(whole)
    rescue.main(folder, path, tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == VIDEO
