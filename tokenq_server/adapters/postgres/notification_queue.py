"""The primary queue and the dead-letter queue of notifications, in Postgres."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tokenq.contract.audit import AuditKind
from tokenq.contract.events import MAX_EVENT_BYTES
from tokenq.contract.problems import ProblemCode
from tokenq_server.adapters.postgres import notification_statements as sql
from tokenq_server.adapters.postgres.audit import append_or_count
from tokenq_server.adapters.postgres.connection import BY_INDEX, SHORT, Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.failpoints import reach
from tokenq_server.json_text import json_text
from tokenq_server.services.audit import UNKNOWN, AuditEvent, Origin, log_event
from tokenq_server.services.notifications import (
    BadRecord,
    Channels,
    ClaimedJobs,
    Copy,
    DeadLetter,
    Holder,
    Job,
    NewJob,
    RawRecord,
    Settlement,
    Verdict,
)

SESSION = f"{SHORT}; {BY_INDEX}; SET enable_sort = off"
"""For the connections of a queue: what is due is found in the order of an index, and no more of it than is claimed."""
_WHY_DEAD = {Verdict.SUPPRESSED: "expired(rate)"}


class PostgresNotificationQueue:
    """The primary queue and the dead-letter queue."""

    def __init__(self, database: Database, most_records: int) -> None:
        """``most_records``: how many records of the topic are kept as dead letters; older ones are only counted."""
        self._database, self._most_records = database, most_records

    async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
        """Store everything in one transaction; return how many of the jobs' events are in the log."""
        async with self._database.begin() as connection:
            in_log = await _jobs_in_log(connection, jobs) if jobs else {}
            rows = [
                row
                for position, (is_switched_on, holder) in in_log.items()
                if is_switched_on
                for row in _rows(jobs[position], holder, channels)
            ]
            if rows:
                await connection.execute(sql.ENQUEUE, {"rows": json_text(rows)})
            unknown = await _without_deleted(connection, [job for at, job in enumerate(jobs) if at not in in_log])
            for job in unknown:
                await _insert_dead_letter(connection, job.source, "unknown event", "The log has no such event.")
            events = await _audit_unknown(connection, unknown)
            for record in bad:
                await _insert_dead_letter(connection, record.source, "unreadable", record.error)
            if bad or unknown:
                await connection.execute(sql.LIMIT_RECORDS, {"most": self._most_records})
            reach("notify.rows_written")
        for event, count in events.items():
            log_event(event, count)
        return len(in_log)

    async def claim(self, owner: str, limit: int, channels: Channels) -> ClaimedJobs:
        """Lease notifications that are due in these channels, and settle those that are overtaken."""
        async with self._database.begin() as connection:
            values = {"owner": owner, "limit": limit, "channels": [channel.name for channel in channels]}
            rows = sorted(await connection.rows(sql.CLAIM, values), key=lambda row: row["seq"])
        claimed = ClaimedJobs([], [])
        for row in rows:
            jobs = claimed.overtaken if row.pop("is_overtaken") else claimed.to_send
            jobs.append(Job(**row))
        return claimed

    async def settle(self, settlements: Sequence[Settlement], owner: str) -> None:
        """Store the results; a job whose lease another sender took over is left unchanged."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for each in settlements:
            statement = sql.SENT if each.attempt.verdict is Verdict.SENT else sql.RETRY
            if statement is sql.RETRY and each.next_try is None:
                statement = sql.DEAD
            groups.setdefault(statement, []).append(_key(each.job) | _result(each))
        async with self._database.begin() as connection:
            for statement, rows in groups.items():
                await connection.execute(statement, {"rows": json_text(rows), "owner": owner})

    async def give_back(self, jobs: Sequence[Job], owner: str) -> None:
        """Make jobs due again that were claimed and not tried."""
        async with self._database.begin() as connection:
            rows = json_text([_key(job) for job in jobs])
            await connection.execute(sql.GIVE_BACK, {"rows": rows, "owner": owner})

    async def uncopied(self, limit: int) -> list[Copy]:
        """Return dead letters that have not been copied to the dead-letter topic."""
        async with self._database.begin() as connection:
            rows = await connection.rows(sql.UNCOPIED, {"limit": limit})
            return [Copy(**{**row, "raw": bytes(row["raw"] or b"")}) for row in rows]

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        """Mark dead letters as copied."""
        async with self._database.begin() as connection:
            await connection.execute(sql.MARK_COPIED, {"ids": list(dlq_ids)})

    async def dead_letters(self) -> list[DeadLetter]:
        """Return the open entries, oldest first."""
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


def _key(job: Job) -> dict[str, Any]:
    return {"department_id": job.department_id, "seq": job.seq, "kind": job.kind, "channel": job.channel}


def _result(settlement: Settlement) -> dict[str, Any]:
    attempt = settlement.attempt
    return {
        "error": _storable(attempt.error)[:500],
        "reason": _WHY_DEAD.get(attempt.verdict, "not sent"),
        "seconds": settlement.next_try,
        "uncertain": int(attempt.is_ambiguous),
    }


def _storable(text: str) -> str:
    """Remove what Postgres cannot store from a mail server's message."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


