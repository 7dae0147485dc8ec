"""What all formats share in building a body and proving what is in one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from app.assistants.wire import MAX_EARLIER, MAX_EARLIER_CHARS, Headers, Limits, ReadBack, Turn, WireError, WireFormat

DATA_URL = "data:image/jpeg;base64,"
"""Begins the address of a picture that lies inside the request itself, so that there is none for a server to fetch."""
_KEY = re.compile(r"[\x21-\x7e]{1,2000}")


def json_headers(accept: str = "text/event-stream") -> Headers:
    """What every request says of itself: JSON goes, a stream of `accept` is to come."""
    return (("content-type", "application/json"), ("accept", accept))


def key_header(key: str, name: str = "authorization", scheme: str = "Bearer ") -> Headers:
    """The header that holds `key`; none where there is no key. Raises WireError for a key that is no header text."""
    if key and not _KEY.fullmatch(key):
        raise WireError("the key has characters that no key has")
    return ((name, scheme + key),) if key else ()


def messages_of(earlier: Sequence[Turn]) -> list[dict[str, Any]]:
    """A conversation as most formats tell it again: text alone, in turn the person's and the assistant's."""
    roles = (("user", turn.question) if asked else ("assistant", turn.answer) for turn in earlier for asked in (True, False))
    return [{"role": role, "content": text} for role, text in roles]


def check(limits: Limits, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn]) -> None:
    """Raise WireError for what is beyond `limits`."""
    if len(question) > limits.question_chars:
        raise WireError("the question is too long")
    if len(pictures) > limits.pictures:
        raise WireError("there are too many pictures")
    if any(len(jpeg) > limits.picture_bytes for jpeg in pictures):
        raise WireError("a picture is too large")
    if len(earlier) > MAX_EARLIER or sum(len(turn.question) + len(turn.answer) for turn in earlier) > MAX_EARLIER_CHARS:
        raise WireError("the conversation is too long")


def written(request: dict[str, Any], limits: Limits) -> bytes:
    """`request` as JSON, the same bytes for the same values; raises WireError."""
    try:
        body = json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise WireError("the question or the model has broken characters") from error
    if len(body) > limits.body_bytes:
        raise WireError("the request is larger than this server takes")
    return body


def base64_of(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode("ascii")


def jpeg_of(text: object, prefix: str = "", altchars: bytes | None = None) -> bytes:
    """The bytes of a picture inside a request; raises WireError for an address, or anything else that is no picture."""
    if not isinstance(text, str) or not text.startswith(prefix):
        raise WireError("a picture is not inside the request")
    try:
        return base64.b64decode(text.removeprefix(prefix), altchars=altchars, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("a picture is not whole") from error


def proven(form: WireFormat, body: bytes, read: Callable[[Any], ReadBack]) -> ReadBack:
    """What `read` finds in `body`. The proof is by building: a body not rebuilt to the byte from what was read holds something else."""
    try:
        found = read(json.loads(body))
        whole = form.body(found.model, found.question, found.pictures, found.earlier) == body
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise WireError("the body is none of this format") from error
    if not whole:
        raise WireError("the body holds more than a question and pictures")
    return found


def turns(texts: Sequence[object]) -> tuple[Turn, ...]:
    """Pair texts of a conversation, question and answer in turn."""
    if len(texts) % 2:
        raise WireError("the conversation is not whole")
    return tuple(Turn(str(texts[at]), str(texts[at + 1])) for at in range(0, len(texts), 2))
