"""The mail queues in Postgres."""

from collections.abc import Sequence
from typing import Any

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.failpoints import reach
from tokenq_server.services.mailing import Attempt, BadRecord, Copy, DeadLetter, Job, NewJob, RawRecord, Verdict

# The log decides what is mailed to whom: a record that says anything else than its entry is none of ours, and the
# address is the token's (TOKENQ_EVENTS_EMAIL may have kept it from the topic). Where the log was rewritten, a record
# may still have the words that were taken out.
_TAKE_IN = """
WITH entry AS (
  SELECT o.department_id, o.seq, o.token_id, o.payload::jsonb AS event, t.email
  FROM outbox o JOIN token t USING (token_id) JOIN dept_state s ON s.department_id = o.department_id
  WHERE o.department_id = %(department_id)s AND o.seq = %(seq)s AND o.token_id = %(token_id)s
    AND (o.payload::jsonb - 'email' = %(raw)s::jsonb - 'email'
         OR o.seq <= s.rewritten_seq
            AND (o.payload::jsonb - 'email') #- '{data,reason}' = (%(raw)s::jsonb - 'email') #- '{data,reason}')
), kept AS (
  INSERT INTO mail_job (department_id, seq, kind, token_id, recipient, event)
  SELECT department_id, seq, %(kind)s, token_id, email, event FROM entry JOIN department USING (department_id)
  WHERE email IS NOT NULL AND (rules->'letters' IS NULL OR jsonb_exists(rules->'letters', %(kind)s))
  ON CONFLICT DO NOTHING
)
SELECT count(*) AS count FROM entry
"""

_BAD = """
INSERT INTO mail_dlq (reason, error, topic, partition, "offset", raw)
VALUES (%(reason)s, %(error)s, %(topic)s, %(partition)s, %(offset)s, %(raw)s) ON CONFLICT DO NOTHING
"""

# The CTE is materialised so that the lock takes exactly the rows that are updated.
_CLAIM = """
WITH picked AS MATERIALIZED (
  SELECT department_id, seq, kind FROM mail_job j
  WHERE (state = 'due' AND due_at <= clock_timestamp() OR state = 'sending' AND lease_until < clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM mail_job e
                    WHERE e.token_id = j.token_id AND e.state IN ('due', 'sending')
                      AND (e.department_id = j.department_id AND e.seq < j.seq
                           -- After a transfer, the seq of another department says nothing about which came first.
                           OR e.department_id <> j.department_id AND e.kind = 'issued'))
    -- Another department's records come by another partition: its 'issued' may not have been taken in yet.
    -- One partition is read in order: a letter of a later entry tells that this one was passed, and made none.
    -- A topic may have lost it, and nothing may come after it, so nobody waits for it for long.
    AND (j.created_at < clock_timestamp() - interval '10 minutes'
         OR NOT EXISTS (SELECT 1 FROM token t JOIN outbox o USING (token_id) JOIN department i
                          ON i.department_id = o.department_id
                        WHERE t.token_id = j.token_id AND t.issued_in <> j.department_id
                          AND o.department_id = t.issued_in AND o.event_type = 'TOKEN_GENERATED'
                          AND (i.rules->'letters' IS NULL OR jsonb_exists(i.rules->'letters', 'issued'))
                          AND NOT EXISTS (SELECT 1 FROM mail_job e
                                          WHERE e.department_id = o.department_id AND e.seq >= o.seq)))
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE mail_job m SET state = 'sending', lease_until = clock_timestamp() + interval '180 seconds',
  lease_owner = %(owner)s, attempts = attempts + 1, ambiguous = ambiguous + (m.state = 'sending')::int
FROM picked p, token t, department d
WHERE (m.department_id, m.seq, m.kind) = (p.department_id, p.seq, p.kind)
  AND t.token_id = m.token_id AND d.department_id = m.department_id
RETURNING m.department_id, m.seq, m.kind, m.token_id, m.recipient, m.event, m.attempts, t.name,
  d.name AS department_name
"""

_SENT = """
UPDATE mail_job SET state = 'sent', sent_at = clock_timestamp(), lease_until = NULL, last_error = NULL
WHERE (department_id, seq, kind) = (%(department_id)s, %(seq)s, %(kind)s)
  AND lease_owner = %(owner)s AND state = 'sending'
"""

_LATER = """
UPDATE mail_job SET state = 'due', due_at = clock_timestamp() + make_interval(secs => %(seconds)s), lease_until = NULL,
  last_error = %(error)s, ambiguous = ambiguous + %(ambiguous)s
WHERE (department_id, seq, kind) = (%(department_id)s, %(seq)s, %(kind)s)
  AND lease_owner = %(owner)s AND state = 'sending'
"""

_DEAD = """
WITH job AS (
  UPDATE mail_job SET state = 'dead', lease_until = NULL, last_error = %(error)s
  WHERE (department_id, seq, kind) = (%(department_id)s, %(seq)s, %(kind)s)
  AND lease_owner = %(owner)s AND state = 'sending'
  RETURNING department_id, seq, kind
)
INSERT INTO mail_dlq (reason, error, department_id, seq, kind)
SELECT 'not sent', %(error)s, department_id, seq, kind FROM job
"""

