"""The licence of every package that is shipped, and what follows for what we pass on: `make audit` prints it.

Runs in the environment of the packaging tools, which has all that requirements.txt names for this system. Exits with 1 for a licence that
is not known to be compatible with Apache-2.0: somebody has to read that one first. With `--texts FILE` it writes the texts of all of them
into one file, for the packaged folder.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Apache's own list (apache.org/legal/resolved.html): permissive ones may be included; weak copyleft may be used as separate, replaceable
# libraries, as wheels are. PySide6 is offered under the LGPL among others; pi_heif and av carry LGPL libraries.
PERMISSIVE = re.compile(
    r"apache|\bmit\b|bsd|isc|python software foundation|psf|zlib|unlicense|public domain|hpnd|0bsd|any-osi", re.IGNORECASE
)
SEPARATE = re.compile(r"lgpl|lesser general public|mpl|mozilla public", re.IGNORECASE)
READ = {
    # Its metadata say no more than "OSI Approved". LICENSE in the wheel: zlib's terms, "alternatively ... any OSI approved open source
    # license", SPDX any-OSI. What it holds besides: SQLite (public domain) and SQLite3 Multiple Ciphers (MIT, its repository's LICENSE).
    "apsw-sqlite3mc": "any-OSI",
}
"""Licences that a person read in the package itself, where the metadata do not say them."""
ELSEWHERE = {"httpx2-jsfetch": "BSD-3-Clause", "pyobjc": "MIT", "pywin32-ctypes": "BSD-3-Clause", "winrt": "MIT"}
"""Packages of other systems, by the beginning of their name, as the metadata of their wheels say."""
CARRIES = {
    "av": "carries FFmpeg with x264 and x265: GPL-2.0-or-later as a whole",
    "opencv-python-headless": "carries FFmpeg without those (LGPL-2.1-or-later) and, on Linux, OpenSSL 1.1.1 (OpenSSL licence)",
    "pi-heif": "carries libheif and libde265 (LGPL-3.0), as replaceable libraries",
}
"""What the wheels hold besides the package itself, where that weighs more than its own licence."""
WHOLE = """\
Eyelid's own code, its wheel and its source archive: Apache-2.0. They carry none of the packages above.
The packaged folder (and the Flatpak), as a whole: GPL-3.0-or-later. It holds PyAV's FFmpeg, which is built with x264 and x265 under the
GPL-2.0-or-later, and Apache-2.0 goes with the GPL from version 3 on. Who passes it on passes on the texts in it (LICENCES.txt) and offers
the sources of its parts. OpenSSL 1.1.1, which the GPL does not go with and which comes with OpenCV's wheel, is not in the folder for Linux;
elsewhere only the process that looks for faces and text loads it, which is a program of its own and never loads PyAV."""


class Kind(Enum):
    """What a licence means for us."""

    PERMISSIVE = "permissive"
    SEPARATE = "separate library"
    UNREAD = "READ IT"


def plain(name: str) -> str:
    """A package's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> list[tuple[str, str]]:
    """Name and version of each package in the lock file of the program, for all systems."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return [(plain(name), version) for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)]


def licence_of(name: str, said: str) -> tuple[str, Kind]:
    """The licence of a package and what it means, from what its metadata say ("" where it isn't installed)."""
    elsewhere = next((licence for start, licence in ELSEWHERE.items() if name.startswith(start)), "")
    licence = READ.get(name) or said.split("\n")[0] or elsewhere
    if PERMISSIVE.search(licence):
        return licence, Kind.PERMISSIVE
    return licence, Kind.SEPARATE if SEPARATE.search(licence) else Kind.UNREAD


def installed(*options: str) -> dict[str, dict[str, str]]:
    """What pip-licenses says of each installed package, by name."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system", *options]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return {plain(row["Name"]): row for row in json.loads(found.stdout)}


def report() -> int:
    """Print a line for each package; 1 if one has to be read."""
    rows, unread = installed(), []
    packages = pinned()
    for name, version in packages:
        licence, kind = licence_of(name, rows[name]["License"] if name in rows else "")
        print(f"{name:56} {version:20} {licence[:48]:50} {kind.value}")
        if name in CARRIES:
            print(f"{'':56} {CARRIES[name]}")
        if kind is Kind.UNREAD:
            unread.append(name)
    print(f"{len(packages)} packages; to be read: {', '.join(unread) or 'none'}.")
    print(WHOLE)
    return int(bool(unread))


def texts() -> str:
    """The licence texts of all that the packaged folder of this system holds: of the folder as a whole, ours, the packages' own."""
    files = ("resources/packaging/GPL-3.0.txt", "resources/packaging/LGPL-3.0.txt", "LICENSE")
    parts = [WHOLE, *((ROOT / name).read_text("utf-8") for name in files)]
    python = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    if python.exists():
        parts.append(f"Python {sys.version.split()[0]}\n{python.read_text('utf-8')}")
    rows = installed("--with-license-file", "--no-license-path", "--with-notice-file", "--with-urls")
    for name, version in pinned():
        row = rows.get(name)
        if row is not None and row["Version"] == version:
            said = [text for text in (row["LicenseText"], row.get("NoticeText", "")) if text not in ("", "UNKNOWN")]
            parts.append("\n".join((f"{name} {version}: {licence_of(name, row['License'])[0]} ({row['URL']})", *said)))
    return f"\n\n{'=' * 100}\n".join(part.strip() for part in parts) + "\n"


def main() -> int:
    if sys.argv[1:2] == ["--texts"]:
        Path(sys.argv[2]).write_text(texts(), "utf-8")
        return 0
    return report()


if __name__ == "__main__":
    sys.exit(main())
