"""The ledger on PostgreSQL: the one connection through which a process changes tokens.

Psycopg in pipeline mode, since this is the hot path: a batch costs three or four round trips and one fsync, however
many commands it has.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg

from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.connection import BY_INDEX, Connection, Values
from tokenq_server.adapters.postgres.department_rows import department_from, head_from, head_values
from tokenq_server.adapters.postgres.driver_errors import as_outage, ledger_error
from tokenq_server.adapters.postgres.log_rows import token_entry
from tokenq_server.adapters.postgres.rows import (
    columns,
    counter_from,
    document,
    entry_from,
    idempotency_from,
    idempotency_row,
)
from tokenq_server.adapters.postgres.token_rows import changed_row, token_from, token_row
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.domain.counter_names import Place
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token
from tokenq_server.services.ports import (
    Contact,
    IdempotencyRecord,
    LineChange,
    LineEntry,
    Loaded,
    LoadPlan,
    Locked,
)

_SESSION = (
    "SET lock_timeout = '2s'; SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'; "
    f"SET TIME ZONE 'UTC'; {BY_INDEX}"
)


class PostgresLedger:
    """Opens transactions on one connection, reconnecting if it is lost."""

    def __init__(self, database: str | DatabaseAccess, *, with_email: bool = True) -> None:
        self._database = database
        self._with_email = with_email
        self._connection: Connection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostgresTransaction"]:
        """Begin a transaction; leaving it without a commit rolls back."""
        connection = await self._connect()
        transaction = PostgresTransaction(connection, with_email=self._with_email)
        try:
            try:
                yield transaction
            finally:
                if not transaction.is_over:
                    await connection.rollback()
        except psycopg.Error as error:
            await self._settle(connection)
            raise ledger_error(error) from error

    async def close(self) -> None:
        """Close the connection."""
        if self._connection:
            await self._connection.close()

    async def _connect(self) -> Connection:
        if self._connection is not None and not self._connection.closed and not self._connection.broken:
            return self._connection
        with as_outage():
            self._connection = await Connection.open(self._database, "tokenq-ledger", session=_SESSION)
        return self._connection

    async def _settle(self, connection: Connection) -> None:
        with suppress(psycopg.Error):
            await connection.rollback()
        if not connection.is_usable:
            with suppress(psycopg.Error):
                await connection.close()
            self._connection = None


class PostgresTransaction:
    """One transaction of the ledger."""

    def __init__(self, connection: Connection, *, with_email: bool) -> None:
        self._connection = connection
        self._with_email = with_email
        self.is_over = False

    async def lock(self, department_ids: Sequence[str], *, with_archived: bool = False) -> Locked:
        """Lock and read the departments' rows in id order; archived ones only on request."""
        async with self._connection.pipeline():
            await self._connection.execute(sql.LOCK, [list(department_ids)])
            locked = await self._connection.execute(sql.LOCKED, [list(department_ids), with_archived])
            clock = await self._connection.execute(sql.NOW)
        rows = await locked.fetchall()
        (now,) = await clock.fetchall()
        return Locked(now["now"], {row["department_id"]: (department_from(row), head_from(row)) for row in rows})

    async def load(self, plan: LoadPlan) -> Loaded:
        """Load everything planned in one pipelined round trip."""
        cursors: dict[str, psycopg.AsyncCursor[dict[str, Any]]] = {}
        async with self._connection.pipeline():
            if plan.token_ids or plan.counters or plan.users:
                cursors["tokens"] = await self._connection.execute(
                    sql.TOKENS_OF_BATCH, [plan.token_ids, *columns(plan.counters, 2), *columns(plan.users, 2)]
                )
            if plan.counters:
                cursors["counters"] = await self._connection.execute(sql.COUNTERS_OF_BATCH, columns(plan.counters, 2))
            if plan.housekeeping:
                cursors["due"] = await self._connection.execute(sql.DUE_PARKED, [plan.housekeeping])
            if plan.users:
                cursors["contacts"] = await self._connection.execute(sql.CONTACTS, [[user for _, user in plan.users]])
            if plan.keys:
                cursors["kept"] = await self._connection.execute(sql.REMEMBERED, columns(plan.keys, 2))
            if plan.numbers:
                cursors["taken_numbers"] = await self._connection.execute(sql.CARRIED, columns(plan.numbers, 2))
            if plan.arrivals:
                cursors["arrivals"] = await self._connection.execute(sql.PLACES_BY_ARRIVAL, columns(plan.arrivals, 2))
            if plan.new_tokens:
                cursors["ids"] = await self._connection.execute(sql.NEW_IDS, [plan.new_tokens.total()])
        rows = {name: await cursor.fetchall() for name, cursor in cursors.items()}
        tokens = {row["token_id"]: row for row in rows.get("tokens", []) + rows.get("due", [])}
        return Loaded(
            tokens=list(map(token_from, tokens.values())),
            counters=[counter_from(row) for row in rows.get("counters", [])],
            contacts={row["user_id"]: Contact(row["name"], row["email"]) for row in rows.get("contacts", [])},
            idempotency=[idempotency_from(row) for row in rows.get("kept", [])],
            new_ids=[row["id"] for row in rows.get("ids", [])],
            taken_numbers=[(row["issued_in"], row["display"]) for row in rows.get("taken_numbers", [])],
            places_by_arrival={
                (row["department_id"], row["token_id"]): row["place"] for row in rows.get("arrivals", [])
            },
        )

    async def taken_numbers(self, department_id: str, numbers: Sequence[str]) -> set[str]:
        """Return those of the printed numbers that live tokens issued by this department carry."""
        places = [[department_id] * len(numbers), list(numbers)]
        return {row["display"] for row in await self._connection.rows(sql.CARRIED, places)}

    async def tokens(self, token_ids: Sequence[int]) -> list[Token]:
        """Load tokens by id."""
        return await self._tokens(sql.TOKENS_BY_ID, [list(token_ids)]) if token_ids else []

    async def heads(self, department_id: str, count: int) -> list[Token]:
        """Return the first waiting tokens of each class."""
        return await self._tokens(sql.HEADS, {"department_id": department_id, "count": count})

    async def leftovers(self, department_id: str) -> list[Token]:
        """Return the tokens that expire at the end of a business day."""
        states = sorted(map(str, VERBS[Verb.EXPIRE].sources))
        return await self._tokens(sql.LEFTOVERS, [department_id, states])

    async def changes_since(self, department_id: str, seq: int) -> list[LineChange | None]:
        """Return the effect of each log entry after ``seq`` that is still stored."""
        rows = await self._connection.rows(sql.CHANGES_SINCE, [department_id, seq])
        return [None if row["joins"] is None else LineChange(row["joins"], entry_from(row)) for row in rows]

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Return all waiting tokens."""
        return [entry_from(row) for row in await self._connection.rows(sql.WAITING, [department_id])]

    async def commit(
        self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord], opened: Collection[Place] = ()
    ) -> None:
        """Write the changes and commit, in one pipelined round trip."""
        created = [token for session in sessions for name, token in session.changed.items() if name in session.created]
        changed = [
            token for session in sessions for name, token in session.changed.items() if name not in session.created
        ]
        records = [(session, record) for session in sessions for record in session.records]
        run = self._connection.execute
        async with self._connection.pipeline():
            # Leaving a counter comes before occupying it: the unique index is checked row by row.
            for group in (
                [token for token in changed if not token.is_at_counter],
                [token for token in changed if token.is_at_counter],
            ):
                if group:
                    await run(sql.UPDATE_TOKENS, [document(map(changed_row, group))])
            if created:
                await run(sql.INSERT_TOKENS, [document(map(token_row, created))])
            if records:
                entries = (
                    token_entry(session.department.branch_id, record, with_email=self._with_email)
                    for session, record in records
                )
                await run(sql.APPEND_TO_LOG, [document(entries)])
            if opened:
                await run(sql.OPEN_COUNTERS, columns(list(opened), 2))
            if kept:
                await run(sql.REMEMBER, [document(map(idempotency_row, kept))])
            for session in sessions:
                await run(sql.UPDATE_HEAD, head_values(session))
            await run("COMMIT")
        self.is_over = True

    async def run(self, statement: str, values: Values) -> list[dict[str, Any]]:
        """Run one more statement in this transaction, for maintenance; return its rows."""
        cursor = await self._connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def _tokens(self, statement: str, values: Values) -> list[Token]:
        return [token_from(row) for row in await self._connection.rows(statement, values)]
