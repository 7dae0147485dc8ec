"""The licence of every package that is shipped, and whether it goes with Apache-2.0: `make audit` prints it.

Runs in the environment of the packaging tools, which has all that requirements.txt names. Exits with 1 for a licence that is not known to
be compatible: somebody has to read that one first.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Apache's own list (apache.org/legal/resolved.html): permissive ones may be included; weak copyleft may be used as separate, replaceable
# libraries, as wheels are. PySide6 is offered under the LGPL among others; pi_heif and av carry LGPL libraries.
PERMISSIVE = re.compile(
    r"apache|\bmit\b|bsd|isc|python software foundation|psf|zlib|unlicense|public domain|hpnd|0bsd|any-osi", re.IGNORECASE
)
CARRIES = {
    "av": "its wheels carry FFmpeg with x264 and x265 (GPL-2.0-or-later): a folder with them in it is passed on under the GPL as a whole",
    "pi-heif": "its wheels carry libheif and libde265 (LGPL-3.0), as replaceable libraries",
}
"""What the wheels hold besides the package itself, where that weighs more than its own licence."""
SEPARATE = re.compile(r"lgpl|lesser general public|mpl|mozilla public", re.IGNORECASE)


def shipped() -> set[str]:
    """Names of the packages in the lock file of the program."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def main() -> int:
    found = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"], capture_output=True, text=True, check=True
    )
    ours, unknown = shipped(), []
    rows = {re.sub(r"[-_.]+", "-", row["Name"]).lower(): row for row in json.loads(found.stdout)}
    for name in sorted(ours & rows.keys()):
        licence = rows[name]["License"].split("\n")[0]
        kind = "permissive" if PERMISSIVE.search(licence) else "separate library" if SEPARATE.search(licence) else "READ IT"
        print(f"{name:32} {rows[name]['Version']:16} {licence[:60]:62} {kind}")
        if name in CARRIES:
            print(f"{'':32} {CARRIES[name]}")
        if kind == "READ IT":
            unknown.append(name)
    absent = sorted(ours - rows.keys())
    print(f"{len(ours)} packages; not on this system: {', '.join(absent) or 'none'}; to be read: {', '.join(unknown) or 'none'}.")
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
