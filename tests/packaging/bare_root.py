"""The README's two commands on a bare Debian: `sudo python tests/packaging/bare_root.py [--only run|test]` (make test-bare).

Makes a fresh Debian 12 root with debootstrap that has python3, venv, make and git and nothing else, clones this checkout's last commit into
it, and runs `make run` (without a display: the main job in the terminal) and `make test` there. Prints how long each took. Needs root and
about 4 GB below --folder, where a root can be kept: with --only test it goes on in the clone that is there. Where a proxy with a
certificate of its own stands before the package archives, the certificate that SSL_CERT_FILE or PIP_CERT names is put into the root, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "python3,python3-venv,make,git,ca-certificates"
"""What is there before; the certificates are what lets pip speak TLS with a proxy."""
CERTIFICATE = "usr/local/share/ca-certificates/proxy.crt"
_PROC = ("proc", "sys", "dev", "dev/pts")


def bootstrap(root: Path) -> None:
    """A fresh minimal Debian 12."""
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={BEFORE}", "bookworm", str(root)], check=True, stdout=subprocess.DEVNULL
    )


def connect(root: Path) -> None:
    """Let the root reach the package archives as this computer does."""
    for name in ("etc/resolv.conf", "etc/hosts"):
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), root / name)
    certificate = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    if certificate:
        shutil.copyfile(certificate, root / CERTIFICATE)


def inside(root: Path, command: str) -> int:
    """Run a shell command in the root, as a person would in a fresh clone; returns its exit code."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    environment |= {name: os.environ[name] for name in ("CI", "http_proxy", "https_proxy", "no_proxy") if name in os.environ}
    if (root / CERTIFICATE).exists():
        environment |= dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), f"/{CERTIFICATE}")
    return subprocess.run(
        ["chroot", str(root), "/bin/sh", "-c", command], env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode


def timed(root: Path, name: str, command: str) -> bool:
    print(f"--- {name}", flush=True)
    start = time.monotonic()
    code = inside(root, f"cd /root/eyelid && {command}")
    print(f"--- {name}: {'passed' if code == 0 else f'exit {code}'} in {time.monotonic() - start:.0f} s", flush=True)
    return code == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("run", "test"))
    parser.add_argument("--folder", type=Path, help="where the root is made (and left)")
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("This needs root, and debootstrap (sudo apt-get install debootstrap).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as place:
        root = arguments.folder or Path(place) / "root"
        if not (root / "bin").exists():
            bootstrap(root)
        connect(root)
        mounted = []
        try:
            for name in _PROC:
                subprocess.run(["mount", "--rbind" if name == "dev" else "--bind", f"/{name}", str(root / name)], check=True)
                mounted.append(root / name)
            return int(not commands(root, arguments.only))
        finally:
            for path in reversed(mounted):
                subprocess.run(["umount", "--recursive", "--lazy", str(path)], check=False)


def commands(root: Path, only: str | None) -> bool:
    clone = root / "root/eyelid"
    if only != "test" or not clone.exists():  # so that the two can be run one after the other, too
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", f"file://{ROOT}", str(clone)], check=True)
    good = True
    if only != "test":
        good = timed(root, "make run", "make run")
    if only != "run":
        good = timed(root, "make test", "make test") and good
    return good


if __name__ == "__main__":
    sys.exit(main())
