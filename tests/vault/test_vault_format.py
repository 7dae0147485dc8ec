"""FORMAT.md against the code: its worked example, its sizes, its tables, and the names of files a real vault writes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.vault import codec, config, rescue
from app.vault.age import X25519Identity, open_bytes, open_key, open_seekable, seal_bytes
from app.vault.header import read_header
from app.vault.hybrid import HybridIdentity
from app.vault.identity import VaultIdentity
from app.vault.recovery import read_code, write_code
from app.vault.rollback import digest
from app.vault.session import LABEL
from app.vault.types import Exchange, ItemId, ItemMeta, NewItem, Recognised, Share
from app.vault.vault import Vault

FORMAT = (Path(config.__file__).parent / "FORMAT.md").read_text("utf-8")
EXAMPLE = FORMAT[FORMAT.index("## A worked example") :]
SECRET = bytes(range(1, 33))


def value(row: str) -> str:
    """Return what a row of the example's table says."""
    found = re.search(rf"^\| {re.escape(row)}[^|]*\| `([^`]+)` \|$", EXAMPLE, re.M)
    assert found is not None, row
    return found[1]


def keys_of_table(heading: str) -> set[str]:
    """Return the names in the first column of the first table under a heading."""
    section = FORMAT[FORMAT.index(f"## {heading}\n") :]
    table = section[section.index("|---") :].split("\n\n")[0]
    return {name for row in table.splitlines()[1:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def example_file() -> bytes:
    header, rest = re.findall(r"^```\n(.*?)^```$", EXAMPLE, re.M | re.S)
    return header.encode() + bytes.fromhex(rest)


def test_the_examples_keys() -> None:
    identity = X25519Identity.parse(value("identity"))
    assert identity.raw() == SECRET
    assert str(identity.recipient) == value("recipient")
    assert write_code(identity) == value("the same key as a recovery code")
    assert read_code(value("the same key as a recovery code")).raw() == SECRET
    vault = VaultIdentity(identity)
    assert vault.cache_key(LABEL + b"index").hex() == value("key of `index.db`")
    assert vault.subkey(LABEL + b"set").hex() == value('key "set"')
    items = [(ItemId("0" * 31 + "1"), 1), (ItemId("0" * 31 + "2"), 3)]
    assert digest(vault.subkey(LABEL + b"set"), items) == value("digest of the items")
    hybrid = HybridIdentity.parse(value("the same bytes as a post-quantum identity"))
    text = str(hybrid.recipient)
    assert hybrid.text() == HybridIdentity(SECRET).text()
    assert (len(text), hashlib.sha256(text.encode()).hexdigest()) == (1959, value("SHA-256 of its recipient's 1,959 letters"))


def test_the_examples_file_opens_with_both_decryptors(tmp_path: Path) -> None:
    sealed = example_file()
    identity = X25519Identity(SECRET)
    assert (len(sealed), open_bytes(sealed, [identity])) == (206, b"Eyelid")
    assert read_header(io.BytesIO(sealed)).length == 168
    assert open_key(io.BytesIO(sealed), [identity])[1] == 184
    assert open_seekable(io.BytesIO(sealed), [identity]).read() == b"Eyelid"
    path = tmp_path / "example.age"
    path.write_bytes(sealed)
    assert b"".join(rescue.opened(path, {b"X25519": SECRET})) == b"Eyelid"


@pytest.mark.parametrize(("identity", "before"), [(X25519Identity(SECRET), 184), (HybridIdentity(SECRET), 1643)])
def test_the_sizes_of_a_sealed_file(identity: X25519Identity | HybridIdentity, before: int) -> None:
    assert f"{before:,}" in FORMAT
    for size in (0, 1, 65535, 65536, 65537, 131072):
        assert len(seal_bytes(bytes(size), [identity.recipient])) == before + size + 16 * max(1, -(-size // 65536))
    sealed = seal_bytes(b"", [identity.recipient])
    lines = [len(line) + 1 for line in sealed[: before - 16].split(b"\n")[:-1]]
    row: dict[str, str] = dict(re.findall(r"^\| ([^|]+?) \| ([\d,]+ \| [\d,]+) \|", FORMAT, re.M))
    column = 0 if before == 184 else 1
    parts = ("version line", "stanza, argument line", "stanza, body", "end")
    assert lines == [int(row[part].split(" | ")[column].replace(",", "")) for part in parts]


def test_the_table_of_vault_toml_is_complete() -> None:
    top, slot = config._TOP_2, config._SLOT
    assert keys_of_table("vault.toml") == top | {f"slots.{name}" for name in slot}


def test_the_table_of_a_meta_file_is_complete(new_item: NewItem) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    share = Share("mirror", "", at, 1, False)
    new = replace(new_item, recognised=Recognised("strong", (("make", "Meta AI"),)), group="0" * 32)
    meta = ItemMeta(
        ItemId("0" * 32), 1, new, 0, "0" * 64, at, shares=(share,), exchanges=(Exchange(at, "mirror", "q", "a", 1),), exported=(at,)
    )
    table = json.loads(codec.dump(meta))
    assert keys_of_table("A meta file's content") == set(table)
    rows = {row.split("|")[1].strip(): row for row in FORMAT.splitlines() if row.startswith("| `")}
    assert set(table) - set(json.loads(codec.dump(replace(meta, new=new_item, exported=())))) == {"recognised", "group", "exported"}
    for name in ("origin", "recognised", "shares", "exchanges"):
        entry = table[name] if isinstance(table[name], dict) else table[name][0]
        [row] = [row for key, row in rows.items() if key.startswith(f"`{name}`")]
        assert set(re.findall(r"`([^`]+)`", row.split("|")[2])) == set(entry)


def test_every_file_of_a_vault_is_in_the_layout(vault: Vault, folder: Path, new_item: NewItem, passphrase: str) -> None:
    assert vault.recipient()
    item = vault.add(b"x" * 100, new_item).id
    vault.seal_record("receipts", 1, b"line")
    vault.add_recovery()
    vault.index.put_thumbs(item, {160: b"jpeg"})
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    shapes = [shape_of(cell) for cell in keys_of_table("Layout") if "…" not in cell]
    assert {name for name in names if not any(shape.fullmatch(name) for shape in shapes)} == set()
    assert len(names) > 8


def shape_of(cell: str) -> re.Pattern[str]:
    if cell == "-wal":
        return re.compile(r"(index|thumbs)\.db-wal")
    parts = re.split(r"(<\d+ hex>|<n>|\*)", cell)
    shapes: list[str] = []
    for part in parts:
        digits = re.fullmatch(r"<(\d+) hex>", part)
        shapes.append(f"[0-9a-f]{{{digits[1]}}}" if digits else r"\d+" if part == "<n>" else ".*" if part == "*" else re.escape(part))
    return re.compile("".join(shapes))


def test_what_a_hybrid_vault_writes_is_what_is_said(folder: Path, key_store: Any, fast_files: Any, new_item: NewItem) -> None:
    vault = Vault.create(folder, passphrase="x", keyring=False, work_factor=1, hybrid=True, key_store=key_store, files=fast_files)
    meta = vault.add(b"12345", new_item)
    vault.close()
    assert (folder / "objects" / meta.id[:2] / f"{meta.id}.age").stat().st_size == 1643 + 5 + 16
    parsed = config.parse((folder / "vault.toml").read_bytes())
    assert dataclasses.replace(parsed, hybrid="").sealed_to == parsed.recipient


def test_a_vault_of_format_1_and_2_still_opens(tmp_path: Path, opened: Callable[[Path], Vault]) -> None:
    """The promise: vaults kept in this tree since they were made."""
    for name in ("format1", "format2"):
        folder = tmp_path / name
        unpack(Path(__file__).parent / f"{name}.json", folder)
        vault = opened(folder)
        vault.unlock_with_passphrase("a vault kept for the tests")
        (meta,) = vault.catch_up()
        assert (vault.read(meta.id), meta.note) == (b"made for good", "a note")
        assert [data for _, data in vault.records("receipts")] == [b"a record"]
        assert vault.verify().sound
        assert vault.hybrid == (name == "format2")


def unpack(source: Path, folder: Path) -> None:
    for name, text in json.loads(source.read_text())["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(text))