_UNCOPIED = """
SELECT q.dlq_id, q.reason, q.error,
  coalesce(q.topic || '/' || q.partition || '/' || q."offset",
           q.department_id || '.' || q.seq || '.' || q.kind) AS source,
  coalesce(q.raw, convert_to(j.event::text, 'UTF8')) AS raw
FROM mail_dlq q LEFT JOIN mail_job j USING (department_id, seq, kind)
WHERE NOT q.copied ORDER BY q.dlq_id LIMIT %(limit)s
"""

_LIST = """
SELECT q.dlq_id, q.reason, q.error, q.at, q.state, q.topic, q.partition, q."offset", q.raw,
  q.department_id, q.seq, q.kind, j.token_id
FROM mail_dlq q LEFT JOIN mail_job j USING (department_id, seq, kind)
"""
_OPEN = _LIST + "WHERE q.state = 'open' ORDER BY q.dlq_id"
_ONE = _LIST + "WHERE q.dlq_id = %s"

_CLOSE = """
WITH entry AS (
  UPDATE mail_dlq SET state = %(state)s WHERE dlq_id = %(dlq_id)s AND state = 'open' RETURNING department_id, seq, kind
), job AS (
  UPDATE mail_job m SET state = %(job_state)s, attempts = 0, due_at = clock_timestamp() FROM entry e
  WHERE (m.department_id, m.seq, m.kind) = (e.department_id, e.seq, e.kind) AND m.state = 'dead'
)
SELECT count(*) AS count FROM entry
"""

_COPIED = "UPDATE mail_dlq SET copied = true WHERE dlq_id = ANY(%s)"


class PostgresMailQueue:
    """Primary and dead-letter queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord]) -> int:
        """Keep all in one transaction; answers how many of the jobs' events the log knows."""
        found = 0
        async with self._database.begin() as connection:
            for job in jobs:
                values = {
                    "department_id": job.department_id,
                    "seq": job.seq,
                    "kind": job.kind,
                    "token_id": job.token_id,
                    "raw": job.source.value.decode(),
                }
                (entries,) = await connection.rows(_TAKE_IN, values)
                is_known = entries["count"] > 0
                found += is_known
                if not is_known:
                    await _bury(connection, job.source, "unknown event", "The log has no such event.")
            for record in bad:
                await _bury(connection, record.source, "unreadable", record.error)
            reach("notify.rows_written")
        return found

    async def claim(self, owner: str, limit: int) -> list[Job]:
        """Lease letters that are due."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_CLAIM, {"owner": owner, "limit": limit})
            return sorted((Job(**row) for row in rows), key=lambda job: job.seq)

    async def settle(self, job: Job, attempt: Attempt, owner: str, next_try: float | None) -> None:
        """Note how it ended; a job whose lease another sender took over is left alone."""
        values: dict[str, Any] = {"department_id": job.department_id, "seq": job.seq, "kind": job.kind, "owner": owner}
        statement = _SENT
        if attempt.verdict is not Verdict.SENT:
            values |= {"error": _storable(attempt.error)[:500]}
            statement = _DEAD if next_try is None else _LATER
        if statement is _LATER:
            values |= {"seconds": next_try, "ambiguous": int(attempt.is_ambiguous)}
        async with self._database.begin() as connection:
            await connection.execute(statement, values)

    async def uncopied(self, limit: int) -> list[Copy]:
        """Dead letters whose copy is not in the dead-letter topic yet."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_UNCOPIED, {"limit": limit})
            return [Copy(**{**row, "raw": bytes(row["raw"] or b"")}) for row in rows]

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        """Their copies are there."""
        async with self._database.begin() as connection:
            await connection.execute(_COPIED, [list(dlq_ids)])

    async def dead_letters(self) -> list[DeadLetter]:
        """The open entries, oldest first."""
        async with self._database.begin() as connection:
            return [_dead_letter(row) for row in await connection.rows(_OPEN)]

    async def dead_letter(self, dlq_id: int) -> DeadLetter | None:
        """One entry."""
        async with self._database.begin() as connection:
            row = await connection.row(_ONE, [dlq_id])
            return _dead_letter(row) if row else None

    async def revive(self, dlq_id: int) -> bool:
        """Make a dead letter due again."""
        return await self._close(dlq_id, "retried", "due")

    async def drop(self, dlq_id: int) -> bool:
        """Close an entry for good."""
        return await self._close(dlq_id, "dropped", "dropped")

    async def _close(self, dlq_id: int, state: str, job_state: str) -> bool:
        values = {"dlq_id": dlq_id, "state": state, "job_state": job_state}
        async with self._database.begin() as connection:
            (entries,) = await connection.rows(_CLOSE, values)
            return bool(entries["count"])


def _storable(said: str) -> str:
    """What a mail server said, without what Postgres cannot hold: the end of an attempt must be noted."""
    return said.encode("utf-8", "replace").decode().replace("\0", "?")


async def _bury(connection: Connection, record: RawRecord, reason: str, error: str) -> None:
    values = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "raw": record.value}
    await connection.execute(_BAD, values | {"reason": reason, "error": error})


def _dead_letter(row: Any) -> DeadLetter:
    return DeadLetter(**{**row, "raw": bytes(row["raw"]) if row["raw"] is not None else None})
