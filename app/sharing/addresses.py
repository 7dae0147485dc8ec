"""Addresses of servers, checked strictly: what is shown is what is connected to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from app.sharing.errors import DestinationError

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_ACTION = "Give it like https://server.example/v1 or http://127.0.0.1:1234/v1."


def base_address(text: str) -> tuple[str, str, bool]:
    """Return (origin, path, whether it is this computer) of a base URL. International names come back as punycode.

    Only https, or http to this computer; no user, no query, no fragment. Raises DestinationError with the reason.
    """
    text = text.strip()
    if len(text) > 500 or not text.isprintable() or any(mark in text for mark in " \\?#@%"):
        raise _wrong("It has parts or characters that an address of a server does not need.")
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError as error:
        raise _wrong("It is not a whole address.") from error
    host, local = _host(split)
    if split.scheme not in ("https", "http"):
        raise _wrong("It must begin with https:// (or http:// for a server on this computer).")
    if split.scheme == "http" and not local:
        raise _wrong("Without https, anybody on the way could read what is sent; http is for this computer only.")
    path = split.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise _wrong("The part after the server's name has characters that are not taken.")
    if port == 0:
        raise _wrong("It is not a whole address.")
    usual = {"https": 443, "http": 80}[split.scheme]
    return f"{split.scheme}://{host}" + ("" if port in (None, usual) else f":{port}"), path, local


def _host(split: SplitResult) -> tuple[str, bool]:
    """Return the host as it is connected to, and whether it is this computer."""
    host = split.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return (f"[{address.compressed}]" if address.version == 6 else str(address)), address.is_loopback
    try:
        host = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise _wrong("The name of the server is not a possible one.") from error
    # A name of digits alone would be read as a number for an address by some systems.
    if not _HOST.fullmatch(host) or ".." in host or host.rpartition(".")[2].isdigit():
        raise _wrong("The name of the server is not a possible one.")
    return host, host == "localhost"


def _wrong(why: str) -> DestinationError:
    return DestinationError("That address cannot be used.", why, _ACTION)
