"""Keys of accounts: in a keyring to be trusted, else only in memory."""

from __future__ import annotations

from app.sharing.keys import SERVICE, KeyringKeys
from app.vault.errors import KeyringUnavailable
from app.vault.types import KeyringReport


class FakeKeyring:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.works = True

    def _check(self) -> None:
        if not self.works:
            raise KeyringUnavailable("It is locked.")

    def report(self) -> KeyringReport:
        return KeyringReport(self.works, "fake", "")

    def get(self, service: str, account: str, name: str = "") -> str | None:
        self._check()
        return self.entries.get((service, account))

    def set(self, service: str, account: str, secret: str) -> None:
        self._check()
        self.entries[service, account] = secret

    def delete(self, service: str, account: str, name: str = "") -> None:
        self._check()
        del self.entries[service, account]


def test_a_key_is_kept_in_the_keyring() -> None:
    keyring = FakeKeyring()
    assert KeyringKeys(keyring).set("openai", "sk-1") is True
    assert keyring.entries == {(SERVICE, "openai"): "sk-1"}
    keys = KeyringKeys(keyring)
    assert keys.get("openai") == "sk-1"
    assert keys.get("other") == ""
    keys.forget("openai")
    keys.forget("openai")
    assert keyring.entries == {}


def test_without_a_keyring_a_key_lasts_until_the_end() -> None:
    keyring = FakeKeyring()
    keyring.works = False
    keys = KeyringKeys(keyring)
    assert keys.set("openai", "sk-1") is False
    assert keys.get("openai") == "sk-1"
    assert KeyringKeys(keyring).get("openai") == ""
    keys.forget("openai")
    assert keys.get("openai") == ""


def test_a_keyring_that_works_again_takes_over() -> None:
    keyring = FakeKeyring()
    keys = KeyringKeys(keyring)
    keyring.works = False
    keys.set("openai", "old")
    keyring.works = True
    assert keys.set("openai", "new") is True
    assert keys.get("openai") == "new"


def test_the_untrusted_keyring_of_the_tests_is_not_used() -> None:
    assert KeyringKeys().set("openai", "sk-1") is False
