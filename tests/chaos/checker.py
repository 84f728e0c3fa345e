"""The checker: whether what clients saw and what the stores contain satisfy every rule.

::

    report = check(tmp_path / "history.jsonl", dsn, redis_url, kafka_bootstrap, smtp_log)
    assert report.red == {}, report

Call it when faults have ended, the relay has caught up, e-mails are settled and each
department was touched once more; in a coroutine by ``await asyncio.to_thread(check, ...)``. What the stores alone can
tell is checked by the library behind ``tokenq verify``, here as of a system at rest: followers must have caught up.
What only clients can tell (N4–N7, S1, S2, S6, and M1–M3 and M6 by the mail server's own record) is checked here.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from tests.chaos.clients import Dump, check_clients
from tests.chaos.history import read
from tests.chaos.mailbox import check_mailbox, read_deliveries
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.invariants.tally import Tally, Violation
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier


@dataclass(frozen=True)
class Report:
    """What was checked and what was wrong, per code; ``unchecked`` says why something was not checked."""

    counts: dict[str, tuple[int, int]]
    """``code: (checked, violations)``."""
    violations: list[Violation]
    unchecked: dict[str, str]

    @property
    def red(self) -> dict[str, int]:
        """The codes that are violated, and how often."""
        return {code: wrong for code, (_, wrong) in self.counts.items() if wrong}

    def __str__(self) -> str:
        lines = [f"{code}: {checked} checked, {wrong} wrong" for code, (checked, wrong) in sorted(self.counts.items())]
        lines += [
            f"{violation.code} {violation.department_id}: {violation.sentence}" for violation in self.violations[:50]
        ]
        return "\n".join(lines + [f"{code} not checked: {why}" for code, why in self.unchecked.items()])


def check(
    history: Path | None,
    dsn: str,
    redis_url: str | None = None,
    kafka_bootstrap: str | None = None,
    smtp_log: Path | None = None,
    *,
    departments: Sequence[str] = (),
    allowed_duplicates: int | None = None,
    doubted: int = 0,
) -> Report:
    """Check everything that the arguments allow; blocks.

    ``smtp_log`` is the fake mail server's record, one JSON line per DATA that ended:
    ``{"messageId": "<…>", "rcpt": ["a@b"], "reply": 250, "cut": false}``; ``cut`` means that the sender never read the
    reply. With it, e-mails must all be settled. ``departments`` narrows the check; ``allowed_duplicates`` is how many
    records may lie in the topic twice (``None``: any number, as long as they are the same). ``doubted`` is how many
    e-mails may have been repeated by what the harness did (:class:`tests.chaos.doubts.Doubts`), besides those it cut.
    """
    where = (dsn, redis_url, kafka_bootstrap, smtp_log)
    tally = asyncio.run(_check(history, *where, departments, allowed_duplicates, doubted))
    counts = {code: (tally.checked[code], tally.found[code]) for code in {*tally.checked, *tally.found}}
    return Report(counts, [violation for kept in tally.violations.values() for violation in kept], tally.unchecked)


async def _check(
    history: Path | None,
    dsn: str,
    redis_url: str | None,
    kafka_bootstrap: str | None,
    smtp_log: Path | None,
    departments: Sequence[str],
    allowed_duplicates: int | None,
    doubted: int,
) -> Tally:
    options = VerifyOptions(at_rest=True, letters_settled=smtp_log is not None, allowed_duplicates=allowed_duplicates)
    lines = RedisLineCopies(redis_url) if redis_url else None
    topic = KafkaReader(KafkaAccess(kafka_bootstrap)) if kafka_bootstrap else None
    try:
        tally = await Verifier(PostgresSnapshots(dsn), lines, topic, options).run(departments)
    finally:
        if lines is not None:
            await lines.close()
    if history is not None:
        check_clients(read(history), await _dump(dsn), tally)
    if smtp_log is not None:
        jobs = await _rows(dsn, "SELECT department_id, seq, kind, token_id, recipient, state, ambiguous FROM mail_job")
        check_mailbox(read_deliveries(smtp_log), jobs, tally, doubted)
    return tally


async def _dump(dsn: str) -> Dump:
    tokens = await _rows(dsn, "SELECT token_id, issued_in, day, number, display, claim_version FROM token")
    kept = await _rows(dsn, "SELECT key, body FROM idempotency WHERE body LIKE '{%'")
    served = await _rows(dsn, "SELECT DISTINCT token_id FROM outbox WHERE event_type = 'TOKEN_SERVED'")
    return Dump(
        {row["token_id"]: row for row in tokens},
        {row["key"]: json.loads(row["body"]) for row in kept},
        frozenset(row["token_id"] for row in served),
    )


async def _rows(dsn: str, statement: LiteralString) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
        return await (await connection.execute(statement)).fetchall()
