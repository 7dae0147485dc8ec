"""What the vault tells people when it can't do what was asked. Each error says what, why and one thing to do; none holds a secret."""

from __future__ import annotations

from app.errors import EyelidError


class VaultError(EyelidError):
    """Base of every error of the vault."""


class VaultMissing(VaultError):
    def __init__(self) -> None:
        super().__init__("There is no vault here yet.", "The folder holds no vault.toml.", "Create a vault first.")


class VaultExists(VaultError):
    def __init__(self) -> None:
        super().__init__("There is already a vault here.", "A new one would take its place.", "Open it, or choose another folder.")


class VaultInUse(VaultError):
    def __init__(self) -> None:
        super().__init__(
            "The vault is already open in another Eyelid.",
            "Only one program may write to it at a time.",
            "Close the other Eyelid window or command and try again.",
        )


class VaultTooNew(VaultError):
    """The format, or one file of it, was written by a newer Eyelid; nothing is damaged."""

    def __init__(self, what: str = "This vault was made by a newer Eyelid.") -> None:
        super().__init__(what, "This version does not know its format; nothing is damaged.", "Update Eyelid and open it again.")


class VaultDamaged(VaultError):
    """A file the vault needs as a whole (vault.toml, a key slot) is damaged. Never used for a wrong passphrase."""

    def __init__(self, file: str, why: str = "") -> None:
        self.file = file
        super().__init__(
            f"The file {file} of the vault is damaged.",
            why or "It is not what Eyelid wrote.",
            "Put that file back from a backup; your captures are not touched.",
        )


class VaultLocked(VaultError):
    def __init__(self) -> None:
        super().__init__("The vault is locked.", "Reading needs its key.", "Unlock the vault and try again.")


class WrongPassphrase(VaultError):
    def __init__(self) -> None:
        super().__init__("That passphrase does not open the vault.", "The key slot itself is undamaged.", "Type it again.")


class WrongRecoveryCode(VaultError):
    def __init__(self, why: str = "The code is well formed, but belongs to another vault or was replaced.") -> None:
        super().__init__("That recovery code does not open the vault.", why, "Compare it with the paper, group by group.")


class NoSuchSlot(VaultError):
    """`what` is the sentence that says which way to open the vault there is not, or which slot."""

    def __init__(self, what: str, why: str = "It has no key slot of that kind.", action: str = "Open it in another way.") -> None:
        super().__init__(what, why, action)


class LastSlot(VaultError):
    def __init__(self) -> None:
        super().__init__("The last way to open the vault can't be removed.", "Nobody could open it again.", "Add another way first.")


class WeakPassphrase(VaultError):
    def __init__(self) -> None:
        super().__init__("A passphrase can't be empty.", "", "Choose a passphrase, best of several words.")


class HybridUnavailable(VaultError):
    """The crypto library of this installation has no post-quantum keys."""

    def __init__(self) -> None:
        super().__init__(
            "Post-quantum keys can't be used here.", "The installed “cryptography” does not have them.", "Install cryptography 48 or newer."
        )


class HybridThere(VaultError):
    def __init__(self) -> None:
        super().__init__("This vault has a post-quantum key already.", "New captures are sealed to it.", "Nothing needs to be done.")


class SlotNotRenewed(VaultError):
    """A slot can be sealed anew only by whoever can open it, and no key given opens this one. Nothing was changed."""

    def __init__(self, slot: str, what: str, action: str) -> None:
        self.slot = slot
        super().__init__(
            what,
            "Every way to open the vault must hold it, and no key that was given opens this one.",
            action,
        )


class KeyringUnavailable(VaultError):
    """The keyring can't be used now (missing, locked, not trusted, did not answer). The key may well be in it still."""

    def __init__(self, why: str) -> None:
        super().__init__("The keyring of this computer can't be used.", why, "Unlock the vault with its passphrase instead.")


class KeyringLost(VaultError):
    """The keyring works, and says it has no key for this vault, or has one that does not fit. Never a reason to make a new key."""

    def __init__(self, why: str = "It has no key for this vault.") -> None:
        super().__init__(
            "The keyring of this computer no longer opens the vault.",
            why,
            "Unlock with the passphrase or the recovery code, then set the keyring up again.",
        )


class ItemMissing(VaultError):
    def __init__(self) -> None:
        super().__init__(
            "That capture is not in the vault.", "It was deleted, or its file is missing.", "Run “verify” to see what is there."
        )


class ObjectDamaged(VaultError):
    """A sealed file did not open whole. `file` is its name below the vault; it says nothing about the content."""

    def __init__(self, file: str, why: str) -> None:
        self.file = file
        super().__init__(
            f"The sealed file {file} is damaged.", why, "Put that file back from a backup; the other captures are not affected."
        )


class RecordExists(VaultError):
    def __init__(self) -> None:
        super().__init__("A record of that number already exists.", "Records are never replaced.", "Please report this.")


class TooLarge(VaultError):
    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} is too large for the vault.", f"The limit is {limit} bytes.", "Shorten it.")


class WriteFailed(VaultError):
    """What was read back from the disk is not what was written, so the file was not kept and nothing was acknowledged."""

    def __init__(self) -> None:
        super().__init__(
            "The disk did not keep what was written.",
            "Reading the sealed file back gave different bytes.",
            "Check the disk; the capture is still where it came from.",
        )


class OldKeyStays(VaultError):
    """A slot was taken off the list, but its file is still there: whoever has its passphrase or code could use it outside Eyelid."""

    def __init__(self, file: str) -> None:
        super().__init__(
            "The old key no longer opens the vault in Eyelid, but its file could not be removed.",
            "The disk refused it, and the file still holds the vault's key.",
            f"Delete {file} in the vault's folder yourself.",
        )
