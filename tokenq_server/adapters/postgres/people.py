"""Users, keys and sessions in Postgres."""

from datetime import datetime, timedelta
from typing import Any

from psycopg.sql import SQL

from tokenq.contract.audit import AuditKind
from tokenq.contract.enums import Role
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq_server.adapters.postgres.audit import recorded
from tokenq_server.adapters.postgres.connection import Connection, Values
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.adapters.postgres.statements import statement
from tokenq_server.adapters.postgres.writing import insert, update
from tokenq_server.domain.principal import Principal
from tokenq_server.services import account_events as events
from tokenq_server.services.audit import AuditEvent, Origin
from tokenq_server.services.people_views import Key, User

_WHO_THEY_ARE = {"role", "departments", "password_hash", "is_disabled"}
_USER = "user_id, username, name, email, role, departments, password_hash, must_change_password, is_disabled"
_ANY_USER = statement("SELECT {user} FROM app_user", user=SQL(_USER))
_USERS = _ANY_USER + " WHERE user_id > %s ORDER BY user_id LIMIT %s"
_BY_ID = _ANY_USER + " WHERE user_id = %s"
_BY_NAME = _ANY_USER + " WHERE username = %s"
_DELETE_USER = "DELETE FROM app_user WHERE user_id = %s"
_HAS_ADMIN = "SELECT 1 FROM app_user WHERE role = 'admin' AND NOT is_disabled LIMIT 1"
_HAS_FIRST_PASSWORD = "SELECT 1 FROM app_user WHERE must_change_password LIMIT 1"

# Waits for a change of the user, and finds nobody if it concerned the password that was checked, or disabled the user.
_ADD_SESSION = """
INSERT INTO credential (token_hash, kind, user_id, label, expires_at)
SELECT %s, 'session', user_id, 'login', clock_timestamp() + %s FROM app_user
WHERE user_id = %s AND password_hash = %s AND NOT is_disabled FOR SHARE
RETURNING expires_at
"""
_END_SESSIONS = "DELETE FROM credential WHERE user_id = %s"
_FORGET_ENDED = "DELETE FROM credential WHERE expires_at < clock_timestamp()"

_KEY = "credential_id, label, role, departments, created_at, last_used_at"
_KEYS = statement("SELECT {key} FROM credential WHERE kind = 'key' ORDER BY credential_id", key=SQL(_KEY))
_KEY_BY_ID = statement(
    "SELECT {key} FROM credential WHERE credential_id = %s AND kind = 'key' FOR UPDATE", key=SQL(_KEY)
)
_IS_KEY = "credential_id = %(credential_id)s AND kind = 'key'"
_DELETE_CREDENTIAL = "DELETE FROM credential WHERE credential_id = %s AND kind = %s"

# A key has its own rights, a session its user's.
_PRINCIPAL = """
SELECT c.kind, c.credential_id, c.user_id, coalesce(u.username, u.name, c.label) AS name,
  coalesce(u.role, c.role) AS role, coalesce(u.departments, c.departments) AS departments,
  coalesce(u.must_change_password, false) AS must_change_password
FROM credential c LEFT JOIN app_user u USING (user_id)
WHERE c.token_hash = %s AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp())
  AND (u.user_id IS NULL OR NOT u.is_disabled)
"""
_USE = """
UPDATE credential SET last_used_at = clock_timestamp()
WHERE credential_id = %s AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
"""


