"""The recovery code on paper, and the inspection of sealed files without a key."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault import header
from app.vault.age import Passphrase, X25519Identity, seal_bytes
from app.vault.errors import NoSuchSlot, VaultDamaged, VaultLocked, WrongRecoveryCode
from app.vault.header import Stanza
from app.vault.inspect import inspect
from app.vault.recovery import read_code, write_code
from app.vault.types import NewItem, SlotKind
from app.vault.vault import Vault

KEY = X25519Identity(bytes(range(100, 132)))
Opener = Callable[[Path], Vault]


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=60, deadline=None)
def test_round_trip(secret: bytes) -> None:
    code = write_code(X25519Identity(secret))
    assert len(code) == 13 * 6 - 1
    assert read_code(code).raw() == secret


def test_it_may_be_typed_as_people_type() -> None:
    code = write_code(KEY)
    for typed in (
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " \n"),
        code.replace("-", "–"),
        code.replace("0", "o").replace("1", "l"),
    ):
        assert read_code(typed).raw() == KEY.raw()


def test_every_single_slip_and_every_swap_is_named_by_its_group() -> None:
    code = write_code(KEY)
    for at, letter in enumerate(code):
        if letter == "-":
            continue
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZU!":
            if other != letter:
                with pytest.raises(WrongRecoveryCode, match=f"Group {at // 6 + 1} of 13"):
                    read_code(code[:at] + other + code[at + 1 :])
    groups = code.split("-")
    for place, group in enumerate(groups):
        for i, j in itertools.combinations(range(5), 2):
            letters = list(group)
            letters[i], letters[j] = letters[j], letters[i]
            if letters != list(group):
                with pytest.raises(WrongRecoveryCode, match=f"Group {place + 1} of 13"):
                    read_code("-".join([*groups[:place], "".join(letters), *groups[place + 1 :]]))
    for i, j in itertools.combinations(range(13), 2):
        swapped = list(groups)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        with pytest.raises(WrongRecoveryCode, match="Group"):
            read_code("-".join(swapped))


def test_too_short_too_long_and_the_last_bits() -> None:
    code = write_code(KEY)
    for wrong in ("", code[:-1], code[:-6], code + "-00000", code + "0"):
        with pytest.raises(WrongRecoveryCode):
            read_code(wrong)
    with pytest.raises(WrongRecoveryCode, match="Group 13"):  # its check letter fits, but the four spare bits are set
        read_code("-".join([*write_code(X25519Identity(bytes(32))).split("-")[:-1], _group([0, 0, 0, 1], 12)]))


def _group(values: list[int], place: int) -> str:
    from app.vault.recovery import _LETTERS, _check

    return "".join(_LETTERS[v] for v in [*values, _check(values, place)])


def test_a_recovery_code_opens_the_vault_and_another_does_not(vault: Vault, folder: Path, opened: Opener, new_item: NewItem) -> None:
    meta = vault.add(b"media", new_item)
    slot, code = vault.add_recovery()
    _, second = vault.add_recovery()
    assert slot.kind is SlotKind.RECOVERY
    vault.lock()
    with pytest.raises(VaultLocked):
        vault.add_recovery()
    vault.close()
    again = opened(folder)
    with pytest.raises(WrongRecoveryCode, match="another vault"):
        again.unlock_with_recovery(write_code(KEY))
    for right in (code, second):
        again.unlock_with_recovery(right)
        assert again.read(meta.id) == b"media"
        again.lock()
    assert not any(code.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    path = folder / "keys" / f"{slot.id}.age"
    path.write_bytes(path.read_bytes()[:-1])
    again.unlock_with_recovery(second)
    again.remove_slot(next(info.id for info in again.slots() if info.kind is SlotKind.RECOVERY and info.id != slot.id))
    again.lock()
    with pytest.raises(VaultDamaged):
        again.unlock_with_recovery(code)
    again.unlock_with_keyring()
    again.remove_slot(slot.id)
    again.lock()
    with pytest.raises(NoSuchSlot):
        again.unlock_with_recovery(code)


# -- inspect


def test_a_sealed_file_shows_sizes_and_kinds_of_recipients(tmp_path: Path) -> None:
    path = tmp_path / "x.age"
    path.write_bytes(seal_bytes(bytes(100_000), [KEY.recipient, KEY.recipient]))
    facts = inspect(path)
    assert (facts.version, facts.plain_bytes, facts.chunks, facts.trouble) == ("age-encryption.org/v1", 100_000, 2, "")
    assert facts.recipients == ("X25519 (a public key)",) * 2
    assert facts.header_bytes + 16 + facts.payload_bytes == path.stat().st_size
    assert "content: 100000 bytes in 2 chunks of up to 64 KiB" in facts.lines()
    path.write_bytes(seal_bytes(b"", [Passphrase("x", 3)]))
    assert inspect(path).recipients == ("scrypt (a passphrase), work factor 3",)
    assert (inspect(path).plain_bytes, inspect(path).chunks) == (0, 1)
    stanzas = [Stanza(("mlkem768x25519", "x"), b""), Stanza(("example.com/y" * 20,), b""), Stanza(("scrypt",), b"")]
    path.write_bytes(header.write_header(stanzas, bytes(16)) + bytes(40))
    assert [line.split(" (")[0][:20] for line in inspect(path).recipients] == ["mlkem768x25519", ("example.com/y" * 2)[:20], "scrypt"]
    assert "missing" in inspect(path).recipients[2]


def test_what_is_no_sealed_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data, version, words in (
        (b"", "not an age file", "header"),
        (b"\xff\xd8\xff" * 50, "not an age file", "header"),
        (b"age-encryption.org/v9\n", "does not know", "newer"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "armored", "damaged"),
    ):
        path.write_bytes(data)
        facts = inspect(path)
        assert version in facts.version
        assert words in facts.trouble
        assert facts.lines()[-1] == facts.trouble
    sealed = seal_bytes(b"x", [KEY.recipient])
    for cut in (5, 20, 30):
        path.write_bytes(sealed[:-cut])
        facts = inspect(path)
        assert facts.plain_bytes is None
        assert "damaged" in facts.trouble
        assert "content: unknown" in facts.lines()
