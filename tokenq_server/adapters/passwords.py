"""Passwords hashed with argon2id, at most two at once: each takes 64 MiB and a tenth of a second on purpose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import RequestReason

_WAITING = 16
"""Passwords that may wait for their turn: the last one waits for about a second."""


class Argon2Passwords:
    """Hashes and checks passwords in threads, so that other requests continue.

    Every method raises Refused (``overloaded``) if too many wait already.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(at_once)
        self._places = at_once + _WAITING
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches; an unknown user takes as long as a wrong password."""
        if password_hash is None:
            self._decoy = self._decoy or await self.hash("nobody has this password")
        async with self._turn():
            is_right = await asyncio.to_thread(self._verify, password_hash or self._decoy or "", password)
        return is_right and password_hash is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if not self._places:
            raise refuse(RequestReason.OVERLOADED, {"retryAfter": 1})
        self._places -= 1
        try:
            async with self._slots:
                yield
        finally:
            self._places += 1

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
