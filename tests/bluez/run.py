"""Run the tests of this folder against the real BlueZ, in a virtual machine that needs neither hardware nor KVM.

    python tests/bluez/run.py [arguments for pytest]

Boots Debian's kernel in qemu through virtme-ng, with this computer's own files (read-only) as its disk, and runs `guest.sh` inside: D-Bus,
bluetoothd, simulated glasses on a virtual controller, and the ordinary driver over bleak. What the guest writes stays in its memory.

What is missing is installed with apt-get where that is allowed. The kernel is only unpacked, to `eyelid/kernel` in the user's cache folder;
delete that folder to get a newer one, or name one with EYELID_KERNEL=/path/to/boot/vmlinuz-6.1.0 (its modules in ../lib/modules).

Exit status: that of pytest in the machine; 77 where the machine can't be made, or 1 in its place where CI is set; 124 when time ran out.
"""

from __future__ import annotations

import lzma
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path, PurePosixPath
from typing import IO

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CANNOT_RUN = 77
OUT_OF_TIME = 124
BOOT_SECONDS = 60
"""What booting may take, over what the tests may: 7 s on an idle computer, more on a busy one."""
TEST_SECONDS = 420

# Machine: (Debian's name, package of qemu, its program). Only the first is tried regularly.
MACHINES = {
    "x86_64": ("amd64", "qemu-system-x86", "qemu-system-x86_64"),
    "aarch64": ("arm64", "qemu-system-arm", "qemu-system-aarch64"),
}
PROGRAMS = {
    "busybox": "busybox-static",
    "file": "file",
    "modprobe": "kmod",
    "udevadm": "udev",
    "dbus-daemon": "dbus",
    "bluetoothd": "bluez",
}
PROGRAM_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/libexec/bluetooth", "/usr/lib/bluetooth"]
)

# Of the 4,000 modules of Debian's kernel, those this machine has a use for; the rest would only cost the boot time.
MODULES = re.compile(
    r"lib/modules/[^/]+/(modules\.(builtin|builtin\.modinfo|order)$|kernel/("
    r"arch/[^/]+/(crypto|lib)/|crypto/|lib/|net/(9p|bluetooth|rfkill)/|fs/(9p|fscache|netfs|fuse|overlayfs)/"
    r"|drivers/(virtio/|bluetooth/hci_vhci\.|char/virtio_console\.|char/hw_random/)))"
)


class CannotRun(Exception):
    """This computer can't make the virtual machine; the text says why and what would help."""


def say(text: str) -> None:
    print(f"bluez: {text}", flush=True)


# -- programs -----------------------------------------------------------------------------------------------------------------------


def has(program: str) -> bool:
    found = shutil.which(program, path=PROGRAM_PATH)
    if found is None:
        return False
    if program != "busybox":
        return True
    with Path(found).open("rb") as binary:  # it runs before any library is there
        return b"/ld-linux" not in binary.read(4096)


