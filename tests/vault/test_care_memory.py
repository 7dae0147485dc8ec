"""What a lock leaves in memory, and who may look: a process of its own, looked through from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.confine.memory import Hardening
from app.vault.age import X25519Identity
from app.vault.types import NewItem
from app.vault.vault import Vault

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are of Linux")

READER = textwrap.dedent(
    """
    import gc, sys
    from pathlib import Path
    from app.vault.vault import Vault
    vault = Vault.open(Path(sys.argv[1]))
    passphrase = sys.stdin.buffer.readline()
    vault.unlock_with_passphrase(passphrase.rstrip().decode())
    vault.catch_up()
    item = vault.ids()[0]
    assert vault.read(item)
    reader = vault.open_media(item)
    reader.read(10)
    vault.subkey("receipts")
    print("unlocked", flush=True)
    sys.stdin.buffer.readline()
    vault.lock()
    del reader
    gc.collect()
    print("locked", flush=True)
    sys.stdin.buffer.readline()
    """
)


def memory(pid: int) -> Iterator[bytes]:
    """Every writable piece of a process's memory."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found and "[v" not in line:
                start, end = int(found[1], 16), int(found[2], 16)
                try:
                    mem.seek(start)
                    yield mem.read(end - start)
                except OSError:
                    continue


def count(pid: int, needles: dict[str, bytes]) -> dict[str, int]:
    found = dict.fromkeys(needles, 0)
    for piece in memory(pid):
        for name, needle in needles.items():
            found[name] += piece.count(needle)
    return found


@linux
def test_the_identity_is_not_in_memory_after_a_lock(tmp_path: Path, key_store: Any, new_item: NewItem) -> None:
    passphrase = "a passphrase that stands nowhere else 8842"
    vault = Vault.create(tmp_path / "vault", passphrase=passphrase, keyring=False, work_factor=2, key_store=key_store)
    vault.add(b"picture" * 100_000, new_item)
    text = vault.identity()
    raw = bytes(X25519Identity.parse(text.splitlines()[0]).raw())
    receipts_key = vault.subkey("receipts")
    vault.close()
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path / "vault")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    needles = {"identity, bytes": raw, "identity, text": text.encode(), "a key made from it": receipts_key}
    try:
        process.stdin.write(passphrase.encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"unlocked\n"
        before = count(process.pid, needles)
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"locked\n"
        after = count(process.pid, needles)
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
    print(f"unlocked: {before}; locked: {after}")
    assert before["identity, bytes"] > 0, "the search finds nothing even while unlocked, so it shows nothing"
    assert after["identity, bytes"] == 0
    assert after["identity, text"] == 0
    # Out of reach: other forms of it (numbers while the text is decoded, what the crypto library keeps inside), keys handed to other rooms,
    # the passphrase itself, and pages that went to swap. Python frees those without overwriting. SECURITY.md says so.


BECOME = """
import ctypes, os
if os.geteuid() == 0:  # who may always look; so become somebody else, and undo what becoming somebody else does to "dumpable"
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
"""
HARDENED = """
import resource, sys
from app.vault.age import X25519Identity
from app.confine.memory import harden, report
exec(sys.argv[1])
print(report().no_tracing, flush=True)
sys.stdin.readline()
after = harden()
assert after == report()
print(after.no_tracing, after.no_core_dumps, flush=True)
sys.stdin.readline()
"""
LOOK = """
import sys
exec(sys.argv[1])
try:
    open(f"/proc/{sys.argv[2]}/mem", "rb").close()
except PermissionError:
    print("refused")
else:
    print("let in")
"""


@linux
def test_other_programs_of_the_user_may_not_look() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HARDENED, BECOME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def look() -> str:
        command = [sys.executable, "-c", LOOK, BECOME, str(process.pid)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stdout.strip()

    try:
        assert process.stdout.readline() == "False\n"
        yama = Path("/proc/sys/kernel/yama/ptrace_scope")
        if not yama.exists() or yama.read_text().strip() == "0":
            assert look() == "let in", "this system refuses anyway, so the test would show nothing"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "True True\n"
        assert look() == "refused"
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def test_hardening_says_what_holds() -> None:
    assert Hardening(True, True).whole
    assert not Hardening(True, None).whole
    assert "no core dumps" in Hardening(True, True).text()
    for dumps in (True, False, None):
        for traces in (True, False, None):
            assert "administrator" in Hardening(dumps, traces).text()
