"""The ledger on PostgreSQL: the one connection through which a process changes tokens.

Plain psycopg in pipeline mode, since this is the hot path: a batch costs three or four round trips and one
fsync, however many commands it carries.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import Composed

from tokenq.contract.events import Event, encode
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.network import NETWORK
from tokenq_server.adapters.postgres.rows import (
    changed_row,
    columns,
    counter_from,
    department_from,
    document,
    entry_from,
    idempotency_from,
    idempotency_row,
    standing_from,
    standing_row,
    token_from,
    token_row,
)
from tokenq_server.domain.counters import Place
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.record import Record
from tokenq_server.domain.token import Token
from tokenq_server.services.event_ids import new_event_id
from tokenq_server.services.ports import (
    DEADLOCK,
    LOCKED,
    Contact,
    IdempotencyRecord,
    LedgerDown,
    LedgerRefused,
    LineChange,
    LineEntry,
    Loaded,
    LoadPlan,
    Locked,
)

Connection = psycopg.AsyncConnection[dict[str, Any]]

_SESSION = (
    "SET lock_timeout = '2s'; SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'; "
    "SET TIME ZONE 'UTC'"
)


class PostgresLedger:
    """Opens transactions on one connection, reconnecting when it is lost."""

    def __init__(self, dsn: str, *, with_email: bool = True) -> None:
        self._dsn = dsn
        self._with_email = with_email
        self._connection: Connection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostgresTransaction"]:
        """Begin a transaction; leaving without a commit rolls back."""
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
            raise _translated(error) from error

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection:
            await self._connection.close()

    async def _connect(self) -> Connection:
        if self._connection is not None and not self._connection.closed and not self._connection.broken:
            return self._connection
        try:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn,
                row_factory=dict_row,
                application_name="tokenq-ledger",
                **NETWORK,
            )
            await self._connection.execute(_SESSION)
            await self._connection.commit()
        except psycopg.Error as error:
            raise LedgerDown from error
        return self._connection

    async def _settle(self, connection: Connection) -> None:
        with suppress(psycopg.Error):
            await connection.rollback()
        if (
            connection.broken
            or connection.closed
            or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        ):
            with suppress(psycopg.Error):
                await connection.close()
            self._connection = None


def _translated(error: psycopg.Error) -> Exception:
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return LedgerRefused(LOCKED)
    if (error.sqlstate or "").startswith("40"):
        # Two processes that want each other's counters: nothing was written, once more it goes through.
        return LedgerRefused(DEADLOCK)
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError | psycopg.ProgrammingError):
        return LedgerRefused(error.diag.constraint_name)
    return LedgerDown()


class PostgresTransaction:
    """One transaction of the ledger."""

    def __init__(self, connection: Connection, *, with_email: bool) -> None:
        self._connection = connection
        self._with_email = with_email
        self.is_over = False

    async def lock(self, department_ids: Sequence[str], *, with_archived: bool = False) -> Locked:
        """Lock the departments' rows in id order and read them; archived ones are left out if not asked for."""
        async with self._connection.pipeline():
            await self._connection.execute(sql.LOCK, [list(department_ids)])
            locked = await self._connection.execute(sql.LOCKED, [list(department_ids), with_archived])
            clock = await self._connection.execute(sql.NOW)
        rows = await locked.fetchall()
        (now,) = await clock.fetchall()
        return Locked(now["now"], {row["department_id"]: (department_from(row), standing_from(row)) for row in rows})

    async def load(self, plan: LoadPlan) -> Loaded:
        """Read everything planned in one pipelined round trip."""
        cursors: dict[str, psycopg.AsyncCursor[dict[str, Any]]] = {}
        async with self._connection.pipeline():
            if plan.token_ids or plan.counters or plan.users:
                cursors["tokens"] = await self._connection.execute(
                    sql.TOKENS_WANTED, [plan.token_ids, *columns(plan.counters, 2), *columns(plan.users, 2)]
                )
            if plan.counters:
                cursors["counters"] = await self._connection.execute(sql.COUNTERS_WANTED, columns(plan.counters, 2))
            if plan.tidied:
                cursors["due"] = await self._connection.execute(sql.DUE_PARKED, [plan.tidied])
            if plan.users:
                cursors["contacts"] = await self._connection.execute(sql.CONTACTS, [[user for _, user in plan.users]])
            if plan.keys:
                cursors["kept"] = await self._connection.execute(sql.REMEMBERED, columns(plan.keys, 2))
            if plan.numbers:
                cursors["carried"] = await self._connection.execute(sql.CARRIED, columns(plan.numbers, 2))
            if plan.new_tokens:
                cursors["ids"] = await self._connection.execute(sql.NEW_IDS, [plan.new_tokens.total()])
        rows = {name: await cursor.fetchall() for name, cursor in cursors.items()}
        return Loaded(
            tokens=[token_from(row) for row in rows.get("tokens", []) + rows.get("due", [])],
            counters=[counter_from(row) for row in rows.get("counters", [])],
            contacts={row["user_id"]: Contact(row["name"], row["email"]) for row in rows.get("contacts", [])},
            idempotency=[idempotency_from(row) for row in rows.get("kept", [])],
            new_ids=[row["id"] for row in rows.get("ids", [])],
            carried=[(row["issued_in"], row["display"]) for row in rows.get("carried", [])],
        )

    async def carried(self, department_id: str, numbers: Sequence[str]) -> set[str]:
        """Which of these printed numbers somebody live carries who got it in this department."""
        wanted = [[department_id] * len(numbers), list(numbers)]
        cursor = await self._connection.execute(sql.CARRIED, wanted)
        return {row["display"] for row in await cursor.fetchall()}

    async def tokens(self, token_ids: Sequence[int]) -> list[Token]:
        """Read tokens by id."""
        return await self._tokens(sql.TOKENS_BY_ID, [list(token_ids)]) if token_ids else []

    async def heads(self, department_id: str, count: int) -> list[Token]:
        """The first waiting tokens of each class."""
        return await self._tokens(sql.HEADS, [department_id, count] * 3)

    async def leftovers(self, department_id: str) -> list[Token]:
        """Whom the end of a business day ends."""
        states = sorted(map(str, VERBS[Verb.EXPIRE].sources))
        return await self._tokens(sql.LEFTOVERS, [department_id, states])

    async def changes_since(self, department_id: str, seq: int) -> list[LineChange | None]:
        """What each log entry after ``seq`` that is still kept did to the line."""
        cursor = await self._connection.execute(sql.CHANGES_SINCE, [department_id, seq])
        rows = await cursor.fetchall()
        return [None if row["joins"] is None else LineChange(row["joins"], entry_from(row)) for row in rows]

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Everybody in line."""
        cursor = await self._connection.execute(sql.WAITING, [department_id])
        return [entry_from(row) for row in await cursor.fetchall()]

    async def commit(
        self, floors: Sequence[Floor], kept: Sequence[IdempotencyRecord], opened: Collection[Place] = ()
    ) -> None:
        """Write what changed and commit, in one pipelined round trip."""
        created = [floor.changed[one] for floor in floors for one in floor.changed if one in floor.created]
        changed = [floor.changed[one] for floor in floors for one in floor.changed if one not in floor.created]
        records = [(floor, record) for floor in floors for record in floor.records]
        run = self._connection.execute
        async with self._connection.pipeline():
            # Leaving a counter comes before taking it: the unique index is checked row by row.
            for group in (
                [one for one in changed if not one.is_at_counter],
                [one for one in changed if one.is_at_counter],
            ):
                if group:
                    await run(sql.UPDATE_TOKENS, [document(map(changed_row, group))])
            if created:
                await run(sql.INSERT_TOKENS, [document(map(token_row, created))])
            if records:
                rows = [self._outbox_row(floor.department.branch_id, record) for floor, record in records]
                await run(sql.INSERT_OUTBOX, [document(rows)])
            if opened:
                await run(sql.OPEN_COUNTERS, columns(list(opened), 2))
            if kept:
                await run(sql.REMEMBER, [document(map(idempotency_row, kept))])
            for floor in floors:
                await run(sql.UPDATE_STANDING, standing_row(floor))
            await run("COMMIT")
        self.is_over = True

    async def run(self, statement: str | Composed, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Run one more statement in this transaction, for upkeep; answers its rows."""
        cursor = await self._connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def _tokens(self, statement: Composed, values: list[Any]) -> list[Token]:
        cursor = await self._connection.execute(statement, values)
        return [token_from(row) for row in await cursor.fetchall()]

    def _outbox_row(self, branch_id: str, record: Record) -> dict[str, Any]:
        token = record.token
        event = Event(
            event_type=record.event_type,
            event_id=new_event_id(record.at),
            seq=record.seq,
            timestamp=record.at,
            branch_id=branch_id,
            department_id=token.department_id,
            business_day=token.day.isoformat(),
            token_id=token.token_id,
            token_no=token.number,
            display_number=token.display,
            priority=str(token.priority),
            user_id=token.user_id,
            email=token.email if self._with_email else None,
            counter_id=token.counter_id,
            actor=record.actor,
            data=record.data,
        )
        return {
            "department_id": token.department_id,
            "seq": record.seq,
            "event_type": record.event_type,
            "token_id": token.token_id,
            "payload": encode(event).decode(),
            "joins": record.joins,
            "priority": token.priority,
            "place": token.place,
            "at": record.at,
            "note": record.note,
        }
