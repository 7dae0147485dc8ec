"""Bech32 as age uses it: BIP 173 without its limit of length. Text in, bytes out; knows nothing of keys.

Source: BIP 173 (bitcoin/bips, bip-0173.mediawiki); the lifted limit: C2SP age.md, “Conventions used in this document”.
"""

from __future__ import annotations

from collections.abc import Iterable

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6
LONGEST = 8192
"""Characters accepted by `decode`; far above any key."""


class Bech32Error(ValueError):
    """The text is not Bech32. The message never repeats the text, which may be a secret."""


def encode(prefix: str, data: bytes) -> str:
    """Return `data` in lower-case Bech32 under `prefix` (lower case, not empty)."""
    values = _regroup(data, 8, 5, pad=True)
    check = _polymod([*_expand(prefix), *values, *([0] * _CHECKSUM)]) ^ 1
    values += [check >> 5 * (_CHECKSUM - 1 - i) & 31 for i in range(_CHECKSUM)]
    return prefix + "1" + "".join(_LETTERS[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """Return the prefix in lower case and the data; all upper or all lower case is accepted.

    Raises Bech32Error for anything but one canonical encoding.
    """
    if len(text) > LONGEST:
        raise Bech32Error("too long")
    if text not in (text.lower(), text.upper()):
        raise Bech32Error("upper and lower case mixed")
    prefix, mark, rest = text.lower().rpartition("1")
    if not mark or not prefix or len(rest) < _CHECKSUM or not all(33 <= ord(c) <= 126 for c in prefix):
        raise Bech32Error("not of the shape prefix, 1, data, checksum")
    try:
        values = [_VALUES[letter] for letter in rest]
    except KeyError:
        raise Bech32Error("a letter that Bech32 does not use") from None
    if _polymod([*_expand(prefix), *values]) != 1:
        raise Bech32Error("the checksum does not fit")
    return prefix, bytes(_regroup(values[:-_CHECKSUM], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, term in enumerate(_GENERATOR):
            if top >> i & 1:
                check ^= term
    return check


def _regroup(values: Iterable[int], width: int, into: int, *, pad: bool) -> list[int]:
    gathered = bits = 0
    out: list[int] = []
    for value in values:
        gathered = gathered << width | value
        bits += width
        while bits >= into:
            bits -= into
            out.append(gathered >> bits & ((1 << into) - 1))
        gathered &= (1 << bits) - 1
    if pad:
        if bits:
            out.append(gathered << (into - bits) & ((1 << into) - 1))
    elif bits >= width or gathered:
        raise Bech32Error("the padding is not zero, or too long")
    return out
