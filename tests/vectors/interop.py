"""Other implementations of the age format, and the exchange of one file with each, in both directions."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.vault.age import Identity, Recipient, X25519Identity, open_stream, seal
from app.vault.hybrid import HybridIdentity

SIZES = (0, 1, 65535, 65536, 65537, 1 << 20)
"""Bytes: around the chunk of 64 KiB, where implementations differ."""
_FIRST_WITH_HYBRID = (1, 3)
_NODE = (20, 19)

Step = Callable[[str, Path, Path], None]
"""Takes a key's text, a file to read, and a file to write."""


@dataclass(frozen=True, slots=True)
class Program:
    """One implementation with one kind of key; `missing` says why it can't be tried."""

    name: str
    seal: Step
    open: Step
    identity: Identity
    recipient: Recipient
    recipient_text: str
    identity_text: str
    missing: str = ""


def programs(tool: Path, folder: Path) -> Iterator[Program]:
    """Yield every implementation this knows; `tool` is tool.mjs beside npm's packages, `folder` for scratch files."""
    classic, hybrid = X25519Identity.generate(), HybridIdentity.generate()
    for name in ("age", "rage"):
        version = _version(name)
        missing = "" if version else "not installed"
        too_old = missing or ("" if version >= _FIRST_WITH_HYBRID and name == "age" else "this version has no hybrid recipient")
        label = f"{name} {'.'.join(map(str, version))}".strip()
        yield _program(f"{label}, X25519", _command(name, folder), classic, missing)
        yield _program(f"{label}, hybrid", _command(name, folder), hybrid, too_old)
    yield _program("rage's library (pyrage), X25519", _pyrage(), classic, "" if _has_pyrage() else "pyrage is not installed")
    too_old = "" if _version("node") >= _NODE else "it needs Node 20.19 or newer"
    yield _program("age-encryption (npm), X25519", _node(tool), classic, too_old)
    yield _program("age-encryption (npm), hybrid", _node(tool), hybrid, too_old)


def exchange(program: Program, size: int, folder: Path) -> Iterator[str]:
    """Seal `size` random bytes here and open them there, and the other way round; yield what went wrong."""
    plain, sealed, opened = folder / "plain", folder / "sealed.age", folder / "opened"
    _write(plain, _random(size))
    wanted = _digest(plain)
    ways: tuple[tuple[str, Callable[[], None], Callable[[], None]], ...] = (
        ("sealed here", lambda: _our_seal(program, plain, sealed), lambda: program.open(program.identity_text, sealed, opened)),
        ("sealed there", lambda: program.seal(program.recipient_text, plain, sealed), lambda: _our_open(program, sealed, opened)),
    )
    for way, first, second in ways:
        for path in (sealed, opened):
            path.unlink(missing_ok=True)
        try:
            first()
            second()
        except Exception as error:
            yield f"{size} bytes {way}: {type(error).__name__}: {error}"
            continue
        if not opened.exists() or _digest(opened) != wanted:
            yield f"{size} bytes {way}: other bytes came out"


def _program(name: str, steps: tuple[Step, Step], identity: X25519Identity | HybridIdentity, missing: str) -> Program:
    recipient = identity.recipient
    return Program(name, *steps, identity, recipient, str(recipient), identity.text(), missing)


def _command(name: str, folder: Path) -> tuple[Step, Step]:
    def seal_it(key: str, source: Path, target: Path) -> None:
        _run(name, "-r", key, source, into=target)

    def open_it(key: str, source: Path, target: Path) -> None:
        identity = folder / "identity.txt"
        identity.write_text(key + "\n")
        _run(name, "-d", "-i", identity, source, into=target)

    return seal_it, open_it


def _node(tool: Path) -> tuple[Step, Step]:
    return (
        lambda key, source, target: _run("node", tool, "seal", key, source, target),
        lambda key, source, target: _run("node", tool, "open", key, source, target),
    )


def _pyrage() -> tuple[Step, Step]:
    def seal_it(key: str, source: Path, target: Path) -> None:
        import pyrage

        pyrage.encrypt_file(str(source), str(target), [pyrage.x25519.Recipient.from_str(key)])

    def open_it(key: str, source: Path, target: Path) -> None:
        import pyrage

        pyrage.decrypt_file(str(source), str(target), [pyrage.x25519.Identity.from_str(key)])

    return seal_it, open_it


def _has_pyrage() -> bool:
    try:
        import pyrage  # noqa: F401
    except ImportError:
        return False
    return True


def _version(name: str) -> tuple[int, ...]:
    """Return the version of a program, or nothing if it is not there."""
    if shutil.which(name) is None:
        return ()
    said = subprocess.run([name, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, numbers.groups())) if numbers else (0,)


def _run(*arguments: str | Path, into: Path = Path(os.devnull)) -> None:
    """Run a program with its output in a file: age makes none for empty content when it is told the file's name."""
    with into.open("wb") as output:
        done = subprocess.run([str(argument) for argument in arguments], stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[:200])


def _our_seal(program: Program, source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as plain:
        _write(target, seal(plain, [program.recipient]))


def _our_open(program: Program, source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as sealed:
        _write(target, open_stream(sealed, [program.identity]))


def _write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _random(size: int) -> Iterator[bytes]:
    for start in range(0, size, 1 << 20):
        yield os.urandom(min(1 << 20, size - start))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
