"""Logs in which days have passed, and what housekeeping deletes of them."""

import psycopg

from tests.servers import Servers
from tests.without_http import Core
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.old_entries import PostgresOldEntries
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.verification.verifier import Verifier

_TIMES = ("issued_at", "waiting_since", "called_at", "last_call_at", "started_at", "served_at", "parked_at")
_MOVED = ", ".join(f"{name} = {name} - make_interval(days => %(days)s)" for name in _TIMES)
_CHOSEN = "= ANY(%(names)s) OR %(names)s::text[] = '{}'"
_PASS = (
    # Far away first: numbers are unique per day, row by row.
    f"UPDATE token SET day = day - 99999 WHERE issued_in {_CHOSEN}",
    f"""
    UPDATE token SET day = day + 99999 - %(days)s, ended_on = ended_on - %(days)s, {_MOVED},
      undo = CASE WHEN %(days)s = 0 THEN undo END
    WHERE issued_in {_CHOSEN}
    """,
    f"""
    UPDATE outbox SET at = at - make_interval(days => %(days)s), payload = regexp_replace(
      payload, '"businessDay":"[^"]*"',
      '"businessDay":"' || substring(payload from '"businessDay":"([^"]*)"')::date - %(days)s || '"')
    WHERE department_id {_CHOSEN}
    """,
    f"UPDATE dept_state SET day = greatest(day - %(days)s, '0001-01-01') WHERE department_id {_CHOSEN}",
)


async def days_pass(core: Core, days: int, *names: str) -> None:
    """Move everything so far into the past, in these departments or all."""
    async with await psycopg.AsyncConnection.connect(core.dsn) as connection:
        for statement in _PASS:
            await connection.execute(statement, {"days": days, "names": list(names)})


async def all_is_published(core: Core) -> None:
    """Let the cursors say so, without a relay."""
    await core.run("UPDATE relay_cursor c SET seq = last_seq FROM dept_state s WHERE s.department_id = c.department_id")


async def delete_older_than(core: Core, days: int) -> bool:
    """What housekeeping does in a round; return whether there may be more."""
    database = Database(core.dsn, size=1)
    try:
        return await PostgresOldEntries(database).delete(days)
    finally:
        await database.close()


async def seqs(core: Core, name: str) -> list[int]:
    """The entries that are left."""
    return [row["seq"] for row in await core.rows("SELECT seq FROM outbox WHERE department_id = %s ORDER BY 1", name)]


async def verified(core: Core, servers: Servers) -> Tally:
    """Check Postgres and Redis."""
    lines = RedisLineCopies(servers.redis_url)
    try:
        return await Verifier(PostgresSnapshots(core.dsn), lines, None).run()
    finally:
        await lines.close()
