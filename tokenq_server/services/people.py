"""Users, keys and sessions: who there is, and who is asking."""

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tokenq.contract.enums import Role
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.views import KeyView, LoginView, UserView
from tokenq_server.domain.principal import Principal
from tokenq_server.services.views import instant

SESSION_LIFETIME = timedelta(hours=12)
_CACHE_SECONDS = 1.0
_CACHE_SIZE = 10_000


@dataclass(frozen=True)
class User:
    """A person who can be issued a token or log in."""

    user_id: int
    username: str | None
    name: str
    email: str | None
    role: Role
    departments: tuple[str, ...] = ()
    password_hash: str | None = None
    must_change_password: bool = False
    is_disabled: bool = False


@dataclass(frozen=True)
class Key:
    """A long-lived key as it is listed: without its secret."""

    credential_id: int
    label: str
    role: Role
    departments: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


class PeopleStore(Protocol):
    """Where users and credentials are kept."""

    async def users(self, after: int, limit: int) -> list[User]:
        """Users with an id above ``after``."""

    async def user(self, user_id: int) -> User | None:
        """One user."""

    async def user_named(self, username: str) -> User | None:
        """The user who logs in under this name."""

    async def create_user(self, values: dict[str, Any]) -> User:
        """Write a new user. Raises Refused (``exists``)."""

    async def change_user(self, user_id: int, values: dict[str, Any]) -> User | None:
        """Change a user; sessions end when the change concerns who they are."""

    async def delete_user(self, user_id: int) -> bool:
        """Forget a user, sessions included. Raises Refused (``in_use``) for the last admin."""

    async def has_admin(self) -> bool:
        """Whether an admin can log in."""

    async def has_first_password(self) -> bool:
        """Whether somebody still has a first password."""

    async def add_session(self, user_id: int, token_hash: bytes, lifetime: timedelta) -> datetime:
        """Keep a session; answers when it ends."""

    async def add_key(self, label: str, role: Role, departments: list[str], token_hash: bytes) -> Key:
        """Keep a key."""

    async def keys(self) -> list[Key]:
        """All keys by id."""

    async def change_key(self, key_id: int, values: dict[str, Any]) -> Key | None:
        """Change a key."""

    async def delete_credential(self, credential_id: int, kind: str) -> bool:
        """Revoke a key or a session."""

    async def principal(self, token_hash: bytes) -> Principal | None:
        """Whose this is, if it is still valid."""


