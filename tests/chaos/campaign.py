"""A campaign: the workload on a running system, faults one after the other, recovery, and the checker."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from redis.asyncio import Redis

from tests.chaos.checker import Report, check
from tests.chaos.history import History
from tests.chaos.system import Plan, System, running
from tests.chaos.workload import Workload

Inject = Callable[[System, Workload], Awaitable[None]]

_BREATH_SECONDS = 0.2
_SWEEP_SECONDS = 30.0
_PEACE_SECONDS = 180.0
"""Enough for a memory-only broker that restarts empty, to which the relay republishes everything under full load."""

_PUBLISHED = "SELECT count(*) FROM relay_cursor c JOIN dept_state s USING (department_id) WHERE c.seq < s.last_seq"
_EXPECTED_LETTERS = """
SELECT count(*) FROM outbox o JOIN token t USING (token_id)
WHERE t.email IS NOT NULL
  AND o.event_type IN ('TOKEN_GENERATED', 'TOKEN_CALLED', 'TOKEN_SERVED', 'TOKEN_NO_SHOW', 'TOKEN_TURN_NEAR')
  -- Who is called and served in one step gets the letter about the second alone.
  AND NOT (o.event_type = 'TOKEN_CALLED' AND coalesce(o.payload::jsonb->'data'->'served' = 'true', false))
"""
_LEASES_END = """
UPDATE mail_job SET lease_until = clock_timestamp()
WHERE state = 'sending' AND substring(lease_owner from '[0-9]+$')::int <> ALL(%s) RETURNING 1
"""
_DUE_NOW = "UPDATE mail_job SET due_at = clock_timestamp() WHERE state = 'due'"
_UNSETTLED = "SELECT count(*) FROM mail_job WHERE state IN ('due', 'sending')"


@dataclass(frozen=True)
class Fault:
    """A fault. ``inject`` returns when it is over; recovering is up to the system."""

    name: str
    inject: Inject
    waits_for_relay: bool = False


@dataclass
class Row:
    """The recovery times of a kind of fault."""

    fault: str
    injected: int = 0
    acknowledged: int = 0
    recoveries: list[float] = field(default_factory=list)

    @property
    def recovery(self) -> str:
        """Median and maximum, in seconds."""
        return f"{median(self.recoveries):.2f} / {max(self.recoveries):.2f}" if self.recoveries else "–"


@dataclass
class Result:
    """What a campaign did, and the checker's verdict."""

    name: str
    rows: list[Row]
    report: Report
    events: int
    acknowledged: int
    folder: Path

    @property
    def injected(self) -> int:
        """How many faults there were."""
        return sum(row.injected for row in self.rows)

    @property
    def violations(self) -> int:
        """How many rules were violated, and how often."""
        return sum(self.report.red.values())


