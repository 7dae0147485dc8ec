"""The packaged folder on a Debian without Python: `sudo python tests/packaging/packaged.py DIST/eyelid` (make test-package).

Makes a bare Debian 12 root with the shared libraries of resources/packaging/debian-packages.txt, an X server without a screen, and nothing
of Python's; copies the folder in; asks each of its libraries whether all it links to is there; runs the main job in the terminal (simulated
glasses, the mirror, a receipt); imports a photo, a HEIC and a film and looks for faces on them; opens the window and takes its picture.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ROOT / "resources/packaging/debian-packages.txt"
_SHOW = "xvfb,xauth,imagemagick,x11-utils,fonts-dejavu-core,dbus"
_SAMPLES = ("resources/samples/clip.mp4", "resources/samples/faces/hopper.jpg", "tests/media/samples/glasses.heic")
LINKS = """
export LD_LIBRARY_PATH=/opt/eyelid/_internal
find /opt/eyelid -type f -name '*.so*' |
while read -r file; do
  ldd "$file" 2>&1 | sed -n "s|=> not found|is missing for $file|p; s|.*error while loading shared libraries: ||p"
done | sort -u
"""
LOOK = """
set -e
eyelid() { printf 'a passphrase\\n' | /opt/eyelid/eyelid --profile /root/files --passphrase-fd 0 "$@"; }
eyelid vault create
eyelid import /root/samples
eyelid look $(eyelid --json list | sed -n 's/.*"id": "\\(.*\\)",/\\1/p')
"""
WINDOW = """
set -e
Xvfb :5 -screen 0 1280x860x24 >/dev/null 2>&1 &
export DISPLAY=:5
for _ in $(seq 50); do xdpyinfo >/dev/null 2>&1 && break; sleep 0.2; done
/opt/eyelid/eyelid --profile /root/window --sim omi-glass >/root/window.log 2>&1 &
program=$!
for _ in $(seq 100); do xwininfo -root -tree | grep -q Eyelid && break; sleep 0.3; done
sleep 4
import -window root /root/window.png
kill -0 $program
kill $program
cat /root/window.log
"""


def bootstrap(root: Path) -> None:
    packages = [line.split("|")[0] for line in _LIBRARIES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    include = ",".join([*packages, *_SHOW.split(",")])
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={include}", "bookworm", str(root)], check=True, stdout=subprocess.DEVNULL
    )


def inside(root: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["chroot", str(root), "/bin/sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("--picture", type=Path, default=Path("window.png"), help="where the picture of the window goes")
    parser.add_argument("--folder", type=Path, help="where the root is made (and left)")
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("This needs root, and debootstrap (sudo apt-get install debootstrap).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as place:
        root = arguments.folder or Path(place) / "root"
        if not (root / "bin").exists():
            bootstrap(root)
        shutil.rmtree(root / "opt/eyelid", ignore_errors=True)
        shutil.copytree(arguments.package, root / "opt/eyelid", symlinks=True)
        mounted = []
        try:
            for name in ("proc", "dev"):
                subprocess.run(["mount", "--rbind", f"/{name}", str(root / name)], check=True)
                mounted.append(root / name)
            return check(root, arguments.picture)
        finally:
            for path in reversed(mounted):
                subprocess.run(["umount", "--recursive", "--lazy", str(path)], check=False)


def check(root: Path, picture: Path) -> int:
    size = sum(path.stat().st_size for path in (root / "opt/eyelid").rglob("*") if path.is_file() and not path.is_symlink())
    print(f"the folder: {size / 1e6:.0f} MB; python in the root: {inside(root, 'command -v python3').stdout.strip() or 'none'}")
    for name in ("terminal", "files", "window", "samples"):
        shutil.rmtree(root / "root" / name, ignore_errors=True)
    (root / "root/samples").mkdir()
    for name in _SAMPLES:
        shutil.copy(ROOT / name, root / "root/samples")
    missing = inside(root, LINKS).stdout
    print(missing or "every library finds what it links to")
    terminal = said(inside(root, "/opt/eyelid/eyelid --profile /root/terminal"), "the main job in the terminal")
    look = said(inside(root, LOOK), "import and look")
    window = said(inside(root, WINDOW), "the window")
    if window.returncode == 0:
        shutil.copyfile(root / "root/window.png", picture)
    looked = look.returncode == 0 and "not checked" not in look.stdout and look.stdout.count("faces: 1 found") >= 2
    return int(bool(missing) or terminal.returncode != 0 or not looked or window.returncode != 0)


def said(done: subprocess.CompletedProcess[str], name: str) -> subprocess.CompletedProcess[str]:
    """Print the end of what a command said."""
    print(done.stdout[-1500:], done.stderr[-1500:], f"{name}: exit {done.returncode}", sep="\n")
    return done


if __name__ == "__main__":
    sys.exit(main())
