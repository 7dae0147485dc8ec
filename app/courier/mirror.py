"""The mirror: a tiny server on this computer that is no AI and answers with what any server would have got to see.

It lives in the courier, listens on a loopback port of the system's choice under a secret path, keeps nothing, and answers in the
stream format of OpenAI-compatible servers, so that a question to it takes the whole way a question to an assistant takes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import secrets
from typing import Any, Self

from app.courier.jpeg import look
from app.courier.pipe import MAX_BODY

_MAX_HEAD = 16_384
_PATIENCE = 60.0
_MAX_PICTURES = 100
_MAX_QUESTION = 20_000
_PREFIX = "data:image/jpeg;base64,"
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 411: "Length Required", 413: "Content Too Large"}


class _Fault(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class Mirror:
    """An async context manager: listens while entered. `origin` and `path` are known from then on."""

    def __init__(self) -> None:
        self.path = f"/{secrets.token_urlsafe(24)}/v1/chat/completions"
        self.origin = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, limit=_MAX_HEAD)
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                try:
                    names, body = await self._request(reader)
                    status, kind, answer = 200, "text/event-stream", stream_of(report(names, body))
                except _Fault as fault:
                    status, kind, answer = fault.status, "application/json", _error_body(fault.status)
                lines = (
                    f"HTTP/1.1 {status} {_REASONS[status]}",
                    f"Content-Type: {kind}",
                    f"Content-Length: {len(answer)}",
                    "Connection: close",
                )
                writer.write("\r\n".join((*lines, "", "")).encode() + answer)
                await writer.drain()
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> tuple[list[str], bytes]:
        """Read one request; returns the names of its headers and its body. Raises _Fault."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError) as error:
            raise _Fault(400) from error
        line, *lines = head.rstrip("\r\n").split("\r\n")
        method, _, target = line.rpartition(" ")[0].partition(" ")
        if not secrets.compare_digest(target, self.path):
            raise _Fault(404)
        if method != "POST":
            raise _Fault(405)
        headers = {name.strip().lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 12):
            raise _Fault(411)
        if int(length) > MAX_BODY:
            raise _Fault(413)
        try:
            return list(headers), await reader.readexactly(int(length))
        except asyncio.IncompleteReadError as error:
            raise _Fault(400) from error


def report(header_names: list[str], body: bytes) -> list[str]:
    """Return, a line each, what a server that got this request knows."""
    lines = [
        "This is the mirror on your own computer, not an AI. Nothing left this computer.",
        "This is all that a server would have got:",
        "",
        f"{len(body):,} bytes in one request, SHA-256 {hashlib.sha256(body).hexdigest()}",
        f"Headers: {', '.join(header_names)}",
    ]
    texts, urls, others = _parts(body)
    lines += texts
    lines.append("1 picture" if len(urls) == 1 else f"{len(urls)} pictures")
    for number, url in enumerate(urls, 1):
        lines += ["", f"Picture {number}:", *_picture(url)]
    if others:
        lines += ["", f"Also in the request: {', '.join(others)}"]
    return lines


def _parts(body: bytes) -> tuple[list[str], list[str], list[str]]:
    """Return the texts as lines, the picture addresses and the names of everything else in an OpenAI-compatible request."""
    texts: list[str] = []
    urls: list[str] = []
    others: list[str] = []
    try:
        request: Any = json.loads(body)
        others += sorted(str(key)[:100] for key in request if key not in ("messages", "model", "stream"))[:20]
        contents = [message["content"] for message in request["messages"]]
        texts += [f"Said before: “{content[:_MAX_QUESTION]}”" for content in contents if isinstance(content, str)]
        for part in [part for content in contents if not isinstance(content, str) for part in content]:
            if part["type"] == "text":
                texts.append(f"Question: “{str(part['text'])[:_MAX_QUESTION]}”")
            elif part["type"] == "image_url" and len(urls) < _MAX_PICTURES:
                urls.append(str(part["image_url"]["url"]))
            else:
                others.append(f"a part of type {str(part['type'])[:100]}")
    except (ValueError, TypeError, KeyError, RecursionError):
        others.append("something that is no chat request")
    return texts, urls, others


def _picture(url: str) -> list[str]:
    try:
        jpeg = base64.b64decode(url.removeprefix(_PREFIX), validate=True) if url.startswith(_PREFIX) else None
    except (binascii.Error, ValueError):
        jpeg = None
    if jpeg is None:
        return ["  not a JPEG inside the request"]
    facts = look(jpeg)
    if not facts.is_jpeg:
        return ["  not a JPEG"]
    return [
        f"  JPEG, {facts.width} × {facts.height} pixels, {len(jpeg):,} bytes",
        f"  SHA-256 {hashlib.sha256(jpeg).hexdigest()}",
        f"  Metadata found: {', '.join(facts.metadata) or 'none (no EXIF, no location, no XMP, no comments)'}",
    ]


def stream_of(lines: list[str]) -> bytes:
    """Return `lines` as a chat completion stream, one piece a line."""
    chunks = [_chunk({"content": line + "\n"}, None) for line in lines]
    return b"".join([*chunks, _chunk({}, "stop"), b"data: [DONE]\n\n"])


def _chunk(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    text = json.dumps({"object": "chat.completion.chunk", "model": "mirror", "choices": [choice]}, ensure_ascii=False)
    return b"data: " + text.encode("utf-8", "replace") + b"\n\n"


def _error_body(status: int) -> bytes:
    return json.dumps({"error": {"message": _REASONS[status], "type": "invalid_request_error", "param": None, "code": None}}).encode()
