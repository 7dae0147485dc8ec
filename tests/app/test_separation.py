"""The program as it is started: what it gave up, what `doctor` says of that, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.courier import depot_link
from app.doctor import separation
from app.separation import KEPT, InForce, Separation
from app.sharing.errors import CourierGone

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given up")
begin = Separation.begin
"""Taken before the tests' own one stands in for it."""


@linux
def test_doctor_finds_all_three_kept_to_their_own(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = subprocess.run(
        [sys.executable, "-m", "ui", "--json", "--profile", str(tmp_path), "doctor"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert found["main"]["fine"]
    assert "sockets to the internet" in found["main"]["text"]
    assert "refuses it programs, local sockets and writing" in found["courier"]["text"]
    assert found["look worker"]["fine"]


@pytest.mark.parametrize(
    ("found", "system", "fine"),
    [
        (InForce(True, True, 7, True), "linux", [True, True, True]),
        (InForce(True, True, 0, True), "linux", [True, False, True]),
        (InForce(False, False, 0, False), "linux", [False, False, False]),
        (InForce(False, False, 0, False), "darwin", [None, None, None]),
        (InForce(False, False, 0, False), "win32", [None, None, None]),
    ],
)
def test_doctor_says_where_the_kernel_does_not_help(found: InForce, system: str, fine: list[bool | None]) -> None:
    findings = separation(found, system)
    assert [finding.fine for finding in findings] == fine
    for finding in findings:
        assert ("by how it is built" in finding.text) == (not finding.fine)


def test_elsewhere_than_on_linux_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    separated = begin()
    assert separated.departure is None
    assert separated.listen is None
    separated.close()


@linux
def test_without_a_depot_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise OSError(11, "no more processes")

    monkeypatch.setattr(depot_link.subprocess, "Popen", no_process)
    with pytest.raises(CourierGone):
        begin()


@linux
def test_it_begins_with_the_depot_and_then_gives_up_the_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """In that order; the second is only noted here, as this process would never get them back."""
    noted: list[object] = []
    start = depot_link.Depot.start

    def starting(environment: Mapping[str, str]) -> depot_link.Depot:
        noted.append("depot")
        return start(environment)

    monkeypatch.setattr(depot_link.Depot, "start", starting)
    monkeypatch.setattr("app.separation.keep_only", noted.append)
    separated = begin()
    assert noted == ["depot", KEPT]
    assert separated.departure is not None
    assert separated.listen is not None
    separated.close()