def privilege() -> list[str] | None:
    """What to put before a command to be root: nothing, sudo if it asks no password, or None if neither works."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    return None


def apt_get(*arguments: str, folder: Path | None = None, as_root: bool = True) -> None:
    """Raises CannotRun with apt-get's last words."""
    before = privilege() if as_root else []
    if before is None:
        raise CannotRun("this needs root; please run: sudo apt-get " + shlex.join(arguments))
    command = [*before, "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotRun(f"`{shlex.join(command)}` failed: {done.stderr.strip()[-500:]}")


def provide_programs(qemu_package: str, qemu: str) -> None:
    wanted = {qemu: qemu_package, **PROGRAMS}
    missing = sorted({package for program, package in wanted.items() if not has(program)})
    if not missing:
        return
    say("missing: " + ", ".join(missing))
    if shutil.which("apt-get") is None:
        raise CannotRun(f"these programs are missing, and there is no apt-get to install them with: {', '.join(missing)}")
    install = ("install", "--no-install-recommends", "-y", *missing)
    try:
        apt_get(*install)
    except CannotRun:  # the lists are older than the archive, or there are none yet
        apt_get("update")
        apt_get(*install)


def candidate(package: str) -> str | None:
    """The version of `package` that apt would install, if its lists know one."""
    shown = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Candidate: (\d\S*)", shown)
    return found.group(1) if found else None


# -- kernel -------------------------------------------------------------------------------------------------------------------------


def kernel(debian_name: str) -> Path:
    """The kernel image to boot, unpacked from Debian's package the first time."""
    if named := os.environ.get("EYELID_KERNEL"):
        if not Path(named).is_file():
            raise CannotRun(f"EYELID_KERNEL names {named}, which is not there")
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eyelid" / "kernel" / debian_name
    if not (cached := sorted(cache.glob("*/boot/vmlinuz-*"))):
        unpack_kernel(debian_name, cache)
        cached = sorted(cache.glob("*/boot/vmlinuz-*"))
    return cached[-1]


def unpack_kernel(debian_name: str, cache: Path) -> None:
    if shutil.which("apt-get") is None:
        raise CannotRun("the kernel comes from Debian's packages, and this is no Debian; name a kernel with EYELID_KERNEL")
    package = kernel_package(f"linux-image-{debian_name}")
    say(f"getting {package}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
        folder = Path(scratch)
        apt_get("download", package, folder=folder, as_root=False)  # apt checks it against Debian's signature
        (archive,) = folder.glob("*.deb")
        unpacked = folder / "unpacked"
        unpack(archive, unpacked)
        unpacked.rename(cache / package)


def kernel_package(meta: str) -> str:
    """The one package behind the meta package, by its exact name: apt-get takes anything else for a pattern."""
    if candidate(meta) is None:
        apt_get("update")
    shown = subprocess.run(["apt-cache", "depends", "--important", meta], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Depends: (linux-image-\d[\w.+-]*)", shown)
    if found is None:
        raise CannotRun(f"apt knows no package {meta}; name a kernel with EYELID_KERNEL")
    return found.group(1)


def unpack(archive: Path, into: Path) -> None:
    """The kernel image and the modules of `MODULES`, decompressed where a newer Debian compresses them."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        with tarfile.open(fileobj=reader.stdout, mode="r|") as tar:
            for member in tar:
                name = PurePosixPath(member.name).as_posix().removeprefix("usr/")
                if member.isfile() and (name.startswith("boot/vmlinuz-") or MODULES.match(name)):
                    content = tar.extractfile(member)
                    assert content is not None
                    place(content, into / name)
    if reader.returncode != 0 or not list(into.glob("boot/vmlinuz-*")):
        raise CannotRun(f"{archive.name} could not be unpacked")


def place(content: IO[bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xz":
        path.with_suffix("").write_bytes(lzma.decompress(content.read()))
    else:
        with path.open("wb") as out:
            shutil.copyfileobj(content, out)


# -- machine ------------------------------------------------------------------------------------------------------------------------


def guest_command(*arguments: str) -> str:
    return shlex.join(["/bin/sh", str(HERE / "guest.sh"), sys.executable, str(ROOT), str(TEST_SECONDS), *arguments])


def warm_up(arguments: list[str]) -> None:
    """Import on this side what the guest will, so that it finds compiled files: compiling in the machine is slow, and is lost.

    Ends the program with pytest's status if there is nothing to run, or a test file is broken.
    """
    environment = {**os.environ, "EYELID_IN_MACHINE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["-c", str(HERE / "machine.ini"), "-m", "bluez", "--collect-only", "-q", "-q", *arguments, str(HERE)]
    for command in ([str(HERE / "glasses.py"), "--check"], ["-m", "pytest", *options]):
        done = subprocess.run(
            [sys.executable, *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            say(f"no reason to boot:\n{done.stdout}{done.stderr}")
            sys.exit(done.returncode)


def virtme() -> Path:
    found = Path(sys.executable).parent / "vng"
    if not found.is_file():
        raise CannotRun("virtme-ng is not installed beside this Python; `make setup-dev` installs it")
    return found


def boot(image: Path, arguments: list[str]) -> int:
    """Run the machine, repeat what it says, and return the status that it reports in its last line."""
    program = virtme()
    command = [str(program), "--run", str(image), "--disable-kvm", "--force-9p", "--user", "root", "--cpus", "2", "--memory", "1G"]
    command += ["--exec", guest_command(*arguments)]
    environment = {**os.environ, "PATH": os.pathsep.join([str(program.parent), PROGRAM_PATH])}
    began = time.monotonic()
    machine = subprocess.Popen(
        command,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    late = threading.Event()

    def give_up() -> None:
        late.set()
        end(machine)

    timer = threading.Timer(BOOT_SECONDS + TEST_SECONDS, give_up)
    timer.start()
    try:
        status = relay(machine)
        machine.wait(10)
    except BaseException:  # SIGTERM and Ctrl-C too: nothing may stay behind
        end(machine)
        raise
    finally:
        timer.cancel()
    say(f"the machine ran for {time.monotonic() - began:.0f} s")
    if late.is_set():
        say(f"stopped after {BOOT_SECONDS + TEST_SECONDS} s")
        return OUT_OF_TIME
    if status is None:
        say("the machine stopped without a result")
        return 1
    return status


def relay(machine: subprocess.Popen[bytes]) -> int | None:
    status = None
    assert machine.stdout is not None
    for line in machine.stdout:
        sys.stdout.write(line.decode("utf-8", "replace").replace("\r", ""))
        sys.stdout.flush()
        if found := re.fullmatch(rb"bluez: exit (\d+)\s*", line):
            status = int(found.group(1))
    return status


def end(machine: subprocess.Popen[bytes]) -> None:
    """End the machine and all it started; it has a session of its own, so nobody else is meant."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(machine.pid, how)
        except ProcessLookupError:
            break
        try:
            machine.wait(5)
        except subprocess.TimeoutExpired:
            continue
    machine.wait()


def stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, stop)
    try:
        if sys.platform != "linux" or platform.machine() not in MACHINES:
            raise CannotRun(f"it needs Linux on {' or '.join(MACHINES)}; this is {sys.platform} on {platform.machine()}")
        debian_name, qemu_package, qemu = MACHINES[platform.machine()]
        virtme()
        provide_programs(qemu_package, qemu)
        image = kernel(debian_name)
    except CannotRun as reason:
        say(f"can't run here: {reason}")
        return 1 if os.environ.get("CI") else CANNOT_RUN
    warm_up(arguments)
    say(f"booting {image.name}")
    return boot(image, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
