"""Passwords hashed with argon2id, at most two at once: each takes 64 MiB and a tenth of a second on purpose."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Passwords:
    """Hashes and checks passwords in threads, so that other requests continue."""

    def __init__(self, at_once: int = 2) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(at_once)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches; an unknown user takes as long as a wrong password."""
        if password_hash is None:
            self._decoy = self._decoy or await self.hash("nobody has this password")
        async with self._slots:
            is_right = await asyncio.to_thread(self._verify, password_hash or self._decoy or "", password)
        return is_right and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
