"""Policies and destinations at the command line, and with a server that speaks like Ollama."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.cli import policies
from app.cli.main import main
from tests.cli.driving import data, eyelid, with_vault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="passes file descriptors on")


def test_policies_need_no_vault(tmp_path: Path) -> None:
    cards = {card["id"]: card for card in data(tmp_path, "policies", "list")}
    assert cards["meta-ai"]["class"] == "trains"
    assert cards["chatgpt"]["trains"]["source"].startswith("https://openai.com/")
    shown = eyelid(tmp_path, "policies", "show", "meta-ai", "--place", "us-tx").stdout
    assert "Attorney General of Texas" in shown
    assert "Only in: European Economic Area" in shown
    table = data(tmp_path, "policies", "compare", "openai-api", "chatgpt")
    assert set(table["May it be used to train AI?"]) == {"openai-api", "chatgpt"}
    assert not list(tmp_path.iterdir())


def test_the_place_is_kept_and_counts(tmp_path: Path) -> None:
    assert data(tmp_path, "policies", "place") == {"region": ""}
    assert data(tmp_path, "policies", "place", "de") == {"region": "DE"}
    listed = {card["id"]: card for card in data(tmp_path, "policies", "list")}
    assert "only Paid Services" in listed["gemini-unpaid"]["forbids"]
    wrong = eyelid(tmp_path, "policies", "place", "atlantis")
    assert (wrong.returncode, "not known" in wrong.stderr) == (1, True)
    assert eyelid(tmp_path, "policies", "show", "nothing").returncode == 1


class Ollama(BaseHTTPRequestHandler):
    """Answers like Ollama, and writes down what it got."""

    asked: list[tuple[str, bytes]]

    def do_GET(self) -> None:
        self.asked.append((self.path, b""))
        tags = {"models": [{"name": "gemma4:latest"}, {"name": "far:latest", "remote_host": "https://ollama.com:443"}]}
        self._say({"/api/tags": tags, "/api/status": {"cloud": {"disabled": True}}}.get(self.path, {}))

    def do_POST(self) -> None:
        self.asked.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self._say({"message": {"content": "A fern."}, "done": True, "done_reason": "stop"})

    def _say(self, found: Any) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def ollama() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    asked: list[tuple[str, bytes]] = []
    handler = type("Handler", (Ollama,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_models_and_a_check_through_the_real_courier(tmp_path: Path, ollama: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, asked = ollama
    with_vault(tmp_path)
    place = data(tmp_path, "destinations", "add", address, "--label", "Here", "--model", "gemma4", "--kind", "ollama")["id"]
    found = data(tmp_path, "destinations", "models", place)
    assert [model["id"] for model in found["models"]] == ["gemma4:latest"]
    assert [model["id"] for model in data(tmp_path, "destinations", "models", place, "--all")["models"]] == ["gemma4:latest", "far:latest"]
    report = data(tmp_path, "destinations", "check", place)
    assert (report["good"], report["local"]) == (True, True)
    assert "cloud is switched off" in report["where"]
    assert {path for path, _ in asked} == {"/api/tags", "/api/status"}
    receipts = data(tmp_path, "receipts", "list")
    assert all(receipt["bytes_sent"] == 0 for receipt in receipts)
    assert data(tmp_path, "receipts", "verify")["sound"]


def test_cards_to_read_anew_are_listed_by_their_day(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(policies, "today", lambda: date(2026, 11, 23))
    assert main(["--json", "policies", "review", "--days", "365"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert [card["days_left"] for card in cards] == sorted(card["days_left"] for card in cards)
    assert "openai-api" in {card["id"] for card in cards}
    assert "mirror" not in {card["id"] for card in cards}
    assert main(["policies", "review", "--days", "-1000"]) == 0
    assert capsys.readouterr().out.startswith("0 of ")
