"""The recovery code: 32 random bytes on paper, in groups that can be typed and checked one by one.

Owns the text only, both ways. The bytes are an X25519 identity that a key slot is sealed to; being random, they need no slow hash.

52 letters of Crockford's base 32 (crockford.com/base32.html) in 13 groups of four, each followed by one check letter: a slip is named by
its group, before anything is tried. The check is a code over GF(32), whose weights differ for each place in the group, plus the group's
number: every single wrong letter, every swap of two letters in a group, and every swap of two groups is noticed.
"""

from __future__ import annotations

from app.vault.age import X25519Identity
from app.vault.errors import WrongRecoveryCode

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_ALIKE = str.maketrans("OIL", "011")
_HYPHENS = "-\u2010\u2011\u2013\u2014"
"""The one we print, and those that word processors and phones make of it."""
_GROUPS = 13
_DATA = 4
_LENGTH = _GROUPS * (_DATA + 1)


def write_code(identity: X25519Identity) -> str:
    """Return the code of `identity`: 13 groups of five, with hyphens. It is the key itself."""
    number = int.from_bytes(identity.raw(), "big") << 4  # 52 letters hold 260 bits; the last 4 are zero
    letters = [number >> 5 * (_GROUPS * _DATA - 1 - i) & 31 for i in range(_GROUPS * _DATA)]
    groups = [letters[i : i + _DATA] for i in range(0, len(letters), _DATA)]
    return "-".join("".join(_LETTERS[v] for v in [*group, _check(group, place)]) for place, group in enumerate(groups))


def read_code(text: str) -> X25519Identity:
    """Return the identity of a typed code; case, spaces and hyphens do not count, O is 0, and I and L are 1.

    Raises WrongRecoveryCode naming the group that is wrong.
    """
    letters = "".join(c for c in text.upper() if not c.isspace() and c not in _HYPHENS).translate(_ALIKE)
    values = [_VALUES.get(letter, -1) for letter in letters[: _LENGTH + 1]]
    for place in range(min(_GROUPS, -(-len(values) // (_DATA + 1)))):
        group = values[place * (_DATA + 1) : (place + 1) * (_DATA + 1)]
        if -1 in group or (len(group) == _DATA + 1 and group[-1] != _check(group[:-1], place)):
            raise WrongRecoveryCode(f"Group {place + 1} of {_GROUPS} has a letter that is wrong.")
    if len(values) != _LENGTH:
        raise WrongRecoveryCode(f"It should have {_GROUPS} groups of {_DATA + 1} letters.")
    number = 0
    for place in range(_GROUPS):
        for value in values[place * (_DATA + 1) : place * (_DATA + 1) + _DATA]:
            number = number << 5 | value
    if number & 15:
        raise WrongRecoveryCode(f"Group {_GROUPS} of {_GROUPS} has a letter that is wrong.")
    return X25519Identity((number >> 4).to_bytes(32, "big"))


def _check(group: list[int], place: int) -> int:
    total = 0
    for value in group:
        total = (total ^ value) << 1
        if total & 32:
            total ^= 0b100101  # x^5 + x^2 + 1, which makes 32 values a field
    return total ^ place
