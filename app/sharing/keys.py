"""The keys of assistants' accounts: in the operating system's keyring, or in memory until Eyelid ends. Never in a file."""

from __future__ import annotations

from typing import Protocol

from app.vault.errors import KeyringUnavailable
from app.vault.keystore import KeyStore as Keyring
from app.vault.keystore import SystemKeyStore

SERVICE = "eyelid-assistants"


class KeyStore(Protocol):
    """Keeps one key a destination. Blocking: use it off the event loop."""

    def get(self, destination_id: str) -> str:
        """The key, or an empty text where there is none."""
        ...

    def set(self, destination_id: str, key: str) -> bool:
        """Keep the key; False says that it is kept only until Eyelid ends."""
        ...

    def forget(self, destination_id: str) -> None: ...


class MemoryKeys:
    """Keeps keys until Eyelid ends."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def get(self, destination_id: str) -> str:
        return self._keys.get(destination_id, "")

    def set(self, destination_id: str, key: str) -> bool:
        self._keys[destination_id] = key
        return False

    def forget(self, destination_id: str) -> None:
        self._keys.pop(destination_id, None)


class KeyringKeys:
    """Keeps keys in the keyring where there is one that the vault trusts too, else in memory."""

    def __init__(self, keyring: Keyring | None = None) -> None:
        self._keyring = keyring or SystemKeyStore()
        self._memory = MemoryKeys()

    def get(self, destination_id: str) -> str:
        if key := self._memory.get(destination_id):
            return key
        try:
            return self._keyring.get(SERVICE, destination_id) or ""
        except KeyringUnavailable:
            return ""

    def set(self, destination_id: str, key: str) -> bool:
        try:
            self._keyring.set(SERVICE, destination_id, key)
        except KeyringUnavailable:
            return self._memory.set(destination_id, key)
        self._memory.forget(destination_id)
        return True

    def forget(self, destination_id: str) -> None:
        self._memory.forget(destination_id)
        try:
            if self._keyring.get(SERVICE, destination_id) is not None:
                self._keyring.delete(SERVICE, destination_id)
        except KeyringUnavailable:
            pass
