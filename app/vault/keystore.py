"""The operating system's keyring, as far as a vault trusts it: three calls behind a small protocol, each bounded in time.

Only back ends that are the system's own secret store are used, by an allow-list of names. Nothing here ever makes a key, and a missing
entry (None) is told apart from a keyring that fails: neither is a reason to make a new one.
"""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import keyring.errors

from app.vault.errors import KeyringUnavailable
from app.vault.types import KeyringReport

PATIENCE = 60.0
"""Seconds for one call: long enough for a person to answer the keyring's own question."""
_PROBE = 20.0
"""Seconds for finding out which back end there is."""
_TRUSTED = {
    "keyring.backends.SecretService": "The vault's key can be kept in the desktop's Secret Service.",
    "keyring.backends.libsecret": "The vault's key can be kept in the desktop's Secret Service.",
    "keyring.backends.kwallet": "The vault's key can be kept in KWallet.",
    "keyring.backends.macOS": "The vault's key can be kept in the macOS keychain.",
    "keyring.backends.Windows": "The vault's key can be kept in the Windows Credential Manager.",
}
"""Modules of jaraco/keyring (keyring/backends) that hand the secret to the system's encrypted store."""
_CHAINER = "keyring.backends.chainer"

T = TypeVar("T")


class KeyStore(Protocol):
    """Where a wrapping key lives. `get` and `set` raise KeyringUnavailable; `get` returns None only if the store says there is no entry.

    `name` is the back end that was recorded when the key was put there; the empty name is the one in use now.
    """

    def report(self) -> KeyringReport: ...

    def get(self, service: str, account: str, name: str = "") -> str | None: ...

    def set(self, service: str, account: str, secret: str) -> None: ...

    def delete(self, service: str, account: str, name: str = "") -> None: ...


class SystemKeyStore:
    """The keyring of this computer. Calls run in a thread of their own, so that a hanging daemon can't hang the vault."""

    def __init__(self, backend: Callable[[], Any] | None = None, patience: float = PATIENCE) -> None:
        """`backend` finds the back end in use now; without it, jaraco/keyring does."""
        self._backend = backend or _detect
        self._patience = patience

    def report(self) -> KeyringReport:
        """Which back end there is, whether it is trusted, and one sentence about it. Never raises."""
        try:
            backend = self._in_time(self._backend, min(_PROBE, self._patience))
        except KeyringUnavailable as error:
            return KeyringReport(False, "", error.why)
        return describe(backend)

    def get(self, service: str, account: str, name: str = "") -> str | None:
        value = self._in_time(lambda: self._trusted(name).get_password(service, account))
        if value is not None and not isinstance(value, str):
            raise KeyringUnavailable("It gave back something that is not a text.")
        return value

    def set(self, service: str, account: str, secret: str) -> None:
        self._in_time(lambda: self._trusted("").set_password(service, account, secret))

    def delete(self, service: str, account: str, name: str = "") -> None:
        self._in_time(lambda: self._trusted(name).delete_password(service, account))

    def _trusted(self, name: str) -> Any:
        """Return the back end recorded as `name`, or the one in use now; KeyringUnavailable if it is not on the list."""
        backend = _by_name(name) if name else _unchain(self._backend())
        report = describe(backend)
        if not report.trusted:
            raise KeyringUnavailable(report.text)
        return backend

    def _in_time(self, call: Callable[[], T], patience: float | None = None) -> T:
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((call(), None))
            except BaseException as error:  # it is raised again on the caller's side
                answers.put((None, error))

        threading.Thread(target=work, name="keyring", daemon=True).start()
        try:
            value, error = answers.get(timeout=self._patience if patience is None else patience)
        except queue.Empty:
            raise KeyringUnavailable("It did not answer in time.") from None
        if error is not None:
            raise _said(error) from error
        return value  # type: ignore[return-value]  # None is a value of T here


def describe(backend: object) -> KeyringReport:
    """Judge one back end by the module of its class (not by its own word)."""
    backend = _unchain(backend)
    name = class_name(backend)
    module = type(backend).__module__
    for trusted, words in _TRUSTED.items():
        if module == trusted or module.startswith(trusted + "."):
            return KeyringReport(True, name, f"{words} Whoever can use your login can open the vault.")
    if module == "keyring.backends.fail":
        return KeyringReport(False, name, "This computer has no keyring that is running; use a passphrase.")
    if module == "keyring.backends.null":
        return KeyringReport(False, name, "The keyring was switched off on this computer; it keeps nothing. Use a passphrase.")
    return KeyringReport(False, name, f"The keyring back end “{name}” is not one Eyelid trusts with a key; use a passphrase.")


def class_name(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _detect() -> Any:
    return keyring.get_keyring()


def _unchain(backend: object) -> object:
    """Return the first trusted member of a chain: reads and writes of a chain may reach different stores, so one is used by name."""
    if type(backend).__module__ != _CHAINER:
        return backend
    for member in getattr(backend, "backends", ()):
        if type(member).__module__ != _CHAINER and describe(member).trusted:
            return member
    return backend


def _by_name(name: str) -> object:
    module, _, kind = name.rpartition(".")
    if not any(module == trusted or module.startswith(trusted + ".") for trusted in _TRUSTED):
        raise KeyringUnavailable(f"The vault names a keyring back end that is not trusted: “{name}”.")
    try:
        found: object = getattr(importlib.import_module(module), kind)()
    except Exception:
        raise KeyringUnavailable(f"The back end the key was put in, “{name}”, is not usable here now.") from None
    return found


def _said(error: BaseException) -> KeyringUnavailable:
    if isinstance(error, KeyringUnavailable):
        return error
    if isinstance(error, keyring.errors.KeyringLocked):
        return KeyringUnavailable("It is locked, and was not unlocked when asked.")
    if isinstance(error, keyring.errors.NoKeyringError):
        return KeyringUnavailable("This computer has no keyring that is running.")
    return KeyringUnavailable(f"It failed with an error of the kind {type(error).__name__}.")
