"""Windows and macOS, on which nobody has run Eyelid yet, as far as Linux can stand in for them: `make test-systems`.

For each: mypy, which knows what their Python lacks, over all that is not for Linux alone; then every module is read, and the main job done
in the terminal, with what they lack taken away. With `--read` the modules are read, and that is all.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINUX_ONLY = {"app/courier/depot.py", "app/courier/depot_link.py", "app/courier/doorstep.py", "app/imports/hand.py"}
"""Begun by `app.separation` and `app.imports.crew`, on Linux only."""
_LINUX_PACKAGES = {"dbus_fast", "jeepney", "secretstorage"}
_UNIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
_UNIX_NAMES = {
    os: ("fork", "geteuid", "getuid", "set_blocking"),  # the last came to Windows with Python 3.12
    signal: ("SIGCHLD", "SIGHUP"),
}
_LINUX_NAMES = {os: ("O_PATH", "pidfd_open", "posix_fadvise"), signal: ("pidfd_send_signal",)}
LACKING = {
    "win32": (_LINUX_PACKAGES | _UNIX_MODULES, (_LINUX_NAMES, _UNIX_NAMES)),
    "darwin": (_LINUX_PACKAGES, (_LINUX_NAMES,)),
}
"""Modules that each system has not, and names that modules lack there (docs.python.org, "Availability")."""


def modules() -> list[str]:
    """All of the project that is for every system."""
    paths = [path.relative_to(ROOT) for room in ("app", "ble", "ui", "resources") for path in (ROOT / room).rglob("*.py")]
    kept = [path for path in paths if path.as_posix() not in LINUX_ONLY]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in kept)


class _Lacking(importlib.abc.MetaPathFinder):
    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"{sys.platform} has no {name}")


def stand_in(system: str) -> None:
    """Make this process, as far as the project can see, one of that system, and read every module again. Not to be taken back."""
    packages, names = LACKING[system]
    for name in [name for name in sys.modules if name.partition(".")[0] in {*packages, "app", "ble", "ui", "resources"}]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Lacking(packages))
    for module, gone in ((module, name) for table in names for module, row in table.items() for name in row):
        delattr(module, gone)
    if system == "win32":
        locks = types.ModuleType("msvcrt")
        locks.LK_NBLCK, locks.locking = 2, lambda handle, mode, size: None  # type: ignore[attr-defined]
        sys.modules["msvcrt"] = locks
    else:
        fcntl = importlib.import_module("fcntl")
        fcntl.F_FULLFSYNC = fcntl.F_GETFD  # type: ignore[attr-defined]
    sys.platform = system
    for name in modules():
        importlib.import_module(name)


def main_job() -> int:
    """As on the first day: the main job on simulated glasses, then pictures and a film from files."""
    from app.cli import main

    passphrases, writing = os.pipe()
    os.write(writing, b"a passphrase\n" * 3)
    samples = ("resources/samples/faces", "resources/samples/clip.mp4", "tests/media/samples/glasses.heic")
    with tempfile.TemporaryDirectory() as place:
        eyelid = ["--profile", f"{place}/files", "--passphrase-fd", str(passphrases)]
        commands = (
            ["--profile", f"{place}/job", "demo", "--yes"],
            [*eyelid, "vault", "create"],
            [*eyelid, "import", *(str(ROOT / name) for name in samples)],
            [*eyelid, "vault", "verify"],
        )
        return next((code for command in commands if (code := main(command))), 0)


def apart(system: str, *, read: bool) -> int:
    """Do it in a process of its own; returns its exit code. What is read by now is other people's, as this system wants it."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        stand_in(system)
        code = 0 if read else main_job()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def types_of(system: str) -> int:
    """What mypy finds there; printed."""
    options = ["--no-warn-unreachable", "--no-warn-unused-ignores", "--no-error-summary", "--cache-dir", f".mypy_cache/{system}"]
    command = [sys.executable, "-m", "mypy", "--platform", system, *options]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [line for line in said if re.split(r":\d", line)[0] not in LINUX_ONLY]
    print(*found, f"{system}: {len(found)} faults of types", sep="\n")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--read", action="store_true", help="only read the modules")
    read = parser.parse_args().read
    sys.path.insert(0, str(ROOT))
    for name in modules():
        importlib.import_module(name)
    found = {}
    for system in LACKING:
        faults = 0 if read else types_of(system)
        found[system] = faults + apart(system, read=read)
        print(f"{system}: {'well' if not found[system] else 'not well'}", flush=True)
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