async def _jobs_in_log(connection: Connection, jobs: Sequence[NewJob]) -> dict[int, tuple[bool, Holder]]:
    """Return, by job position and only for events in the log, whether it is enabled, and the token's holder."""
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
    rows = await connection.rows(sql.KNOWN, {"records": json_text(records)})
    return {row.pop("position"): (row.pop("is_switched_on"), Holder(**row)) for row in rows}


async def _without_deleted(connection: Connection, jobs: Sequence[NewJob]) -> list[NewJob]:
    """Leave out the jobs whose entries are deleted from the log as too old."""
    if not jobs:
        return []
    records = [
        {"position": position, "department_id": job.department_id, "seq": job.seq} for position, job in enumerate(jobs)
    ]
    deleted = {row["position"] for row in await connection.rows(sql.DELETED, {"records": json_text(records)})}
    return [job for position, job in enumerate(jobs) if position not in deleted]


def _rows(job: NewJob, holder: Holder, channels: Channels) -> Iterable[dict[str, Any]]:
    """Return a row of the queue for each channel that reaches the holder."""
    for channel in channels:
        if (recipient := channel.recipient(holder)) is not None:
            yield {
                "department_id": job.department_id,
                "seq": job.seq,
                "kind": job.kind,
                "channel": channel.name,
                "recipient": recipient,
            }


async def _audit_unknown(connection: Connection, jobs: Sequence[NewJob]) -> dict[AuditEvent, int]:
    """Audit records that are not in the log, once a minute for each department; return what is to be logged.

    These are new events, and those whose count has one more digit, with their counts.

    A department that does not exist is not named: of made-up ones there is no end.
    """
    if not jobs:
        return {}
    named = {job.department_id for job in jobs}
    known = {row["department_id"] for row in await connection.rows(sql.KNOWN_DEPARTMENTS, {"ids": list(named)})}
    counts = Counter(f"department:{job.department_id}" if job.department_id in known else UNKNOWN for job in jobs)
    events = {
        AuditEvent(AuditKind.RECORD_UNKNOWN, Origin(), target, ProblemCode.INVALID): count
        for target, count in sorted(counts.items())
    }
    totals = {event: await append_or_count(connection, event, count) for event, count in events.items()}
    return {
        event: total
        for event, total in totals.items()
        if total == events[event] or len(str(total)) > len(str(total - events[event]))
    }


async def _insert_dead_letter(connection: Connection, record: RawRecord, reason: str, error: str) -> None:
    raw = record.value[:MAX_EVENT_BYTES]  # a longer one can never be an event
    values = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "raw": raw}
    await connection.execute(sql.BAD, values | {"reason": reason, "error": error})


def _dead_letter(row: Any) -> DeadLetter:
    return DeadLetter(**{**row, "raw": bytes(row["raw"]) if row["raw"] is not None else None})
