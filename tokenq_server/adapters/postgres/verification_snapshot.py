"""Postgres as read by the verifier: one read-only snapshot, with long results through server-side cursors."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, TypeVar

import psycopg
from psycopg.rows import tuple_row

from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.events import TOPIC
from tokenq_server.adapters.postgres import verification_statements as sql
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.department_rows import department_from, head_from
from tokenq_server.adapters.postgres.driver_errors import OTHER_SCHEMA, as_outage
from tokenq_server.adapters.postgres.rows import Row, columns
from tokenq_server.adapters.postgres.schema import refuse_other, revision, schema_behind
from tokenq_server.adapters.postgres.statements import CHANGES_SINCE, WAITING
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.domain.invariants.department_head import Place
from tokenq_server.domain.invariants.entries import Stored, TokenRow
from tokenq_server.domain.invariants.mail import LetterRow, Mailable
from tokenq_server.services.verification.ports import DepartmentState

_PIECE = 5_000
Item = TypeVar("Item")


_SESSION = "SET TIME ZONE 'UTC'"
"""A check may take longer than usual queries may."""


class PostgresSnapshots:
    """Opens short reads and one long snapshot, each on a connection of its own."""

    def __init__(self, database: str | DatabaseAccess) -> None:
        self._database = database

    async def days(self) -> dict[str, date]:
        """Return the current business day of every department."""
        async with self._open() as connection:
            return {row["department_id"]: row["day"] for row in await connection.rows(sql.HEADS)}

    async def heads(self) -> dict[str, int]:
        """Return the current last seq of every department."""
        async with self._open() as connection:
            return {row["department_id"]: row["last_seq"] for row in await connection.rows(sql.HEADS)}

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["PostgresSnapshot"]:
        """Open a snapshot of the current state. It locks nothing; only vacuum waits for its end."""
        async with self._open() as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            async with connection.transaction():
                yield PostgresSnapshot(connection)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Connection]:
        try:
            async with self._connection() as connection:
                yield connection
        except OTHER_SCHEMA as error:
            async with self._connection() as connection:
                refuse_other(await revision(connection))
            raise schema_behind() from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with as_outage(psycopg.OperationalError):
            opened = await Connection.open(self._database, "tokenq-verify", session=_SESSION, autocommit=True)
            async with opened as connection:
                await connection.set_read_only(True)
                yield connection


class PostgresSnapshot:
    """Postgres at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def departments(self) -> list[DepartmentState]:
        """Return every department that has a log, by id."""
        return [_department_state(row) for row in await self._connection.rows(sql.DEPARTMENTS)]

    def log(self, department_id: str) -> AsyncIterator[Sequence[Stored]]:
        """Yield a department's log, in order."""
        return self._chunks(sql.LOG, [department_id], _stored_from)

    def numbers(self, department_id: str) -> AsyncIterator[Sequence[tuple[date, int]]]:
        """Yield day and number of every token issued there, in that order."""
        return self._chunks(sql.NUMBERS, [department_id], lambda row: (row[0], row[1]))

    async def rows(self, token_ids: Collection[int]) -> dict[int, TokenRow]:
        """Return tokens by id."""
        rows = await self._connection.rows(sql.ROWS, [list(token_ids)])
        return {row["token_id"]: _token_row(row) for row in rows}

    async def waiting(self, department_id: str) -> dict[int, Place]:
        """Who waits."""
        return {row["token_id"]: _place(row) for row in await self._connection.rows(WAITING, [department_id])}

    async def since(self, department_id: str, seq: int) -> list[tuple[int, bool | None, Place]]:
        """Return the effect of each entry after ``seq`` on the queue."""
        rows = await self._connection.rows(CHANGES_SINCE, [department_id, seq])
        return [(row["token_id"], row["joins"], _place(row)) for row in rows]

    async def payloads(self, entries: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[bytes, bool]]:
        """Return the events of entries, by department and seq, and whether a person was erased from them."""
        rows = await self._connection.rows(sql.PAYLOADS, columns(list(entries), 2))
        return {(row["department_id"], row["seq"]): (row["payload"].encode(), row["is_erased"]) for row in rows}

    def letters(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[LetterRow]]:
        """Yield every notification, by token, department and seq."""
        return self._chunks(sql.LETTERS, [list(department_ids)], lambda row: LetterRow(*row))

    def mailables(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[Mailable]]:
        """Yield every entry that may require a notification and whose token has an address."""
        return self._chunks(sql.MAILABLES, [list(department_ids)], lambda row: Mailable(*row))

    async def buried(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return how often records of the topic, by partition and offset, are in the dead-letter queue."""
        rows = await self._connection.rows(sql.BURIED, [*columns(list(places), 2), TOPIC])
        return {(row["partition"], row["offset"]): row["count"] for row in rows}

    async def _chunks(
        self, statement: str, values: list[Any], read: Callable[[tuple[Any, ...]], Item]
    ) -> AsyncIterator[Sequence[Item]]:
        async with self._connection.cursor(name="pieces", row_factory=tuple_row) as cursor:
            await cursor.execute(statement, values)
            while rows := await cursor.fetchmany(_PIECE):
                yield [read(row) for row in rows]


def _department_state(row: Row) -> DepartmentState:
    return DepartmentState(
        department=department_from(row),
        head=head_from(row),
        published=row["published"],
        refilled_from=row["refilled_from"],
        changed_seq=row["changed_seq"],
        rewritten_seq=row["rewritten_seq"],
        log_floor=row["log_floor"],
        log_floor_day=row["log_floor_day"],
        is_archived=row["is_archived"],
        rewound=(row["rewound_seq"], row["rewound_day"]) if row["rewound_seq"] else None,
        spot=(row["partition"], row["kafka_offset"]) if row["kafka_offset"] is not None else None,
    )


def _stored_from(row: tuple[Any, ...]) -> Stored:
    seq, event_type, token_id, payload, joins, priority, place, at = row
    return Stored(seq, event_type, token_id, payload, joins, Priority(priority), place, at)


def _token_row(row: Row) -> TokenRow:
    return TokenRow(**{**row, "state": TokenState(row["state"]), "priority": Priority(row["priority"])})


def _place(row: Row) -> Place:
    return Priority(row["priority"]), row["place"]
