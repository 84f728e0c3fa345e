"""Group commit without HTTP, compared with the same batching on Postgres alone that only writes rows."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

import psycopg

from tests.bench.report import Part, Row, say
from tests.bench.running import everything_running
from tests.people import DESK
from tests.stack import Stack
from tokenq_server.adapters.metrics.api import Metrics
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.redis.waiting_line import RedisLine
from tokenq_server.domain.commands import Issue
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.ports import Advance
from tokenq_server.services.requests import Answer, Outcome, Request

_CLIENTS = 64
_PAYLOAD = "x" * 430
"""As long as an event."""

_TABLES = """
CREATE TABLE IF NOT EXISTS bench_head (dept text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE IF NOT EXISTS bench_token (id bigint PRIMARY KEY, dept text NOT NULL, state text NOT NULL, at timestamptz);
CREATE TABLE IF NOT EXISTS bench_log (dept text, seq bigint, payload text, PRIMARY KEY (dept, seq));
INSERT INTO bench_head VALUES ('B', 0) ON CONFLICT DO NOTHING
"""
_LOG = "INSERT INTO bench_log SELECT 'B', * FROM unnest(%s::bigint[], %b::text[])"


class _Floor(Batch):
    """Lock one row, write a token and a log entry per request, commit. No rules, no Redis, no stored responses."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[int]]) -> None:
        self._connection = connection
        self.lines_behind = set()

    async def commit(self, requests: Sequence[Request]) -> tuple[list[Outcome], list[Advance]]:
        run = self._connection.execute
        head = await (await run("SELECT seq FROM bench_head WHERE dept = 'B' FOR UPDATE")).fetchone()
        assert head
        ids = [head[0] + number for number in range(1, len(requests) + 1)]
        async with self._connection.pipeline():
            await run("INSERT INTO bench_token SELECT unnest(%s::bigint[]), 'B', 'WAITING', clock_timestamp()", [ids])
            await run(_LOG, [ids, [_PAYLOAD] * len(ids)])
            await run("UPDATE bench_head SET seq = %s WHERE dept = 'B'", [ids[-1]])
            await run("COMMIT")
        return [Answer()] * len(requests), []

    async def update_line(self, steps: Sequence[Advance]) -> None:
        return


def measure(rounds: int, seconds: float) -> Part:
    """Alternate both."""
    with everything_running() as running:
        running.new_department("G")
        pairs = asyncio.run(_both(running.stack, rounds, seconds))
    seen = f"{median(ours for ours, _ in pairs):.0f}/s of {median(floor for _, floor in pairs):.0f}/s"
    shares = [ours / floor for ours, floor in pairs]
    return Part(
        "Batches without HTTP", [Row("group commit / same batching on Postgres alone", shares, ">= 0.55", seen)]
    )


async def _both(stack: Stack, rounds: int, seconds: float) -> list[tuple[float, float]]:
    ledger, line = PostgresLedger(stack.endpoints.postgres), RedisLine(stack.endpoints.redis)
    pairs = []
    async with await psycopg.AsyncConnection.connect(stack.endpoints.postgres) as connection:
        await connection.execute(_TABLES)
        await connection.commit()
        for number in range(1, rounds + 1):
            say(f"batches, round {number} of {rounds}")
            floor = await _rate(_Floor(connection), seconds)
            pairs.append((await _rate(Batch(ledger, line, Metrics()), seconds), floor))
    await ledger.close()
    await line.close()
    return pairs


async def _rate(batch: Batch, seconds: float) -> float:
    commit = GroupCommit(batch)
    commit.start()
    began = time.perf_counter()
    counts = await asyncio.gather(*(_client(commit, began + seconds) for _ in range(_CLIENTS)))
    elapsed = time.perf_counter() - began
    await commit.close()
    return sum(counts) / elapsed


async def _client(commit: GroupCommit, ends: float) -> int:
    count = 0
    while time.perf_counter() < ends:
        await commit.submit(Request(Issue("G", DESK, email="user@example.com")))
        count += 1
    return count
