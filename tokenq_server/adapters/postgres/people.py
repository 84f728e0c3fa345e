"""Users, keys and sessions in Postgres."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.words import Role
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.tables import app_user, credential
from tokenq_server.domain.principal import Principal
from tokenq_server.services.people import Key, User

_WHO_THEY_ARE = {"role", "departments", "password_hash", "is_disabled"}
_USER = (
    app_user.c.user_id,
    app_user.c.username,
    app_user.c.name,
    app_user.c.email,
    app_user.c.role,
    app_user.c.departments,
    app_user.c.password_hash,
    app_user.c.must_change_password,
    app_user.c.is_disabled,
)


class PostgresPeople:
    """Keeps users and credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self, after: int, limit: int) -> list[User]:
        """Users with an id above ``after``."""
        query = select(*_USER).where(app_user.c.user_id > after).order_by(app_user.c.user_id).limit(limit)
        async with self._database.begin() as connection:
            return [_user(row) for row in await connection.execute(query)]

    async def user(self, user_id: int) -> User | None:
        """One user."""
        return await self._one(select(*_USER).where(app_user.c.user_id == user_id))

    async def user_named(self, username: str) -> User | None:
        """The user who logs in under this name."""
        return await self._one(select(*_USER).where(app_user.c.username == username))

    async def create_user(self, values: dict[str, Any]) -> User:
        """Write a new user."""
        async with self._database.begin() as connection:
            row = (await connection.execute(insert(app_user).values(**values).returning(*_USER))).one()
            return _user(row)

    async def change_user(self, user_id: int, values: dict[str, Any]) -> User | None:
        """Change a user; their sessions end when what they may do or their password changes."""
        if not values:
            return await self.user(user_id)
        async with self._database.begin() as connection:
            statement = update(app_user).where(app_user.c.user_id == user_id).values(**values).returning(*_USER)
            row = (await connection.execute(statement)).one_or_none()
            if row is not None and _WHO_THEY_ARE & set(values):
                await connection.execute(delete(credential).where(credential.c.user_id == user_id))
                await keep_an_admin(connection)
            return _user(row) if row is not None else None

    async def delete_user(self, user_id: int) -> bool:
        """Forget a user, sessions included."""
        async with self._database.begin() as connection:
            gone = await connection.execute(
                delete(app_user).where(app_user.c.user_id == user_id).returning(app_user.c.user_id)
            )
            is_gone = gone.first() is not None
            await keep_an_admin(connection)
            return is_gone

    async def has_admin(self) -> bool:
        """Whether an admin can log in."""
        async with self._database.begin() as connection:
            return await _has_admin(connection)

    async def has_first_password(self) -> bool:
        """Whether somebody still has a first password."""
        query = select(app_user.c.user_id).where(app_user.c.must_change_password).limit(1)
        async with self._database.begin() as connection:
            return (await connection.execute(query)).first() is not None

    async def add_session(self, user_id: int, token_hash: bytes, lifetime: timedelta) -> datetime:
        """Keep a session, and clear out those that ended."""
        async with self._database.begin() as connection:
            await connection.execute(delete(credential).where(credential.c.expires_at < func.clock_timestamp()))
            statement = insert(credential).values(
                token_hash=token_hash,
                kind="session",
                user_id=user_id,
                label="login",
                expires_at=func.clock_timestamp() + lifetime,
            )
            expires: datetime = (await connection.execute(statement.returning(credential.c.expires_at))).scalar_one()
            return expires

    async def add_key(self, label: str, role: Role, departments: list[str], token_hash: bytes) -> Key:
        """Keep a key."""
        statement = insert(credential).values(
            token_hash=token_hash, kind="key", label=label, role=str(role), departments=departments
        )
        async with self._database.begin() as connection:
            return _key((await connection.execute(statement.returning(*credential.c))).one())

    async def keys(self) -> list[Key]:
        """All keys by id."""
        query = select(credential).where(credential.c.kind == "key").order_by(credential.c.credential_id)
        async with self._database.begin() as connection:
            return [_key(row) for row in await connection.execute(query)]

    async def change_key(self, key_id: int, values: dict[str, Any]) -> Key | None:
        """Change a key."""
        which = and_(credential.c.credential_id == key_id, credential.c.kind == "key")
        changed = {name: str(value) if name == "role" else value for name, value in values.items()}
        statement = update(credential).where(which).values(credential_id=key_id, **changed)
        async with self._database.begin() as connection:
            row = (await connection.execute(statement.returning(*credential.c))).one_or_none()
            return _key(row) if row is not None else None

    async def delete_credential(self, credential_id: int, kind: str) -> bool:
        """Revoke a key or a session."""
        which = and_(credential.c.credential_id == credential_id, credential.c.kind == kind)
        async with self._database.begin() as connection:
            gone = await connection.execute(delete(credential).where(which).returning(credential.c.credential_id))
            return gone.first() is not None

    async def principal(self, token_hash: bytes) -> Principal | None:
        """Whose this is, if it is still valid; notes that it was used, once a minute at most."""
        query = (
            select(credential, app_user.c.username, app_user.c.name, app_user.c.must_change_password)
            .add_columns(app_user.c.role.label("user_role"), app_user.c.departments.label("user_departments"))
            .outerjoin(app_user, app_user.c.user_id == credential.c.user_id)
            .where(
                credential.c.token_hash == token_hash,
                or_(credential.c.expires_at.is_(None), credential.c.expires_at > func.clock_timestamp()),
                or_(app_user.c.user_id.is_(None), ~app_user.c.is_disabled),
            )
        )
        stale = or_(
            credential.c.last_used_at.is_(None),
            credential.c.last_used_at < func.clock_timestamp() - timedelta(minutes=1),
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            await connection.execute(
                update(credential)
                .where(credential.c.credential_id == row.credential_id, stale)
                .values(last_used_at=func.clock_timestamp())
            )
            return _principal(row)

    async def _one(self, query: Select[Any]) -> User | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one_or_none()
            return _user(row) if row is not None else None


async def _has_admin(connection: AsyncConnection) -> bool:
    query = select(app_user.c.user_id).where(app_user.c.role == "admin", ~app_user.c.is_disabled).limit(1)
    return (await connection.execute(query)).first() is not None


async def keep_an_admin(connection: AsyncConnection) -> None:
    """Undo a change after which nobody could set up anything any more. Two at once wait for each other."""
    await connection.execute(text("LOCK TABLE app_user IN SHARE ROW EXCLUSIVE MODE"))
    if not await _has_admin(connection):
        raise refuse(AccountReason.LAST_ADMIN)


def _user(row: Any) -> User:
    values = dict(row._mapping)
    return User(**values | {"role": Role(values["role"]), "departments": tuple(values["departments"])})


def _key(row: Any) -> Key:
    return Key(row.credential_id, row.label, Role(row.role), tuple(row.departments), row.created_at, row.last_used_at)


def _principal(row: Any) -> Principal:
    is_session = row.kind == "session"
    return Principal(
        kind=row.kind,
        credential_id=row.credential_id,
        name=(row.username or row.name) if is_session else row.label,
        role=Role(row.user_role if is_session else row.role),
        departments=frozenset(row.user_departments if is_session else row.departments),
        user_id=row.user_id,
        must_change_password=bool(row.must_change_password),
    )
