"""`vault.toml`: what may be known of a vault while it is locked. Owns its text, both ways; touches no disk and no keys."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.vault.age import X25519Recipient
from app.vault.codec import EARLIEST, LATEST, as_utc
from app.vault.errors import HybridUnavailable, VaultDamaged, VaultTooNew
from app.vault.header import KeyTextError
from app.vault.hybrid import HybridMissing, HybridRecipient
from app.vault.types import SlotInfo, SlotKind

FORMAT = 2
"""The latest known. What is written is the least that says it all: 2 with a hybrid recipient, 1 without."""
NAME = "vault.toml"
LARGEST = 64 * 1024
"""Bytes of the file."""
_MOST_SLOTS = 64
_ID = re.compile(r"[0-9a-f]{32}")
_SLOT_ID = re.compile(r"[0-9a-f]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLASS = re.compile(r"[A-Za-z0-9_.]{0,200}")
_TOP = {"format", "id", "recipient", "created", "slots"}
_TOP_2 = _TOP | {"hybrid"}
_SLOT = {"id", "kind", "created", "sha256", "keyring"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One key slot; `sha256` (hex) is of its file, so that damage is told from a wrong passphrase."""

    info: SlotInfo
    sha256: str

    @property
    def file(self) -> str:
        """Name below the vault's folder."""
        return f"keys/{self.info.id}.age"


@dataclass(frozen=True, slots=True)
class Config:
    id: str
    recipient: str
    created: datetime
    slots: tuple[Slot, ...]
    hybrid: str = ""
    """The post-quantum recipient, "age1pq1…", or empty."""

    @property
    def sealed_to(self) -> str:
        """The one recipient that new files are sealed to: post-quantum recipients stand alone."""
        return self.hybrid or self.recipient

    def of_kind(self, kind: SlotKind) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.info.kind is kind)


def dump(config: Config) -> bytes:
    lines = [
        "# An Eyelid vault. This file holds no secret; without it and a file of keys/, nothing opens the vault.",
        f"format = {2 if config.hybrid else 1}",
        f"id = {json.dumps(config.id)}",
        f"recipient = {json.dumps(config.recipient)}",
        *([f"hybrid = {json.dumps(config.hybrid)}"] if config.hybrid else []),
        f"created = {_time(config.created)}",
    ]
    for slot in config.slots:
        lines += ["", "[[slots]]", f"id = {json.dumps(slot.info.id)}", f"kind = {json.dumps(slot.info.kind.value)}"]
        lines += [f"created = {_time(slot.info.created_at)}", f"sha256 = {json.dumps(slot.sha256)}"]
        if slot.info.keyring:
            lines.append(f"keyring = {json.dumps(slot.info.keyring)}")
    return ("\n".join(lines) + "\n").encode("ascii")


def parse(text: bytes) -> Config:
    """Raises VaultTooNew for a later format, VaultDamaged for anything that `dump` does not write, HybridUnavailable."""
    try:
        table = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):  # also of a number too long to be one
        raise VaultDamaged(NAME, "It is not readable as TOML.") from None
    version = table.get("format")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        raise VaultTooNew
    if version not in (1, 2) or not isinstance(version, int) or isinstance(version, bool):
        raise VaultDamaged(NAME, "It does not say which format it has.")
    _known(table, _TOP if version == 1 else _TOP_2)
    slots = table.get("slots", [])
    if not isinstance(slots, list) or not 0 < len(slots) <= _MOST_SLOTS:
        raise VaultDamaged(NAME, "It lists no key slots.")
    parsed = tuple(_slot(slot) for slot in slots)
    if len({slot.info.id for slot in parsed}) != len(parsed):
        raise VaultDamaged(NAME, "It lists a key slot twice.")
    recipient = _text(table, "recipient")
    try:
        X25519Recipient.parse(recipient)
    except KeyTextError:
        raise VaultDamaged(NAME, "Its recipient is not a public key.") from None
    return Config(_text(table, "id", _ID), recipient, _datetime(table), parsed, _hybrid(table) if version == 2 else "")


def _hybrid(table: Mapping[str, Any]) -> str:
    text = _text(table, "hybrid")
    try:
        HybridRecipient.parse(text)
    except HybridMissing:
        raise HybridUnavailable from None
    except KeyTextError:
        raise VaultDamaged(NAME, "Its hybrid recipient is not a public key.") from None
    return text


def _slot(table: object) -> Slot:
    if not isinstance(table, dict):
        raise VaultDamaged(NAME, "A key slot is not a table.")
    _known(table, _SLOT)
    try:
        kind = SlotKind(table.get("kind"))
    except ValueError:
        raise VaultDamaged(NAME, "A key slot is of an unknown kind.") from None
    keyring = _text(table, "keyring", _CLASS) if "keyring" in table else ""
    return Slot(SlotInfo(_text(table, "id", _SLOT_ID), kind, _datetime(table), keyring), _text(table, "sha256", _SHA256))


def _known(table: Mapping[str, Any], keys: set[str]) -> None:
    if not table.keys() <= keys:
        raise VaultDamaged(NAME, "It has an entry this format does not know.")


def _text(table: Mapping[str, Any], key: str, shape: re.Pattern[str] | None = None) -> str:
    value = table.get(key)
    if not isinstance(value, str) or (shape is not None and not shape.fullmatch(value)):
        raise VaultDamaged(NAME, f"Its entry “{key}” is missing or malformed.")
    return value


def _datetime(table: Mapping[str, Any]) -> datetime:
    value = table.get("created")
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise VaultDamaged(NAME, "Its entry “created” is missing or malformed.")
    moment = as_utc(value)
    if not EARLIEST < moment < LATEST:
        raise VaultDamaged(NAME, "Its entry “created” is missing or malformed.")
    return moment


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
