"""What a system is told about the program: names that have to agree, permissions that have to stay narrow, icons in every size."""

from __future__ import annotations

import configparser
import importlib
import plistlib
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "resources/packaging"
ID = "app.eyelid.Eyelid"
MANIFEST = (FILES / f"{ID}.yml").read_text("utf-8")
METAINFO = ElementTree.parse(FILES / f"{ID}.metainfo.xml").getroot()
SPEC = (FILES / "eyelid.spec").read_text("utf-8")
LANGUAGES = {path.stem for path in (ROOT / "resources/translations").glob("*.mo")}


@pytest.fixture
def entry() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(FILES / f"{ID}.desktop", "utf-8")
    return parser["Desktop Entry"]


def test_every_system_knows_the_program_by_one_name(entry: configparser.SectionProxy) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert METAINFO.findtext("id") == ID
    assert METAINFO.findtext("launchable") == f"{ID}.desktop"
    assert METAINFO.find("releases/release").attrib["version"] == version  # type: ignore[union-attr]
    assert f"id: {ID}\n" in MANIFEST
    assert f'bundle_identifier="{ID}"' in SPEC
    assert entry["Icon"] == ID
    window = (ROOT / "ui/main.py").read_text("utf-8")
    assert f'setDesktopFileName("{ID}")' in window
    assert f'setApplicationName("{entry["StartupWMClass"]}")' in window


def test_the_desktop_speaks_the_languages_of_the_program(entry: configparser.SectionProxy) -> None:
    for key in ("GenericName", "Comment", "Keywords"):
        assert {match[1] for name in entry if (match := re.fullmatch(rf"{key}\[(\w+)\]", name))} == LANGUAGES
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert {summary.attrib[lang] for summary in METAINFO.findall("summary") if lang in summary.attrib} == LANGUAGES
    assert all(len(summary.text or "") <= 35 for summary in METAINFO.findall("summary"))


def test_the_sandbox_has_no_files_no_devices_and_no_bus_of_its_own() -> None:
    grants = set(re.findall(r"^  - (--\S+)$", MANIFEST, re.MULTILINE))
    names = {grant.split("=")[1] for grant in grants if "talk-name" in grant}
    assert grants == {*(grant for grant in grants if "talk-name" in grant), "--socket=wayland", "--socket=fallback-x11", "--share=ipc"} | {
        "--device=dri",
        "--socket=pulseaudio",
        "--share=network",
    }
    assert not any("*" in name for name in names)
    assert {grant for grant in grants if grant.startswith("--system")} == {
        "--system-talk-name=org.bluez",
        "--system-talk-name=org.freedesktop.login1",
    }


def test_the_sandbox_lets_the_program_hear_every_lock_it_listens_for() -> None:
    from ui.lockwatch import linux

    assert {*linux.SAVERS, linux.LOGIN} <= set(re.findall(r"talk-name=(\S+)", MANIFEST))


def test_every_file_that_a_package_takes_is_there() -> None:
    named = set(re.findall(r"(?:resources|ui)/[\w./-]+\.\w+", MANIFEST + SPEC))
    assert {name for name in named if not (ROOT / name).exists()} == set()
    compile(SPEC, "eyelid.spec", "exec")


def test_macos_is_told_why_and_shows_a_window() -> None:
    assert re.search(r'"NSBluetoothAlwaysUsageDescription": "Eyelid .+"', SPEC), "without it macOS ends the program at its first scan"
    assert "console=not MACOS" in SPEC, "with a console PyInstaller makes it a program of the background"
    rights = plistlib.loads((FILES / "macos-entitlements.plist").read_bytes())
    assert set(rights) == {
        "com.apple.security.device.bluetooth",
        "com.apple.security.cs.allow-unsigned-executable-memory",
        "com.apple.security.cs.disable-library-validation",
    }


def test_the_icons_have_every_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests/packaging"))
    icons = importlib.import_module("icons")
    icons.write(tmp_path)
    with Image.open(tmp_path / "eyelid.ico") as windows, Image.open(tmp_path / "eyelid.icns") as macos:
        assert {size[0] for size in windows.info["sizes"]} == set(icons.WINDOWS)
        assert {edge * scale for edge, _, scale in macos.info["sizes"]} == set(icons.MACOS)
        windows.load()
        assert windows.convert("RGBA").getextrema()[3] == (0, 255), "drawn, on nothing"
