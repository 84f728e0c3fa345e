"""Encryption of files for recipients, in the format of age (https://age-encryption.org)."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tokenq.contract.problems import refuse
from tokenq_server.embedded.reasons import EmbeddedReason

_BEGIN = b"age-encryption.org/"


def is_encrypted(file: IO[bytes]) -> bool:
    """Whether a file begins as those of age do; it is at its beginning again afterwards."""
    begin = file.read(len(_BEGIN))
    file.seek(0)
    return begin == _BEGIN


def encrypted(plain: Path, recipients: Sequence[str]) -> Path:
    """Encrypt a file for the owners of these public keys (``age1…``), delete it, and return the new one.

    Raises:
        Refused: one of them is no public key.
    """
    import pyrage

    keys = []
    for text in recipients:
        try:
            keys.append(pyrage.x25519.Recipient.from_str(text))
        except pyrage.RecipientError:
            raise refuse(EmbeddedReason.NO_RECIPIENT, text=text) from None
    target = plain.with_name(f"{plain.name}.age")
    with plain.open("rb") as source, target.open("xb") as file:
        pyrage.encrypt_io(source, file, keys)
    plain.unlink()
    return target


def decrypted(file: IO[bytes], plain: IO[bytes], identity: Path | None, name: Path) -> None:
    """Decrypt a file with the keys in ``identity``, as age-keygen writes them.

    Raises:
        Refused: there is no key, none that fits, or the file is damaged.
    """
    import pyrage

    if identity is None:
        raise refuse(EmbeddedReason.KEY_NEEDED, file=str(name))
    lines = [line.strip() for line in identity.read_text().splitlines()]
    try:
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
        pyrage.decrypt_io(file, plain, keys)
    except (pyrage.IdentityError, pyrage.DecryptError):
        raise refuse(EmbeddedReason.WRONG_KEY, file=str(name), identity=str(identity)) from None
