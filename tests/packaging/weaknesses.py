"""Known weaknesses of everything that is shipped: `make audit` runs this after the licences.

pip-audit asks a public database of advisories for each package of the lock file, those of the other systems included. Where the database
gives no answer it passes the package over and still ends well; here that is an end of its own:

    0  every package was asked for, and no weakness is known
    1  a weakness is known
    3  nobody could be asked for some package, and none is known of the others
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from licences import pinned

ALLOWED_SECONDS = 300


class End(IntEnum):
    """How the command ends."""

    WELL = 0
    WEAKNESS = 1
    NOT_ASKED = 3


def judge(answer: str, wanted: int) -> tuple[End, tuple[str, ...]]:
    """What pip-audit's JSON says of `wanted` packages, as an end and lines to print. No JSON at all is no answer for any of them."""
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        packages = []
    asked = [package for package in packages if "skip_reason" not in package]
    lines = [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in asked
        for found in package["vulns"]
    ]
    if lines:
        return End.WEAKNESS, (
            *lines,
            "Weaknesses are known. Raise these packages (make lock), or say in SECURITY.md why they do not bear on Eyelid.",
        )
    if len(asked) < wanted:
        return End.NOT_ASKED, (
            f"Not known: the database of advisories gave no answer for {wanted - len(asked)} of {wanted} packages. "
            "Run `make audit` again where the Python Package Index itself can be reached; a mirror of it has no advisories.",
        )
    return End.WELL, (f"{wanted} packages were asked for; no weakness of them is known.",)


def ask(packages: Sequence[tuple[str, str]]) -> str:
    """pip-audit's answer for (name, version), as JSON; empty where it could not ask."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json"]
    with tempfile.TemporaryDirectory() as place:
        for number, lines in enumerate(layers(packages)):
            path = Path(place, f"{number}.txt")
            path.write_text("\n".join(lines), "utf-8")
            command += ["--requirement", str(path)]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=ALLOWED_SECONDS).stdout
        except subprocess.TimeoutExpired:
            return ""


def layers(packages: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Requirement lines, each package once a list: Pythons of different age may get different versions, and pip-audit takes one a file."""
    made: list[list[str]] = []
    seen: Counter[str] = Counter()
    for name, version in packages:
        if seen[name] == len(made):
            made.append([])
        made[seen[name]].append(f"{name}=={version}")
        seen[name] += 1
    return made


def main() -> int:
    packages = pinned()
    end, lines = judge(ask(packages), len(packages))
    print(*lines, sep="\n")
    return end


if __name__ == "__main__":
    sys.exit(main())
