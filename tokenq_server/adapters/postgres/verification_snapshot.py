"""Postgres as verifying reads it: one read-only snapshot, everything long through cursors of the server."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from tokenq.contract.events import TOPIC
from tokenq.contract.words import Priority, TokenState
from tokenq_server.adapters.postgres import verification_statements as sql
from tokenq_server.adapters.postgres.connection import NETWORK
from tokenq_server.adapters.postgres.department_rows import department_from, standing_from
from tokenq_server.adapters.postgres.driver_errors import OTHER_SCHEMA, as_outage
from tokenq_server.adapters.postgres.schema import refuse_other, schema_behind
from tokenq_server.adapters.postgres.statements import WAITING
from tokenq_server.domain.invariants.entries import Stored, TokenRow
from tokenq_server.domain.invariants.mail import LetterRow, Mailable
from tokenq_server.domain.invariants.standing import Place
from tokenq_server.services.verification.ports import Held

_PIECE = 5_000
Thing = TypeVar("Thing")
Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class PostgresSnapshots:
    """Opens short looks and one long snapshot, each on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def days(self) -> dict[str, date]:
        """The business day of every department, now."""
        async with self._open() as connection:
            return dict(await (await connection.execute(sql.DAYS)).fetchall())

    async def heads(self) -> dict[str, int]:
        """The last seq of every department, now."""
        async with self._open() as connection:
            return dict(await (await connection.execute(sql.HEADS)).fetchall())

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["PostgresSnapshot"]:
        """Hold on to what is true now. It locks nothing; only the vacuum waits for its end."""
        async with self._open() as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            async with connection.transaction():
                yield PostgresSnapshot(connection)

    async def _revision(self) -> str | None:
        """The schema's revision; None if there are no tables of tokenq."""
        async with self._open() as connection:
            if (await (await connection.execute(sql.HAS_REVISION)).fetchall())[0][0] is None:
                return None
            rows = await (await connection.execute(sql.REVISION)).fetchall()
            return str(rows[0][0]) if rows else None

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Connection]:
        try:
            with as_outage(psycopg.OperationalError):
                connection = await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, application_name="tokenq-verify", options="-c timezone=UTC", **NETWORK
                )
                async with connection:
                    await connection.set_read_only(True)
                    yield connection
        except OTHER_SCHEMA as error:
            refuse_other(await self._revision())
            raise schema_behind() from error


class PostgresSnapshot:
    """Postgres as it was at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def departments(self) -> list[Held]:
        """Every department that has a log, by id."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(sql.DEPARTMENTS)
            return [_held(row) for row in await cursor.fetchall()]

    def log(self, department_id: str) -> AsyncIterator[Sequence[Stored]]:
        """A department's log, in order."""
        return self._pieces(sql.LOG, [department_id], _stored)

    def numbers(self, department_id: str) -> AsyncIterator[Sequence[tuple[date, int]]]:
        """Day and number of every token issued there, in that order."""
        return self._pieces(sql.NUMBERS, [department_id], lambda row: (row[0], row[1]))

    async def rows(self, token_ids: Collection[int]) -> dict[int, TokenRow]:
        """Tokens by id."""
        found = await self._connection.execute(sql.ROWS, [list(token_ids)])
        return {row[0]: _token_row(row) for row in await found.fetchall()}

    async def waiting(self, department_id: str) -> dict[int, Place]:
        """Who waits."""
        found = await self._connection.execute(WAITING, [department_id])
        return {token_id: (Priority(priority), place) for token_id, priority, place in await found.fetchall()}

    async def since(self, department_id: str, seq: int) -> list[tuple[int, bool | None, Place]]:
        """What each entry after ``seq`` does to the line."""
        found = await self._connection.execute(sql.SINCE, [department_id, seq])
        return [
            (token_id, joins, (Priority(priority), place))
            for token_id, joins, priority, place in await found.fetchall()
        ]

    async def payloads(self, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """The events of entries, by department and seq."""
        if not wanted:
            return {}
        names, seqs = zip(*wanted, strict=True)
        found = await self._connection.execute(sql.PAYLOADS, [list(names), list(seqs)])
        return {(name, seq): payload.encode() for name, seq, payload in await found.fetchall()}

    def letters(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[LetterRow]]:
        """Every letter, by token, department and seq."""
        return self._pieces(sql.LETTERS, [list(department_ids)], lambda row: LetterRow(*row))

    def mailables(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[Mailable]]:
        """Every entry of a kind that may call for a letter and whose token has an address."""
        return self._pieces(sql.MAILABLES, [list(department_ids)], lambda row: Mailable(*row))

    async def buried(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """How often records of the topic, by partition and offset, lie in the dead-letter queue."""
        if not places:
            return {}
        partitions, offsets = zip(*places, strict=True)
        found = await self._connection.execute(sql.BURIED, [list(partitions), list(offsets), TOPIC])
        return {(partition, offset): times for partition, offset, times in await found.fetchall()}

    async def _pieces(
        self, statement: str, values: list[Any], read: Callable[[tuple[Any, ...]], Thing]
    ) -> AsyncIterator[Sequence[Thing]]:
        async with self._connection.cursor(name="pieces") as cursor:
            await cursor.execute(statement, values)
            while rows := await cursor.fetchmany(_PIECE):
                yield [read(row) for row in rows]


def _held(row: dict[str, Any]) -> Held:
    return Held(
        department=department_from(row),
        standing=standing_from(row),
        published=row["published"],
        refilled_from=row["refilled_from"],
        changed_seq=row["changed_seq"],
        rewritten_seq=row["rewritten_seq"],
        is_archived=row["is_archived"],
        rewound=(row["rewound_seq"], row["rewound_day"]) if row["rewound_seq"] else None,
        spot=(row["partition"], row["kafka_offset"]) if row["kafka_offset"] is not None else None,
    )


def _stored(row: tuple[Any, ...]) -> Stored:
    seq, event_type, token_id, payload, joins, priority, place, at = row
    return Stored(seq, event_type, token_id, payload, joins, Priority(priority), place, at)


def _token_row(row: tuple[Any, ...]) -> TokenRow:
    values = dict(zip(sql.TOKEN_ROW, row, strict=True))
    return TokenRow(**values | {"state": TokenState(values["state"]), "priority": Priority(values["priority"])})
