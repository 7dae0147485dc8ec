"""`make audit`: its three ends are told apart, and no licence is taken for granted."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture
def licences(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("licences")


@pytest.fixture
def weaknesses(licences: ModuleType) -> ModuleType:
    return importlib.import_module("weaknesses")


def answer(*packages: dict[str, object]) -> str:
    """As pip-audit 2.10 writes it with --format=json."""
    return json.dumps({"dependencies": packages, "fixes": []})


SOUND = {"name": "h11", "version": "0.16.0", "vulns": []}
WEAK = {"name": "idna", "version": "3.6", "vulns": [{"id": "PYSEC-2024-60", "fix_versions": ["3.7"], "aliases": [], "description": ""}]}
SKIPPED = {"name": "zipp", "skip_reason": "Dependency not found on PyPI and could not be audited: zipp (4.1.2)"}


def test_all_asked_and_none_known_is_well(weaknesses: ModuleType) -> None:
    assert weaknesses.judge(answer(SOUND), 1)[0] == 0


@pytest.mark.parametrize("said", [answer(SOUND, SKIPPED), answer(SOUND), "", "Traceback (most recent call last):", "[]", "null"])
def test_no_answer_is_neither_well_nor_a_weakness(weaknesses: ModuleType, said: str) -> None:
    end, lines = weaknesses.judge(said, 2)
    assert end == 3
    assert len(lines) == 1
    assert "of 2 packages. Run `make audit` again where" in lines[0]


def test_a_weakness_is_named_with_what_mends_it_also_where_others_were_not_asked(weaknesses: ModuleType) -> None:
    end, lines = weaknesses.judge(answer(SOUND, WEAK, SKIPPED), 3)
    assert end == 1
    assert lines[0] == "idna 3.6: PYSEC-2024-60, mended in 3.7"


def test_every_package_of_the_lock_file_is_asked_for_once_a_file(weaknesses: ModuleType, licences: ModuleType) -> None:
    packages = licences.pinned()
    layers = weaknesses.layers(packages)
    assert sorted(line for layer in layers for line in layer) == sorted("==".join(package) for package in packages)
    assert all(len({line.split("==")[0] for line in layer}) == len(layer) for layer in layers)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("h11", "MIT License", "PERMISSIVE"),
        ("libusb1", "LGPL-2.1-or-later", "SEPARATE"),
        ("apsw-sqlite3mc", "OSI Approved", "PERMISSIVE"),
        ("winrt-runtime", "", "PERMISSIVE"),
        ("new-one", "", "UNREAD"),
        ("new-one", "OSI Approved", "UNREAD"),
        ("new-one", "GPL-3.0-or-later", "UNREAD"),
        ("new-one", "Commercial, permitted for summit members", "UNREAD"),
    ],
)
def test_a_licence_is_known_to_go_with_ours_or_has_to_be_read(licences: ModuleType, name: str, said: str, kind: str) -> None:
    assert licences.licence_of(name, said)[1].name == kind


def test_the_process_that_looks_never_loads_ffmpeg_of_the_gpl() -> None:
    """As licences.py says of the packaged folder: OpenCV with its OpenSSL, and PyAV, are in programs of their own."""
    code = "import sys; from app.media.look import __main__, codes, faces, text; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=HERE.parents[1], check=False).returncode == 0
