"""The secret part of a ticket's link: a token's id, encrypted.

It needs no column and no index, cannot be guessed (half of the block is a check), and tells nothing about the number of
other tokens. The block is encrypted as it is: each id is encrypted once and always to the same link.
"""

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES = 16
_ID_BYTES = 8
_CHECK = bytes(8)


class AesTicketLinks:
    """Makes and reads links with one key of 16 bytes."""

    def __init__(self, key: bytes) -> None:
        # One block by itself is a permutation nobody can compute without the key; there is nothing to chain.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305

    def secret_of(self, token_id: int) -> str:
        """Return the secret of a token: 22 letters, digits, ``-`` and ``_``."""
        encryptor = self._cipher.encryptor()
        block = encryptor.update(token_id.to_bytes(_ID_BYTES, "big") + _CHECK) + encryptor.finalize()
        return base64.urlsafe_b64encode(block).rstrip(b"=").decode()

    def token_of(self, secret: str) -> int | None:
        """Return the id of a secret's token; ``None`` for anything else."""
        try:
            block = base64.b64decode(secret + "==", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        if len(block) != len(_CHECK) + _ID_BYTES or self._encoded(block) != secret:
            return None
        decryptor = self._cipher.decryptor()
        plain = decryptor.update(block) + decryptor.finalize()
        return int.from_bytes(plain[:_ID_BYTES], "big") if plain[_ID_BYTES:] == _CHECK else None

    @staticmethod
    def _encoded(block: bytes) -> str:
        return base64.urlsafe_b64encode(block).rstrip(b"=").decode()
