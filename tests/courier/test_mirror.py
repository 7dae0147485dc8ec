"""The mirror says what a server got to see, and turns away everything that is not such a request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.assistants import Text, wire
from app.courier import mirror as room
from app.courier.mirror import Mirror, report, stream_of


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (48, 32)).save(out, "JPEG", comment=b"taken at home")
    return out.getvalue()


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    async with Mirror() as listening:
        yield listening


async def ask(mirror: Mirror, request: bytes) -> tuple[int, bytes]:
    port = int(mirror.origin.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if not request.endswith(b"\r\n\r\n"):
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def post(mirror: Mirror, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {mirror.path} HTTP/1.1", "Host: x", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def test_it_tells_all_that_a_server_sees(mirror: Mirror) -> None:
    body = wire("mirror").body("mirror", "Where was this?", [jpeg()])
    status, answer = await ask(mirror, post(mirror, body, "Content-Type: application/json", "X-Odd: 1"))
    assert status == 200
    reader = wire("mirror").reader(200)
    parts = reader.feed(answer) + reader.close()
    told = "".join(part.text for part in parts if isinstance(part, Text))
    for fact in [
        f"{len(body):,} bytes in one request, SHA-256 {hashlib.sha256(body).hexdigest()}",
        "Headers: host, content-type, x-odd, content-length",
        "Question: “Where was this?”",
        "1 picture\n",
        f"48 × 32 pixels, {len(jpeg()):,} bytes",
        hashlib.sha256(jpeg()).hexdigest(),
        "Metadata found: comment",
    ]:
        assert fact in told


async def test_it_listens_on_this_computer_alone_under_a_secret_path(mirror: Mirror) -> None:
    assert mirror.origin.startswith("http://127.0.0.1:")
    assert len(mirror.path.split("/")[1]) >= 32
    async with Mirror() as other:
        assert other.path != mirror.path


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("POST /", "POST /x"), 404),
        (("POST", "GET"), 405),
        (("Content-Length: 2", "Content-Length: x"), 411),
        (("Content-Length: 2", "Content-Length: 99999999"), 413),
        (("Content-Length: 2", "Content-Length: 99999999999999999999"), 411),
        (("Content-Length: 2", "Content-Length: 5"), 400),
        (("Host: x", "Host: ä"), 400),
        (("POST", "\r\n\r\n"), 404),
        (("Host: x", "Host: " + "x" * 20_000), 400),
    ],
)
async def test_other_requests_are_turned_away(mirror: Mirror, change: tuple[str, str], status: int) -> None:
    request = post(mirror, b"{}").replace(change[0].encode(), change[1].encode())
    assert (await ask(mirror, request))[0] == status


async def test_a_caller_that_leaves_is_no_trouble(mirror: Mirror) -> None:
    port = int(mirror.origin.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.abort()
    assert (await ask(mirror, post(mirror, b"{}")))[0] == 200


async def test_a_caller_that_dawdles_is_dropped(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PATIENCE", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(mirror.origin.rpartition(":")[2]))
    assert await reader.read() == b""
    writer.close()


def test_what_was_said_before_is_told_too() -> None:
    before = [{"role": "user", "content": "What is this?"}, {"role": "assistant", "content": "A fern."}]
    told = report([], json.dumps({"messages": [*before, {"content": [{"type": "text", "text": "Is it old?"}]}]}).encode())
    assert told[5:9] == ["Said before: “What is this?”", "Said before: “A fern.”", "Question: “Is it old?”", "0 pictures"]


def test_what_else_is_in_the_request_is_named() -> None:
    request = {
        "user": "somebody",
        "messages": [
            {"content": [{"type": "text", "text": "q"}, {"type": "video"}, {"type": "image_url", "image_url": {"url": "https://x/y.jpg"}}]}
        ],
    }
    told = "\n".join(report([], json.dumps(request).encode()))
    assert "Also in the request: user, a part of type video" in told
    assert "not a JPEG inside the request" in told


@pytest.mark.parametrize("data", [b"!", b"x", base64.b64encode(b"GIF89a")])
def test_pictures_that_are_none(data: bytes) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + data.decode()}}
    told = "\n".join(report([], json.dumps({"messages": [{"content": [part]}]}).encode()))
    assert "not a JPEG" in told


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"[" * 50_000, b'{"messages":5}', b'{"messages":[5]}', b'{"messages":[{"content":["x"]}]}', b"\xff"]
)
def test_bodies_that_are_no_chat(body: bytes) -> None:
    assert "something that is no chat request" in "\n".join(report([], body))


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["messages", "content", "type", "text", "image_url", "url"]), x),
        max_leaves=10,
    ).map(lambda x: json.dumps(x).encode())
)
def test_any_body_gets_a_report(body: bytes) -> None:
    reader = wire("mirror").reader(200)
    parts = reader.feed(stream_of(report(["host"], body))) + reader.close()
    assert any(isinstance(part, Text) and f"{len(body):,} bytes" in part.text for part in parts)
