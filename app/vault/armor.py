"""Reading an age file that was wrapped in text, for mail or a note: strictly, and only what fits in memory. Eyelid writes none.

Source: C2SP age.md, section “ASCII armor”, which is the strict form of RFC 7468 with blanks and line ends allowed around it.
"""

from __future__ import annotations

import base64
import binascii

from app.vault.header import AgeError

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_BLANK = b" \t\r\n"
_COLUMNS = 64


class ArmorError(AgeError):
    """The text around a sealed file is not exactly what the format allows."""


def is_armored(start: bytes) -> bool:
    """Whether a file that starts like this is wrapped in text."""
    return start.lstrip(_BLANK).startswith(BEGIN)


def unarmor(text: bytes) -> bytes:
    """Return the sealed file inside `text`. Raises ArmorError for anything but the one canonical form."""
    lines = [line.removesuffix(b"\r") for line in text.strip(_BLANK).split(b"\n")]
    if len(lines) < 2 or lines[0] != BEGIN or lines[-1] != _END:
        raise ArmorError("its first or last line is not the one it should be")
    rows = lines[1:-1]
    if any(len(row) != _COLUMNS for row in rows[:-1]) or (rows and not 0 < len(rows[-1]) <= _COLUMNS):
        raise ArmorError("a line of the wrong length")
    encoded = b"".join(rows)
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ArmorError("not base64") from None
    if base64.b64encode(data) != encoded:
        raise ArmorError("base64 that is not canonical")
    return data
