"""With the `age` program, in both directions, and a whole vault opened without Eyelid."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.vault.age import Passphrase, X25519Identity, open_bytes, seal_bytes
from app.vault.types import NewItem, SlotKind
from app.vault.vault import Vault

pytestmark = pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed (apt install age)")
SIZES = (0, 1, 65535, 65536, 65537, 1 << 20)


def run(*arguments: str | Path, data: bytes = b"") -> bytes:
    done = subprocess.run([str(a) for a in arguments], input=data, capture_output=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def run_on_terminal(answers: list[str], *arguments: str | Path) -> None:
    """Run a program that asks on its terminal, and answer each question as it comes."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover  # the child
        os.execvp(str(arguments[0]), [str(a) for a in arguments])
    left, said = list(answers), b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says so when the child closed its end
            break
        if not piece:
            break
        said += piece
        if left and said.rstrip().endswith(b":"):
            os.write(terminal, left.pop(0).encode() + b"\n")
            said = b""
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, said


@pytest.fixture
def identity(tmp_path: Path) -> tuple[X25519Identity, Path]:
    made = X25519Identity.generate()
    path = tmp_path / "identity.txt"
    path.write_text(made.text() + "\n")
    return made, path


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_what_we_seal(size: int, identity: tuple[X25519Identity, Path]) -> None:
    data = os.urandom(size)
    assert run("age", "-d", "-i", identity[1], data=seal_bytes(data, [identity[0].recipient])) == data


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_seals(size: int, identity: tuple[X25519Identity, Path]) -> None:
    data = os.urandom(size)
    assert open_bytes(run("age", "-r", str(identity[0].recipient), data=data), [identity[0]]) == data


@pytest.mark.skipif(shutil.which("age-keygen") is None, reason="age-keygen is not installed")
def test_keys_made_by_age_keygen_agree() -> None:
    text = run("age-keygen").decode()
    public = next(line for line in text.splitlines() if line.startswith("# public key: ")).removeprefix("# public key: ")
    secret = text.splitlines()[-1]
    assert str(X25519Identity.parse(secret).recipient) == public


@pytest.mark.skipif(sys.platform == "win32", reason="age asks for passphrases on a terminal; the pty module is for POSIX")
def test_passphrases_in_both_directions(tmp_path: Path) -> None:
    ours, opened = tmp_path / "ours.age", tmp_path / "opened"
    ours.write_bytes(seal_bytes(b"a passphrase file", [Passphrase("two words", 4)]))
    run_on_terminal(["two words"], "age", "-d", "-o", opened, ours)
    assert opened.read_bytes() == b"a passphrase file"
    plain, theirs = tmp_path / "plain", tmp_path / "theirs.age"
    plain.write_bytes(b"sealed by age")
    run_on_terminal(["two words", "two words"], "age", "-p", "-o", theirs, plain)
    assert open_bytes(theirs.read_bytes(), [Passphrase("two words")]) == b"sealed by age"


@pytest.mark.skipif(sys.platform == "win32", reason="age asks for passphrases on a terminal; the pty module is for POSIX")
def test_a_vault_opens_without_eyelid(vault: Vault, folder: Path, new_item: NewItem, tmp_path: Path, passphrase: str) -> None:
    data = os.urandom(100_000)
    meta = vault.add(data, new_item)
    slot = next(slot for slot in vault.slots() if slot.kind is SlotKind.PASSPHRASE)
    vault.close()
    key = tmp_path / "key.txt"
    run_on_terminal([passphrase], "age", "-d", "-o", key, folder / "keys" / f"{slot.id}.age")
    shelf = folder / "objects" / meta.id[:2]
    assert hashlib.sha256(run("age", "-d", "-i", key, shelf / f"{meta.id}.age")).hexdigest() == meta.sha256
    assert meta.sha256.encode() in run("age", "-d", "-i", key, shelf / f"{meta.id}.meta.age")


def test_the_exported_identity_and_the_keyrings_key_open_it_too(
    vault: Vault, folder: Path, new_item: NewItem, tmp_path: Path, key_store: object
) -> None:
    meta = vault.add(b"media", new_item)
    key = tmp_path / "key.txt"
    key.write_text(vault.identity() + "\n")
    assert run("age", "-d", "-i", key, folder / "objects" / meta.id[:2] / f"{meta.id}.age") == b"media"
    slot = next(slot for slot in vault.slots() if slot.kind is SlotKind.KEYRING)
    wrapping = tmp_path / "wrapping.txt"
    wrapping.write_text(next(iter(vars(key_store)["secrets"].values())) + "\n")
    assert vault.identity().encode() in run("age", "-d", "-i", wrapping, folder / "keys" / f"{slot.id}.age")
    sealed = tmp_path / "sealed.age"
    run("age", "-r", vault.recipient(), "-o", sealed, data=b"by age")
    assert open_bytes(sealed.read_bytes(), [X25519Identity.parse(vault.identity())]) == b"by age"
