"""Users, keys and sessions: accounts and authentication."""

import asyncio
import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from tokenq.contract.audit import AuditKind
from tokenq.contract.enums import Role
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.views import KeyView, LoginView, UserView
from tokenq_server.domain.principal import Principal, check_actor
from tokenq_server.services import account_events as events
from tokenq_server.services.audit import BY_SYSTEM, UNKNOWN, AuditEvent, Origin
from tokenq_server.services.people_views import Key, User, key_view, user_view
from tokenq_server.services.views import instant

SESSION_LIFETIME = timedelta(hours=12)
_CACHE_SECONDS = 1.0
_CACHE_SIZE = 10_000
_ADMIN_NAME = "admin"


class PeopleStore(Protocol):
    """Storage of users and credentials. Every change is audited in its own transaction, as caused by ``origin``."""

    async def users(self, after: int, limit: int) -> list[User]:
        """Return users with an id above ``after``."""

    async def user(self, user_id: int) -> User | None:
        """One user."""

    async def user_named(self, username: str) -> User | None:
        """Return the user with this login name."""

    async def create_user(self, values: dict[str, Any], origin: Origin) -> User:
        """Create a user. Raises Refused (``exists``)."""

    async def create_first_admin(self, values: dict[str, Any], username: str, origin: Origin) -> User | None:
        """Create an admin of that name, or with a number behind it if it is taken; ``None`` if one can log in."""

    async def change_user(
        self, user_id: int, values: dict[str, Any], origin: Origin, *, checked: str | None = None
    ) -> User | None:
        """Change a user; sessions end if the change concerns their identity or rights.

        Returns ``None`` if there is no such user, or the stored hash is no longer ``checked``.
        """

    async def delete_user(self, user_id: int, origin: Origin) -> bool:
        """Delete a user and their sessions. Raises Refused (``in_use``) for the last admin."""

    async def has_admin(self) -> bool:
        """Whether an admin can log in."""

    async def has_first_password(self) -> bool:
        """Whether a user still has an initial password."""

    async def add_session(self, user: User, token_hash: bytes, lifetime: timedelta, origin: Origin) -> datetime | None:
        """Store a session; return when it expires.

        ``None``: since ``user`` was read, its password has changed, or it was disabled or deleted.
        """

    async def add_key(self, label: str, role: Role, departments: list[str], token_hash: bytes, origin: Origin) -> Key:
        """Store a key."""

    async def keys(self) -> list[Key]:
        """Return all keys by id."""

    async def change_key(self, key_id: int, values: dict[str, Any], origin: Origin) -> Key | None:
        """Change a key."""

    async def delete_key(self, key_id: int, origin: Origin) -> bool:
        """Revoke a key."""

    async def end_session(self, principal: Principal, origin: Origin) -> bool:
        """End a session."""

    async def principal(self, token_hash: bytes) -> Principal | None:
        """Return the owner of a token if it is still valid."""