class Passwords(Protocol):
    """Hashes passwords, slowly on purpose."""

    async def hash(self, password: str) -> str:
        """The hash to keep."""

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; takes as long when there is no hash at all."""


class People:
    """Logs people in, tells who asks, and keeps users and keys."""

    def __init__(self, store: PeopleStore, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords
        self._seen: dict[bytes, tuple[float, Principal | None]] = {}
        self._asking: dict[bytes, tuple[float, asyncio.Future[Principal | None]]] = {}

    async def who(self, bearer: str) -> Principal:
        """Tell whose bearer token this is. A revoked one is refused within a second.

        Raises:
            Refused: ``unauthenticated``.
        """
        token_hash = hash_of(bearer)
        seen = self._seen.get(token_hash)
        if seen is None or time.monotonic() - seen[0] > _CACHE_SECONDS:
            seen = await self._look_up(token_hash)
        if seen[1] is None:
            raise refuse(AccountReason.LOGIN_ENDED)
        return seen[1]

    async def _look_up(self, token_hash: bytes) -> tuple[float, Principal | None]:
        """One look for all who ask at the same moment: a thousand open streams must not be a thousand queries.

        The answer comes with the time at which the look began: it is no younger than that.
        """
        asking, now = self._asking.get(token_hash), time.monotonic()
        if asking is None or now - asking[0] > _CACHE_SECONDS:
            asking = self._asking[token_hash] = now, asyncio.ensure_future(self._store.principal(token_hash))
            asking[1].add_done_callback(lambda done: self._looked_up(token_hash, done))
        began, answer = asking
        return began, await asyncio.shield(answer)  # whoever goes away must not take the answer from the others

    def _looked_up(self, token_hash: bytes, done: "asyncio.Future[Principal | None]") -> None:
        is_failed = done.cancelled() or done.exception() is not None  # nobody may be left to be told
        asking = self._asking.get(token_hash)
        if asking is None or asking[1] is not done:
            return  # what it saw may have changed since
        del self._asking[token_hash]
        if not is_failed:
            if len(self._seen) >= _CACHE_SIZE:
                self._seen.clear()
            self._seen[token_hash] = asking[0], done.result()

    def _forget(self) -> None:
        """Somebody's rights have changed: whoever asks now must not get an answer from before."""
        self._seen.clear()
        self._asking.clear()

    async def login(self, username: str, password: str) -> LoginView:
        """Begin a session. Raises Refused (``unauthenticated``), the same for a wrong name and a wrong password."""
        user = await self._store.user_named(username)
        known = user is not None and not user.is_disabled
        if not await self._passwords.matches(user.password_hash if user and known else None, password) or user is None:
            raise refuse(AccountReason.WRONG_LOGIN)
        token = new_secret()
        expires = await self._store.add_session(user.user_id, hash_of(token), SESSION_LIFETIME)
        return {"token": token, "expiresAt": instant(expires) or "", "user": user_view(user)}

    async def logout(self, principal: Principal) -> None:
        """End a session; a key stays until it is deleted."""
        if principal.kind == "session":
            await self._store.delete_credential(principal.credential_id, "session")
            self._forget()

    async def change_password(self, principal: Principal, old: str, new: str) -> None:
        """Set one's own password; every session of the user ends. Raises Refused."""
        user = await self._store.user(principal.user_id) if principal.user_id is not None else None
        if user is None or not await self._passwords.matches(user.password_hash, old):
            raise refuse(AccountReason.WRONG_OLD_PASSWORD)
        await self.change_user(user.user_id, {"password": new, "must_change_password": False})

    async def ensure_admin(self, password: str) -> str | None:
        """If nobody can log in as admin, create one with this password; answers its username."""
        if await self._store.has_admin():
            return None
        username, number = "admin", 1
        while await self._store.user_named(username):
            number += 1
            username = f"admin{number}"
        values = {"name": "Administrator", "username": username, "role": str(Role.ADMIN), "password": password}
        await self.create_user(values | {"must_change_password": True})
        return username

    async def waits_for_first_password(self) -> bool:
        """Whether some first password has not been changed yet."""
        return await self._store.has_first_password()

    async def users(self, after: int, limit: int) -> list[UserView]:
        """A page of users by id."""
        return [user_view(user) for user in await self._store.users(after, limit)]

    async def user(self, user_id: int) -> UserView:
        """One user. Raises Refused."""
        return user_view(_known(await self._store.user(user_id), user_id))

    async def create_user(self, values: dict[str, Any]) -> UserView:
        """Create a user. Raises Refused (``exists``)."""
        return user_view(await self._store.create_user(await self._with_hash(values)))

    async def change_user(self, user_id: int, values: dict[str, Any]) -> UserView:
        """Change a user. Raises Refused."""
        changed = await self._store.change_user(user_id, await self._with_hash(values))
        self._forget()
        return user_view(_known(changed, user_id))

    async def delete_user(self, user_id: int) -> None:
        """Delete a user; tokens keep what was written on them. Raises Refused."""
        if not await self._store.delete_user(user_id):
            raise _unknown_user(user_id)
        self._forget()

    async def keys(self) -> list[KeyView]:
        """All keys, without their secrets."""
        return [_key_view(key) for key in await self._store.keys()]

    async def create_key(self, label: str, role: Role, departments: list[str]) -> KeyView:
        """Create a key; the answer is the only place where its secret ever shows."""
        secret = new_secret()
        key = await self._store.add_key(label, role, departments, hash_of(secret))
        return {**_key_view(key), "key": secret}

    async def change_key(self, key_id: int, values: dict[str, Any]) -> KeyView:
        """Change a key's label, role or departments. Raises Refused."""
        key = await self._store.change_key(key_id, values)
        if key is None:
            raise _unknown_key(key_id)
        self._forget()
        return _key_view(key)

    async def delete_key(self, key_id: int) -> None:
        """Revoke a key. Raises Refused."""
        if not await self._store.delete_credential(key_id, "key"):
            raise _unknown_key(key_id)
        self._forget()

    async def _with_hash(self, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        password = values.pop("password", None)
        if password is not None:
            values["password_hash"] = await self._passwords.hash(password)
        return values


def new_secret() -> str:
    """A bearer token nobody can guess: 256 random bits."""
    return "tq_" + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """What is kept of a bearer token. It is random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def user_view(user: User) -> UserView:
    """A user as the API shows one."""
    return {
        "userId": user.user_id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "role": str(user.role),
        "departments": list(user.departments),
        "disabled": user.is_disabled,
    }


def _key_view(key: Key) -> KeyView:
    return {
        "keyId": key.credential_id,
        "label": key.label,
        "role": str(key.role),
        "departments": list(key.departments),
        "createdAt": instant(key.created_at) or "",
        "lastUsedAt": instant(key.last_used_at),
    }


def _known(user: User | None, user_id: int) -> User:
    if user is None:
        raise _unknown_user(user_id)
    return user


def _unknown_user(user_id: int) -> Refused:
    return refuse(AccountReason.UNKNOWN_USER, user=user_id)


def _unknown_key(key_id: int) -> Refused:
    return refuse(AccountReason.UNKNOWN_KEY, key=key_id)
