"""What servers' statuses and short names for errors mean, in plain words. Only names are looked at, never a server's own sentences."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATUSES: Mapping[int, str] = MappingProxyType(
    {
        400: "The server did not understand the request.",
        401: "The server did not accept the key.",
        402: "The account has no credit left.",
        403: "The server does not allow this to this key.",
        404: "The server does not know this address or model.",
        408: "The server took too long.",
        413: "The server says that the request is too large.",
        429: "The server asks to wait, or the account has no credit left.",
        529: "The server has too much to do at the moment. Ask again later.",
    }
)

_NO_CREDIT = "The account has no credit left."
_WAIT = "Too many questions in a short time. Wait a little, then ask again."
_BUSY = "The server has too much to do at the moment. Ask again later."
_KEY = "The server did not accept the key."
_MODEL = "The server does not know this model. Choose another one."
_TOO_LONG = "The question and the pictures are too much for this model at once."
_PICTURE = "The server could not use a picture."
_RULES = "The server's own rules kept it from answering."

CODES: Mapping[str, str] = MappingProxyType(
    {
        # OpenAI and those who copy its form (platform.openai.com/docs/guides/error-codes)
        "insufficient_quota": _NO_CREDIT,
        "billing_hard_limit_reached": _NO_CREDIT,
        "rate_limit_exceeded": _WAIT,
        "invalid_api_key": _KEY,
        "model_not_found": _MODEL,
        "context_length_exceeded": _TOO_LONG,
        "string_above_max_length": _TOO_LONG,
        "invalid_image": _PICTURE,
        "invalid_image_format": _PICTURE,
        "invalid_base64_image": _PICTURE,
        "image_too_large": _PICTURE,
        "image_content_policy_violation": _RULES,
        "content_filter": _RULES,
        "content_policy_violation": _RULES,
        "unsupported_country_region_territory": "The server does not answer from your country.",
        "server_error": "The server is in trouble.",
        # Anthropic (anthropics/anthropic-sdk-python, types of errors)
        "authentication_error": _KEY,
        "billing_error": _NO_CREDIT,
        "permission_error": "The server does not allow this to this key.",
        "not_found_error": _MODEL,
        "rate_limit_error": _WAIT,
        "request_too_large": "The server says that the request is too large.",
        "timeout_error": "The server took too long.",
        "overloaded_error": _BUSY,
        "api_error": "The server is in trouble.",
        # Google (google.rpc.Code; reasons of generateContent)
        "UNAUTHENTICATED": _KEY,
        "PERMISSION_DENIED": "The server does not allow this to this key.",
        "NOT_FOUND": _MODEL,
        "RESOURCE_EXHAUSTED": "The account's allowance is used up for now. Wait, or ask with a paid key.",
        "FAILED_PRECONDITION": "The server does not answer from your country, or wants payment set up first.",
        "UNAVAILABLE": _BUSY,
        "DEADLINE_EXCEEDED": "The server took too long.",
        "SAFETY": _RULES,
        "IMAGE_SAFETY": _RULES,
        "PROHIBITED_CONTENT": _RULES,
        "BLOCKLIST": _RULES,
        "SPII": _RULES,
        "RECITATION": _RULES,
        # Found by Eyelid itself in an answer of Ollama
        "remote": "Ollama said that another computer answered, although this one was asked for. What was sent has left this computer.",
    }
)

_CUT = "The answer was cut off because it reached its longest length."
ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "length": _CUT,
        "max_tokens": _CUT,
        "max_output_tokens": _CUT,
        "MAX_TOKENS": _CUT,
        "model_context_window_exceeded": _CUT,
        "content_filter": "The server's own rules cut the answer off.",
        "refusal": "The model declined to answer further.",
    }
)
"""Reasons of an end that a person should know of; any other is a plain end."""


def words(status: int, code: str, what: str) -> str:
    """A sentence for an answer that is none; `what` is what the reader found, for lack of anything better."""
    if code in CODES:
        said = CODES[code]
    elif status in STATUSES:
        said = STATUSES[status]
    else:
        said = "The server is in trouble." if status >= 500 else what
    return f"{said} (It said: {code}.)" if code else said