class Passwords(Protocol):
    """Hashes passwords, slowly on purpose."""

    async def hash(self, password: str) -> str:
        """Return the hash to store."""

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches; takes as long if there is no hash at all."""


class People:
    """Logs users in, authenticates callers, and manages users and keys."""

    def __init__(self, store: PeopleStore, passwords: Passwords, note_refusal: Callable[[AuditEvent], None]) -> None:
        """``note_refusal`` takes refusals that only this service can describe; it returns at once."""
        self._store = store
        self._passwords = passwords
        self._note_refusal = note_refusal
        self._seen: dict[bytes, tuple[float, Principal]] = {}  # of valid tokens only: guesses must push out nobody
        self._asking: dict[bytes, tuple[float, asyncio.Future[Principal | None]]] = {}

    async def who(self, token_hash: bytes) -> Principal:
        """Return the owner of a bearer token, named by its hash. Revocation takes effect within a second.

        Raises:
            Refused: ``unauthenticated``.
        """
        seen = self._seen.get(token_hash)
        if seen is not None and time.monotonic() - seen[0] <= _CACHE_SECONDS:
            return seen[1]
        _, principal = await self._look_up(token_hash)
        if principal is None:
            raise refuse(AccountReason.LOGIN_ENDED)
        return principal

    def knows(self, token_hash: bytes) -> bool:
        """Whether this token was valid when it was last looked up, or is being looked up."""
        return token_hash in self._seen or token_hash in self._asking

    async def _look_up(self, token_hash: bytes) -> tuple[float, Principal | None]:
        """Share one query among all who ask at the same moment: a thousand open streams must not be a thousand queries.

        Returns the answer with the time at which the query began: the answer is no older.
        """
        asking, now = self._asking.get(token_hash), time.monotonic()
        if asking is None or now - asking[0] > _CACHE_SECONDS:
            asking = self._asking[token_hash] = now, asyncio.ensure_future(self._store.principal(token_hash))
            asking[1].add_done_callback(lambda done: self._finish_lookup(token_hash, done))
        began, answer = asking
        return began, await asyncio.shield(answer)  # a caller that disconnects must not take the answer from the others

    def _finish_lookup(self, token_hash: bytes, done: "asyncio.Future[Principal | None]") -> None:
        is_failed = done.cancelled() or done.exception() is not None  # no caller may be left
        asking = self._asking.get(token_hash)
        if asking is None or asking[1] is not done:
            return  # what it saw may have changed since
        del self._asking[token_hash]
        if is_failed:
            return
        self._seen.pop(token_hash, None)
        principal = done.result()
        if principal is not None:
            if len(self._seen) >= _CACHE_SIZE:
                del self._seen[next(iter(self._seen))]  # the one that was looked up longest ago
            self._seen[token_hash] = asking[0], principal

    def invalidate(self) -> None:
        """Make all answers too old: rights have changed. Which tokens were valid stays known."""
        self._seen = {token_hash: (-math.inf, principal) for token_hash, (_, principal) in self._seen.items()}
        self._asking.clear()

    async def login(self, username: str, password: str, origin: Origin) -> LoginView:
        """Start a session. Raises Refused (``unauthenticated``), the same for an unknown name and a wrong password."""
        user = await self._store.user_named(username)
        may_log_in = user is not None and not user.is_disabled
        token, expires = new_secret(), None
        is_right = await self._passwords.matches(user.password_hash if user and may_log_in else None, password)
        if is_right and user is not None:
            caused = replace(origin, actor=events.actor_of(user), actor_id=f"user:{user.user_id}")
            expires = await self._store.add_session(user, hash_of(token), SESSION_LIFETIME, caused)
        if expires is None or user is None:
            # The answer does not tell whether there is such a user; the audit does.
            self._refuse(AuditKind.LOGIN, origin, user, ProblemCode.UNAUTHENTICATED)
            raise refuse(AccountReason.WRONG_LOGIN)
        return {"token": token, "expiresAt": instant(expires) or "", "user": user_view(user)}

    async def logout(self, principal: Principal, origin: Origin) -> None:
        """End a session; a key stays until it is deleted."""
        if principal.kind == "session":
            await self._store.end_session(principal, origin)
            self.invalidate()

    async def change_password(self, principal: Principal, old: str, new: str, origin: Origin) -> None:
        """Change the caller's password; all of the user's sessions end. Raises Refused."""
        user = await self._store.user(principal.user_id) if principal.user_id is not None else None
        if user is None or not await self._passwords.matches(user.password_hash, old):
            raise self._wrong_old_password(origin, user)
        if old == new:
            raise refuse(AccountReason.SAME_PASSWORD)
        values = await self._with_hash({"password": new, "must_change_password": False})
        if await self._store.change_user(user.user_id, values, origin, checked=user.password_hash) is None:
            raise self._wrong_old_password(origin, user)
        self.invalidate()

    async def ensure_admin(self, password: str) -> str | None:
        """Create an admin with this password if no admin can log in; return the login name."""
        if await self._store.has_admin():
            return None
        values = {"name": "Administrator", "role": str(Role.ADMIN), "password": password, "must_change_password": True}
        admin = await self._store.create_first_admin(await self._with_hash(values), _ADMIN_NAME, BY_SYSTEM)
        return admin.username if admin else None

    async def waits_for_first_password(self) -> bool:
        """Whether a user still has an initial password."""
        return await self._store.has_first_password()

    async def users(self, after: int, limit: int) -> list[UserView]:
        """Return a page of users by id."""
        return [user_view(user) for user in await self._store.users(after, limit)]

    async def user(self, user_id: int) -> UserView:
        """Return one user. Raises Refused."""
        return user_view(_existing(await self._store.user(user_id), user_id))

    async def create_user(self, values: dict[str, Any], origin: Origin) -> UserView:
        """Create a user. Raises Refused (``exists``, ``invalid``)."""
        check_actor(values.get("username") or "")
        return user_view(await self._store.create_user(await self._with_hash(values), origin))

    async def change_user(self, user_id: int, values: dict[str, Any], origin: Origin) -> UserView:
        """Change a user. Raises Refused."""
        check_actor(values.get("username") or "")
        changed = await self._store.change_user(user_id, await self._with_hash(values), origin)
        self.invalidate()
        return user_view(_existing(changed, user_id))

    async def delete_user(self, user_id: int, origin: Origin) -> None:
        """Delete a user; their tokens keep name and address until they are erased. Raises Refused."""
        if not await self._store.delete_user(user_id, origin):
            raise _unknown_user(user_id)
        self.invalidate()

    async def keys(self) -> list[KeyView]:
        """Return all keys, without their secrets."""
        return [key_view(key) for key in await self._store.keys()]

    async def create_key(self, label: str, role: Role, departments: list[str], origin: Origin) -> KeyView:
        """Create a key; the answer is the only place where its secret is shown. Raises Refused."""
        check_actor(label)
        secret = new_secret()
        key = await self._store.add_key(label, role, departments, hash_of(secret), origin)
        return {**key_view(key), "key": secret}

    async def change_key(self, key_id: int, values: dict[str, Any], origin: Origin) -> KeyView:
        """Change a key's label, role or departments. Raises Refused."""
        check_actor(values.get("label") or "")
        key = await self._store.change_key(key_id, values, origin)
        if key is None:
            raise _unknown_key(key_id)
        self.invalidate()
        return key_view(key)

    async def delete_key(self, key_id: int, origin: Origin) -> None:
        """Revoke a key. Raises Refused."""
        if not await self._store.delete_key(key_id, origin):
            raise _unknown_key(key_id)
        self.invalidate()

    def _wrong_old_password(self, origin: Origin, user: User | None) -> Refused:
        self._refuse(AuditKind.USER_PASSWORD, origin, user, ProblemCode.FORBIDDEN)
        return refuse(AccountReason.WRONG_OLD_PASSWORD)

    def _refuse(self, kind: AuditKind, origin: Origin, user: User | None, code: ProblemCode) -> None:
        """Audit a wrong password. Of an unknown name nothing is stored: it may be a password."""
        self._note_refusal(AuditEvent(kind, origin, events.account_of(user) if user else UNKNOWN, code))

    async def _with_hash(self, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        password = values.pop("password", None)
        if password is not None:
            values["password_hash"] = await self._passwords.hash(password)
        return values


def new_secret() -> str:
    """Return an unguessable bearer token: 256 random bits."""
    return "tq_" + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Return the stored form of a bearer token. It is random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def _existing(user: User | None, user_id: int) -> User:
    if user is None:
        raise _unknown_user(user_id)
    return user


def _unknown_user(user_id: int) -> Refused:
    return refuse(AccountReason.UNKNOWN_USER, user=user_id)


def _unknown_key(key_id: int) -> Refused:
    return refuse(AccountReason.UNKNOWN_KEY, key=key_id)