class PostgresPeople:
    """Stores users and credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self, after: int, limit: int) -> list[User]:
        """Return users with an id above ``after``."""
        async with self._database.begin() as connection:
            return [_user(row) for row in await connection.rows(_USERS, [after, limit])]

    async def user(self, user_id: int) -> User | None:
        """One user."""
        return await self._read_user(_BY_ID, [user_id])

    async def user_named(self, username: str) -> User | None:
        """Return the user with this login name."""
        return await self._read_user(_BY_NAME, [username])

    async def create_user(self, values: dict[str, Any], origin: Origin) -> User:
        """Create a user."""
        async with recorded(self._database) as (connection, record):
            (row,) = await connection.rows(insert("app_user", values, returning=_USER), values)
            record(events.user_created(origin, user := _user(row)))
            return user

    async def create_first_admin(self, values: dict[str, Any], username: str, origin: Origin) -> User | None:
        """Create an admin, unless there is one by now: API processes that start at once wait for each other here."""
        async with recorded(self._database) as (connection, record):
            await lock_accounts(connection)
            if await _has_admin(connection):
                return None
            name, number = username, 1
            while await connection.row(_BY_NAME, [name]):
                number += 1
                name = f"{username}{number}"
            named = {**values, "username": name}
            (row,) = await connection.rows(insert("app_user", named, returning=_USER), named)
            record(events.user_created(origin, user := _user(row)))
            return user

    async def change_user(
        self, user_id: int, values: dict[str, Any], origin: Origin, *, checked: str | None = None
    ) -> User | None:
        """Change a user; their sessions end if their rights or password change."""
        if not values:
            return await self.user(user_id)
        async with recorded(self._database) as (connection, record):
            before = await find_account(connection, user_id)
            if before is None or (checked is not None and before.password_hash != checked):
                return None
            changes_rights = bool(_WHO_THEY_ARE & set(values))
            if changes_rights:
                await lock_accounts(connection)
            statement = update("app_user", values, "user_id = %(user_id)s", returning=_USER)
            (row,) = await connection.rows(statement, {**values, "user_id": user_id})
            if changes_rights:
                await connection.execute(_END_SESSIONS, [user_id])
                await keep_an_admin(connection)
            after = _user(row)
            for event in events.user_changed(origin, before, after, has_new_password="password_hash" in values):
                record(event)
            return after

    async def delete_user(self, user_id: int, origin: Origin) -> bool:
        """Delete a user and their sessions."""
        async with recorded(self._database) as (connection, record):
            user = await find_account(connection, user_id)
            await delete_account(connection, user_id)
            if user is not None:
                record(events.user_deleted(origin, user))
            return user is not None

    async def has_admin(self) -> bool:
        """Whether an admin can log in."""
        async with self._database.begin() as connection:
            return await _has_admin(connection)

    async def has_first_password(self) -> bool:
        """Whether a user still has an initial password."""
        async with self._database.begin() as connection:
            return await connection.row(_HAS_FIRST_PASSWORD) is not None

    async def add_session(self, user: User, token_hash: bytes, lifetime: timedelta, origin: Origin) -> datetime | None:
        """Store a session, and delete expired ones."""
        async with recorded(self._database) as (connection, record):
            row = await connection.row(_ADD_SESSION, [token_hash, lifetime, user.user_id, user.password_hash])
            if row is None:
                return None
            # Only now: a change of the user, too, locks the account before its sessions.
            await connection.execute(_FORGET_ENDED)
            record(AuditEvent(AuditKind.LOGIN, origin, events.account_of(user)))
            expires: datetime = row["expires_at"]
            return expires

    async def add_key(self, label: str, role: Role, departments: list[str], token_hash: bytes, origin: Origin) -> Key:
        """Store a key."""
        values = {"token_hash": token_hash, "kind": "key", "label": label, "role": role, "departments": departments}
        async with recorded(self._database) as (connection, record):
            (row,) = await connection.rows(insert("credential", values, returning=_KEY), values)
            record(events.key_created(origin, key := _key(row)))
            return key

    async def keys(self) -> list[Key]:
        """Return all keys by id."""
        async with self._database.begin() as connection:
            return [_key(row) for row in await connection.rows(_KEYS)]

    async def change_key(self, key_id: int, values: dict[str, Any], origin: Origin) -> Key | None:
        """Change a key."""
        changed = {"credential_id": key_id, **values}
        async with recorded(self._database) as (connection, record):
            before = await connection.row(_KEY_BY_ID, [key_id])
            if before is None:
                return None
            (row,) = await connection.rows(update("credential", changed, _IS_KEY, returning=_KEY), changed)
            after = _key(row)
            for event in events.key_changed(origin, _key(before), after):
                record(event)
            return after

    async def delete_key(self, key_id: int, origin: Origin) -> bool:
        """Revoke a key."""
        async with recorded(self._database) as (connection, record):
            is_gone = await connection.change(_DELETE_CREDENTIAL, [key_id, "key"]) > 0
            if is_gone:
                record(events.key_deleted(origin, key_id))
            return is_gone

    async def end_session(self, principal: Principal, origin: Origin) -> bool:
        """End a session."""
        async with recorded(self._database) as (connection, record):
            is_gone = await connection.change(_DELETE_CREDENTIAL, [principal.credential_id, "session"]) > 0
            if is_gone:
                record(events.logged_out(origin, principal))
            return is_gone

    async def principal(self, token_hash: bytes) -> Principal | None:
        """Return the owner of a valid credential; record its use, at most once a minute."""
        async with self._database.begin() as connection:
            row = await connection.row(_PRINCIPAL, [token_hash])
            if row is None:
                return None
            await connection.execute(_USE, [row["credential_id"]])
            return Principal(**row | {"role": Role(row["role"]), "departments": frozenset(row["departments"])})

    async def _read_user(self, statement: str, values: Values) -> User | None:
        async with self._database.begin() as connection:
            row = await connection.row(statement, values)
            return _user(row) if row is not None else None


async def _has_admin(connection: Connection) -> bool:
    return await connection.row(_HAS_ADMIN) is not None


async def read_account(connection: Connection, user_id: int) -> User | None:
    """Return a user."""
    row = await connection.row(_BY_ID, [user_id])
    return _user(row) if row is not None else None


async def find_account(connection: Connection, user_id: int) -> User | None:
    """Return a user, who cannot change, nor be given a number, before the transaction ends.

    To be called after locking departments, as whoever issues a number does.
    """
    row = await connection.row(_BY_ID + " FOR UPDATE", [user_id])
    return _user(row) if row is not None else None


async def delete_account(connection: Connection, user_id: int) -> bool:
    """Delete a user and their sessions; return whether there was one. Raises Refused for the last admin."""
    await lock_accounts(connection)
    is_gone = await connection.change(_DELETE_USER, [user_id]) > 0
    await keep_an_admin(connection)
    return is_gone


async def lock_accounts(connection: Connection) -> None:
    """Let nobody else change accounts until the transaction ends.

    To be called after locking the rows that will be changed, and before changing them: of two changes that had written
    already, each would wait for the other.
    """
    await connection.execute("LOCK TABLE app_user IN SHARE ROW EXCLUSIVE MODE")


async def keep_an_admin(connection: Connection) -> None:
    """Refuse a change, made under ``lock_accounts``, that would leave no admin."""
    if not await _has_admin(connection):
        raise refuse(AccountReason.LAST_ADMIN)


def _user(row: Row) -> User:
    return User(**{**row, "role": Role(row["role"]), "departments": tuple(row["departments"])})


def _key(row: Row) -> Key:
    return Key(
        row["credential_id"],
        row["label"],
        Role(row["role"]),
        tuple(row["departments"]),
        row["created_at"],
        row["last_used_at"],
    )
