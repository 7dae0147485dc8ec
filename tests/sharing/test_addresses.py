"""Addresses: only plain ones, and shown as they are connected to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sharing.addresses import base_address
from app.sharing.errors import DestinationError

GOOD = [
    ("https://api.example/v1", ("https://api.example", "/v1", False)),
    (" https://API.Example/v1/ ", ("https://api.example", "/v1", False)),
    ("https://api.example:443", ("https://api.example", "", False)),
    ("https://api.example:8443/a/b-c_d~e.f", ("https://api.example:8443", "/a/b-c_d~e.f", False)),
    ("http://127.0.0.1:1234/v1", ("http://127.0.0.1:1234", "/v1", True)),
    ("http://127.8.9.1:80/v1", ("http://127.8.9.1", "/v1", True)),
    ("http://localhost:11434/v1", ("http://localhost:11434", "/v1", True)),
    ("http://[::1]:8080/v1", ("http://[::1]:8080", "/v1", True)),
    ("http://[0:0:0:0:0:0:0:1]/v1", ("http://[::1]", "/v1", True)),
    ("https://localhost/v1", ("https://localhost", "/v1", True)),
    ("https://192.0.2.1/v1", ("https://192.0.2.1", "/v1", False)),
    ("https://bücher.example/v1", ("https://xn--bcher-kva.example", "/v1", False)),
    ("https://аpple.example/v1", ("https://xn--pple-43d.example", "/v1", False)),
    ("http://ｌocalhost:1/v1", ("http://localhost:1", "/v1", True)),
]


@pytest.mark.parametrize(("text", "found"), GOOD)
def test_good_ones(text: str, found: tuple[str, str, bool]) -> None:
    assert base_address(text) == found


BAD = [
    "",
    "api.example",
    "//api.example",
    "ftp://api.example",
    "file:///etc/passwd",
    "http://api.example/v1",
    "http://10.0.0.1/v1",
    "http://0.0.0.0:80/v1",
    "http://localhost.example/v1",
    "http://127.0.0.1.example/v1",
    "https://user@api.example/",
    "https://user:word@api.example/",
    "https://api.example/?q=1",
    "https://api.example/?",
    "https://api.example/#x",
    "https://api.example/v 1",
    "https://api.example/%2e%2e",
    "https://api.example/../v1",
    "https://api.example//v1",
    "https://api.example\\@evil.example/",
    "https://api.example:99999/",
    "https://api.example:0/",
    "http://127.0.0.1:0/v1",
    "http://[::1]:0",
    "https://api.example:x/",
    "https://[::1",
    "https://a..b/",
    "https://-a/",
    "https://a-/",
    "https://a_b/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://api.example\r\nx: y/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a" * 600,
    "https://\ud800.example/",
    "https:///v1",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_ones(text: str) -> None:
    with pytest.raises(DestinationError) as raised:
        base_address(text)
    assert raised.value.why
    assert raised.value.action


@given(st.text(max_size=40), st.sampled_from(["", "https://", "http://", "https://a.example"]))
def test_any_text_is_an_address_or_a_plain_error(text: str, prefix: str) -> None:
    try:
        origin, path, local = base_address(prefix + text)
    except DestinationError:
        return
    assert (origin + path).isascii()
    assert origin.startswith("https://") or local
    assert base_address(origin + path) == (origin, path, local), "an address reads the same again"
