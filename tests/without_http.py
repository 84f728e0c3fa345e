"""The core on real stores, without HTTP: for tests of the order of operations."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from tests.fakes import CountedCounts
from tests.people import ANN, DESK
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.domain.commands import CallNext, Command, EditToken, Issue, MoveToken, ServeNext
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.ports import WaitingLine
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import Setup

Body = dict[str, Any]


def department_id() -> str:
    """A unique department: Redis is shared by all tests of a worker."""
    return "T" + secrets.token_hex(3).upper()


@dataclass
class Core:
    """One process's core, its database and its counts."""

    dsn: str
    commit: GroupCommit
    ledger: PostgresLedger
    line: WaitingLine
    counts: CountedCounts
    setup: Setup

    async def department(self, **more: Any) -> str:
        """Create a department; return its id."""
        name = department_id()
        await self.setup.create_department(name, {"name": f"Department {name}", **more})
        return name

    async def do(self, command: Command, key: str | None = None, fingerprint: bytes = b"") -> Body:
        """Execute one command."""
        answer = await self.commit.submit(Request(command, "test", key, fingerprint))
        return cast(Body, answer.token)

    async def issue(self, department: str, count: int = 1, **more: Any) -> list[Body]:
        """Issue tokens, all at once."""
        return list(await asyncio.gather(*(self.do(Issue(department, DESK, **more)) for _ in range(count))))

    async def call(self, department: str, counter: str) -> Body:
        """Call the next token."""
        return await self.do(CallNext(department, ANN, counter))

    async def serve(self, department: str, counter: str) -> Body:
        """Serve the next token in one step."""
        return await self.do(ServeNext(department, ANN, counter))

    async def move(self, token: Body, verb: Verb, **more: Any) -> Body:
        """Move a token."""
        if verb is Verb.EDIT:
            return await self.do(EditToken(token["departmentId"], ANN, token["tokenId"], **more))
        return await self.do(
            MoveToken(token["departmentId"], ANN, token["tokenId"], verb, token["claimVersion"], **more)
        )

    async def rows(self, statement: str, *values: Any) -> list[Body]:
        """Read the database directly."""
        async with await psycopg.AsyncConnection.connect(self.dsn, row_factory=dict_row, autocommit=True) as connection:
            return await (await connection.execute(statement, values)).fetchall()  # type: ignore[arg-type]

    async def run(self, statement: str, *values: Any) -> None:
        """Change the database directly."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            await connection.execute(statement, values)  # type: ignore[arg-type]


@asynccontextmanager
async def open_core(
    dsn: str, redis_url: str, line: WaitingLine | None = None, *, redis_timeout: float = 0.15
) -> AsyncIterator[Core]:
    """A core on a database that is migrated first. With a longer ``redis_timeout`` it waits for a busy machine."""
    await asyncio.to_thread(migrate, dsn)
    database, ledger, counts = Database(dsn, size=2), PostgresLedger(dsn), CountedCounts()
    redis = open_line(redis_url, timeout=redis_timeout)
    commit = GroupCommit(Batch(ledger, line or redis, counts))
    commit.start()
    try:
        yield Core(dsn, commit, ledger, line or redis, counts, Setup(PostgresSetup(database)))
    finally:
        await commit.close()
        await ledger.close()
        await redis.close()
        await database.close()


async def assert_all_is_well(core: Core, department: str) -> None:
    """Assert the invariants of a department while nothing is in flight."""
    (standing,) = await core.rows("SELECT * FROM dept_state WHERE department_id = %s", department)
    tokens = await core.rows("SELECT * FROM token WHERE department_id = %s ORDER BY number", department)
    log = await core.rows(
        "SELECT seq, event_type, token_id FROM outbox WHERE department_id = %s ORDER BY seq", department
    )
    waiting = sorted(token["token_id"] for token in tokens if token["state"] == "WAITING")

    assert [token["number"] for token in tokens] == list(range(1, standing["last_no"] + 1))
    assert [entry["seq"] for entry in log] == list(range(1, standing["last_seq"] + 1))
    assert {entry["token_id"] for entry in log} - {0} == {token["token_id"] for token in tokens}
    counted = sum(standing[f"waiting_{name}"] for name in ("urgent", "priority", "normal"))
    assert counted == len(waiting)