@dataclass
class Campaign:
    """A campaign under way: the system, the workload and the rows so far."""

    system: System
    workload: Workload
    rows: list[Row] = field(default_factory=list)

    async def suffer(self, fault: Fault, times: int) -> None:
        """Inject a fault ``times`` times; after each, wait until the system works again."""
        row = Row(fault.name)
        self.rows.append(row)
        before = self.workload.acknowledged.total()
        for _ in range(times):
            await fault.inject(self.system, self.workload)
            row.injected += 1
            over = time.monotonic()
            took = await self.workload.recovered(over)
            row.recoveries.append(await self._published(over) if fault.waits_for_relay else took)
            await asyncio.sleep(_BREATH_SECONDS)
        row.acknowledged = self.workload.acknowledged.total() - before

    async def _published(self, since: float) -> float:
        """Seconds until the topic has everything that is committed now."""
        heads = dict(await self.system.query("SELECT department_id, last_seq FROM dept_state"))
        while True:
            cursors = dict(await self.system.query("SELECT department_id, seq FROM relay_cursor"))
            if all(int(str(cursors.get(name, 0))) >= int(str(seq)) for name, seq in heads.items()):
                return time.monotonic() - since
            assert time.monotonic() < since + _PEACE_SECONDS, "the relay does not catch up"
            await asyncio.sleep(0.02)

    async def peace(self) -> None:
        """No more faults: followers catch up, e-mails are settled, each department gets one more command."""
        for name in list(self.system.failpoints):
            self.system.failpoints[name] = ""
            self.system.restart(name)
        await asyncio.sleep(_BREATH_SECONDS)
        await self.system.all_ready()
        await self.workload.touch()
        await self._lines_catch_up()
        await self._until(_PUBLISHED, lambda count: count == 0, "the topic has everything")
        # Leases and pauses last minutes; end those of dead senders at once.
        for part in self.system.named("notify"):
            self.system.restart(part.name)
        await self.system.all_ready()
        await self._until(
            f"SELECT ({_EXPECTED_LETTERS}) - (SELECT count(*) FROM mail_job)",
            lambda count: count <= 0,
            "letters are kept",
        )
        alive = [part.pid for part in self.system.named("notify")]
        await self.system.query(_LEASES_END, alive)
        await self._until(_UNSETTLED, lambda count: count == 0, "letters are settled")

    async def _lines_catch_up(self) -> None:
        """A queue in Redis that was unavailable when its department was touched catches up at the next sweep."""
        deadline = time.monotonic() + _SWEEP_SECONDS
        heads = await self.system.query("SELECT department_id, last_seq FROM dept_state")
        async with Redis.from_url(self.system.valkey.url, decode_responses=True) as redis:
            for name, seq in heads:
                while await redis.hget(f"tq:{{{name}}}:meta", "seq") != str(seq) and time.monotonic() < deadline:
                    await asyncio.sleep(0.1)

    async def _until(self, statement: str, holds: Callable[[int], bool], what: str) -> None:
        """Wait for it; if it does not happen, report that and continue: the checker names what is missing."""
        deadline = time.monotonic() + _PEACE_SECONDS
        while not holds(int(str((await self.system.query(statement))[0][0]))):
            if time.monotonic() > deadline:
                print(f"not within {_PEACE_SECONDS:.0f} s: {what}; see {self.system.folder}", flush=True)
                return
            await self.system.query(_DUE_NOW + " RETURNING 1")
            await asyncio.sleep(0.2)


async def carry_out(
    name: str, plan: Plan, script: Callable[[Campaign], Awaitable[None]], *, mail_share: float = 0.02
) -> Result:
    """Run a script of faults against a system of that plan, then check it."""
    async with running(plan) as system:
        with History(system.folder / "history.jsonl") as history:
            workload = Workload(system.apis, system.admin_token, history, mail_share)
            await asyncio.to_thread(workload.open_departments)
            campaign = Campaign(system, workload)
            try:
                async with workload.running():
                    await workload.recovered(time.monotonic())
                    await script(campaign)
                await campaign.peace()
            finally:
                workload.close()
        report = await asyncio.to_thread(
            check,
            history.path,
            system.postgres.url,
            system.valkey.url,
            system.broker.bootstrap,
            system.folder / "smtp.jsonl",
            doubted=system.doubts.letters,
        )
        ((events,),) = await system.query("SELECT count(*) FROM outbox")
        return Result(name, campaign.rows, report, int(str(events)), workload.acknowledged.total(), system.folder)


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| campaign | fault | injected | acknowledged | recovery p50 / max, s |",
        "|---|---|---:|---:|---:|",
    ]
    for result in results:
        lines += [
            f"| {result.name} | {row.fault} | {row.injected} | {row.acknowledged} | {row.recovery} |"
            for row in result.rows
        ]
        said = f"all: {result.events} events, **{result.violations} violations**"
        lines.append(f"| **{result.name}** | {said} | {result.injected} | {result.acknowledged} | |")
    return "\n".join(lines)
