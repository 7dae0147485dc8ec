"""What the worker cannot do any more, tried from inside of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRIES = {
    "an internet socket": "import socket; socket.socket(socket.AF_INET)",
    "an internet socket of version 6": "import socket; socket.socket(socket.AF_INET6)",
    "a local socket": "import socket; socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "import socket; socket.socketpair()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "a child program": "import subprocess; subprocess.run(['/bin/true'])",
    "writing a file": "open(FILE, 'w')",
    "appending to a file": "open(FILE, 'a')",
    "changing a file": "open(FILE, 'r+b')",
    "a temporary file": "import tempfile; tempfile._get_default_tempdir = lambda: '/tmp'; tempfile.TemporaryFile(dir='/tmp')",
    "removing a file": "import os; os.unlink(FILE)",
    "renaming a file": "import os; os.rename(FILE, FILE + '2')",
    "cutting a file": "import os; os.truncate(FILE, 0)",
    "a folder": "import os; os.mkdir(FILE + '3')",
    "a link": "import os; os.symlink(FILE, FILE + '4')",
    "rights": "import os; os.chmod(FILE, 0o777)",
    "ending another process": "import os; os.kill(os.getppid(), 0)",
    "a socket from a thread": "thread('import socket; socket.socket()')",
    "a socket from C": "c = ctypes.CDLL(None, use_errno=True)\nif c.socket(2, 1, 0) < 0: raise OSError(ctypes.get_errno(), '')",
}
SCRIPT = """
import sys
from app.media.look.guard import confine
import subprocess, socket, threading, ctypes, tempfile, os
FILE = sys.argv[1]
def thread(text):
    caught = []
    def run():
        try:
            exec(text, dict(globals()))
        except OSError as error:
            caught.append(error)
    other = threading.Thread(target=run)
    other.start()
    other.join()
    if caught: raise caught[0]
if sys.argv[3] == "confined":
    assert confine()
try:
    exec(sys.argv[2], globals())
except OSError as error:
    sys.exit(100 + error.errno)
"""
ROOT = Path(__file__).parents[2]


def run(text: str, file: Path, how: str = "confined") -> int:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file), text, how], cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"mine")
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is the Linux kernel's")
@pytest.mark.parametrize("name", TRIES)
def test_it_is_refused(name: str, file: Path) -> None:
    assert run(TRIES[name], file) == 101  # EPERM
    assert file.read_bytes() == b"mine"
    assert [path.name for path in file.parent.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is the Linux kernel's")
def test_without_the_filter_these_would_work(file: Path) -> None:
    """The tries themselves are sound; and what the finders need still works behind the filter."""
    for name in ("an internet socket", "a child program", "changing a file", "a socket from C", "a socket from a thread"):
        assert run(TRIES[name], file, "free") == 0
    for text in (
        "assert open(FILE, 'rb').read() == b'mine'",
        "thread('sorted([2, 1])')",
        "import json.tool, decimal, sqlite3",
        "bytes(10**8)",
    ):
        assert run(text, file) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_limits_hold_without_the_filter(file: Path) -> None:
    limited = "from app.media.look.guard import limit; limit(); "
    assert run(limited + "held = [open(FILE) for _ in range(99)]", file, "free") == 124  # EMFILE
    writing = (
        limited + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); f = open(FILE, 'r+b', 0); f.seek(0, 2); f.write(b'more')"
    )
    assert run(writing, file, "free") == 127  # EFBIG
    assert file.read_bytes() == b"mine"
    if sys.platform == "linux":
        assert run(limited + "bytearray(5 * 1024**3)", file, "free") == 1  # MemoryError
