"""The primary queue and the dead-letter queue of notifications, in Postgres."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tokenq_server.adapters.postgres import notification_statements as sql
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.failpoints import reach
from tokenq_server.services.notifications import (
    Attempt,
    BadRecord,
    Channels,
    Copy,
    DeadLetter,
    Holder,
    Job,
    NewJob,
    RawRecord,
    Verdict,
)


class PostgresNotificationQueue:
    """Primary and dead-letter queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
        """Keep all in one transaction; answers how many of the jobs' events the log knows."""
        async with self._database.begin() as connection:
            known = await _known(connection, jobs) if jobs else {}
            rows = [
                row
                for position, (is_switched_on, holder) in known.items()
                if is_switched_on
                for row in _rows(jobs[position], holder, channels)
            ]
            if rows:
                await connection.execute(sql.ENQUEUE, {"rows": json.dumps(rows)})
            for position, job in enumerate(jobs):
                if position not in known:
                    await _bury(connection, job.source, "unknown event", "The log has no such event.")
            for record in bad:
                await _bury(connection, record.source, "unreadable", record.error)
            reach("notify.rows_written")
        return len(known)

    async def claim(self, owner: str, limit: int, channels: Channels) -> list[Job]:
        """Lease letters that are due in these channels."""
        async with self._database.begin() as connection:
            values = {"owner": owner, "limit": limit, "channels": [channel.name for channel in channels]}
            return sorted((Job(**row) for row in await connection.rows(sql.CLAIM, values)), key=lambda job: job.seq)

    async def settle(self, job: Job, attempt: Attempt, owner: str, next_try: float | None) -> None:
        """Note how it ended; a job whose lease another sender took over is left alone."""
        values: dict[str, Any] = {
            "department_id": job.department_id,
            "seq": job.seq,
            "kind": job.kind,
            "channel": job.channel,
            "owner": owner,
        }
        statement = sql.SENT
        if attempt.verdict is not Verdict.SENT:
            values |= {"error": _storable(attempt.error)[:500]}
            statement = sql.DEAD if next_try is None else sql.RETRY
        if statement is sql.RETRY:
            values |= {"seconds": next_try, "ambiguous": int(attempt.is_ambiguous)}
        async with self._database.begin() as connection:
            await connection.execute(statement, values)

    async def uncopied(self, limit: int) -> list[Copy]:
        """Dead letters whose copy is not in the dead-letter topic yet."""
        async with self._database.begin() as connection:
            rows = await connection.rows(sql.UNCOPIED, {"limit": limit})
            return [Copy(**{**row, "raw": bytes(row["raw"] or b"")}) for row in rows]

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        """Their copies are there."""
        async with self._database.begin() as connection:
            await connection.execute(sql.MARK_COPIED, {"ids": list(dlq_ids)})

    async def dead_letters(self) -> list[DeadLetter]:
        """The open entries, oldest first."""
        async with self._database.begin() as connection:
            return [_dead_letter(row) for row in await connection.rows(sql.OPEN)]

    async def dead_letter(self, dlq_id: int) -> DeadLetter | None:
        """One entry."""
        async with self._database.begin() as connection:
            row = await connection.row(sql.ONE, {"dlq_id": dlq_id})
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
            (entries,) = await connection.rows(sql.CLOSE, values)
            return bool(entries["count"])


def _storable(said: str) -> str:
    """What a mail server said, without what Postgres cannot hold: the end of an attempt must be noted."""
    return said.encode("utf-8", "replace").decode().replace("\0", "?")


async def _known(connection: Connection, jobs: Sequence[NewJob]) -> dict[int, tuple[bool, Holder]]:
    """Of the jobs whose event the log knows, by position: whether such letters are sent, and who holds the token."""
    records = [
        {
            "position": position,
            "department_id": job.department_id,
            "seq": job.seq,
            "token_id": job.token_id,
            "kind": job.kind,
            "raw": job.source.value.decode(),
        }
        for position, job in enumerate(jobs)
    ]
    found = await connection.rows(sql.KNOWN, {"records": json.dumps(records)})
    return {row.pop("position"): (row.pop("is_switched_on"), Holder(**row)) for row in found}


def _rows(job: NewJob, holder: Holder, channels: Channels) -> Iterable[dict[str, Any]]:
    """A row of the queue for each channel that reaches the holder."""
    for channel in channels:
        if (recipient := channel.recipient(holder)) is not None:
            yield {
                "department_id": job.department_id,
                "seq": job.seq,
                "kind": job.kind,
                "channel": channel.name,
                "recipient": recipient,
            }


async def _bury(connection: Connection, record: RawRecord, reason: str, error: str) -> None:
    values = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "raw": record.value}
    await connection.execute(sql.BAD, values | {"reason": reason, "error": error})


def _dead_letter(row: Any) -> DeadLetter:
    return DeadLetter(**{**row, "raw": bytes(row["raw"]) if row["raw"] is not None else None})
