"""The house rules, read from the imports: who may enter which room, and who never does."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STDLIB = set(sys.stdlib_module_names)

# Modules that open a way to the network, or ask another program to. Only the courier has such a window.
NETWORK = {
    "socket",
    "ssl",
    "http",
    "urllib",
    "ftplib",
    "smtplib",
    "xmlrpc",
    "socketserver",
    "webbrowser",
    "requests",
    "httpx",
    "httpx2",
    "aiohttp",
}
NETWORK |= {"websockets", "PySide6.QtNetwork", "PySide6.QtWebEngineCore", "PySide6.QtWebEngineWidgets", "PySide6.QtWebSockets"}
# Pure text handling that lives in a package named above.
HARMLESS = {"urllib.parse", "http.HTTPStatus"}

# Room: (project modules it may import, packages from outside it may import). The innermost room of a file counts.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "ble": ({"ble"}, {"bleak", "dbus_fast"}),
    "ble/sim": ({"ble"}, {"bleak", "bumble"}),
    "app": ({"app", "ble", "resources"}, {"platformdirs"}),
    "app/vault": ({"app.vault", "app.errors"}, {"cryptography", "keyring", "apsw"}),
    "app/confine": ({"app.confine"}, set()),
    "app/media": ({"app.media", "app.confine", "app.errors", "resources"}, {"PIL", "av", "cv2", "numpy", "pi_heif", "zxingcpp"}),
    "app/glasses": (
        {
            "app.glasses",
            "app.vault",
            "app.media",
            "app.errors",
            "app.events",
            "app.lanes",
            "app.keyed_file",
            "app.files",
            "app.courier.pipe",
            "ble",
        },
        set(),
    ),
    "app/imports": (
        {"app.imports", "app.vault", "app.media", "app.errors", "app.lanes", "app.keyed_file"},
        set(),
    ),
    "app/library": ({"app.library", "app.vault", "app.media", "app.errors"}, set()),
    "app/sharing": (
        {
            "app.sharing",
            "app.vault",
            "app.media",
            "app.assistants",
            "app.errors",
            "app.events",
            "app.lanes",
            "app.files",
            "resources",
            "app.courier.pipe",
        },
        {"cryptography", "keyring"},
    ),
    "app/assistants": ({"app.assistants"}, set()),
    "app/courier": ({"app.courier", "app.confine"}, {"httpx2"}),
    "ui": ({"ui", "app", "ble.types", "resources"}, {"PySide6", "shiboken6", "qasync"}),
    "resources": (set(), set()),
}
MAY_NETWORK = {"app/courier"}


def sources() -> list[Path]:
    return sorted(path for room in ("app", "ble", "ui", "resources") for path in (ROOT / room).rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parent.parts
    for length in range(len(parts), 0, -1):
        if (room := "/".join(parts[:length])) in ROOMS:
            return room
    raise AssertionError(f"{path} lies in no room")


def imports(path: Path) -> set[str]:
    """Every module a file names in an import, as module.name where a name is taken from a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the whole module here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, allowed: set[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in allowed)


def faults(path: Path) -> list[str]:
    room = room_of(path)
    ours, theirs = ROOMS[room]
    wrong = []
    for name in sorted(imports(path)):
        top = name.split(".")[0]
        if within(name, NETWORK) and not within(name, HARMLESS) and room not in MAY_NETWORK:
            wrong.append(f"{name}: only the courier has a window to the network")
        elif top in {"app", "ble", "ui", "resources", "tests"}:
            if not within(name, ours):
                wrong.append(f"{name}: not for this room")
        elif top not in STDLIB and not within(name, theirs):
            wrong.append(f"{name}: a package that this room has no use for")
    return wrong


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_file_keeps_to_its_room(path: Path) -> None:
    assert faults(path) == []


def test_the_check_sees_a_breach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule would be worthless if it could not fail."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "app/vault/bad.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import socket\nfrom PySide6 import QtCore\nfrom app.sharing.gate import send\nimport ble\nfrom urllib.parse import quote\n"
    )
    assert len(faults(file)) == 4


def test_no_nested_event_loops_in_the_window() -> None:
    """A dialog's exec() inside a coroutine stops every other task under qasync, for good."""
    nested = re.compile(r"\.exec\(|QMessageBox\.(question|warning|information|critical|about)\(|QFileDialog\.get|QInputDialog\.get")
    found = [
        f"{path.name}:{number}"
        for path in (ROOT / "ui").rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if nested.search(line)
    ]
    assert found == []


def test_nothing_opens_an_address_on_its_own() -> None:
    found = [path.name for path in sources() if re.search(r"openUrl\(|startDetached|xdg-open", path.read_text("utf-8"))]
    assert found == []


def test_top_level_keeps_its_shape() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders - {"eyelid.egg-info", "build", "dist"} == {"app", "ble", "ui", "resources", "tests"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 50, f"{node.name} is too long to read at once"
