"""Named crash points: each program is armed with one after the other and dies there, again and again."""

import asyncio
import json
import time
from collections.abc import Sequence

from tests.chaos.campaign import Campaign, Row
from tests.chaos.system import System
from tokenq_server.failpoints import STEPS

_CHANCES = {"api": 0.03, "relay": 0.05, "notify": 0.2}
_CERTAIN = {"relay.took_over", "relay.read_back"}
"""Passed once in a life: only a sure death is a death there."""
_LONGEST_SECONDS = 3600.0

POINTS: dict[str, list[str]] = {
    "api": [f"{way}.{step}" for way in ("issue", "call") for step in STEPS[way]],
    "relay": [f"relay.{step}" for step in STEPS["relay"]],
    "notify": [f"notify.{step}" for step in STEPS["notify"]],
}


async def crash_at_every_point(campaign: Campaign, times: int) -> None:
    """Every point of every program so many times; the three kinds of program at once."""
    await asyncio.gather(*(_through(campaign, kind, points, times) for kind, points in POINTS.items()))


async def _through(campaign: Campaign, kind: str, points: Sequence[str], times: int) -> None:
    system, name = campaign.system, f"{kind}0"
    for point in points:
        row = Row(point)
        campaign.rows.append(row)
        before = campaign.crowd.acknowledged.total()
        chance = 1.0 if point in _CERTAIN else _CHANCES[kind]
        system.failpoints[name] = f"{point}=kill:{chance}"
        system.restart(name)
        deaths = Deaths(system, name, point)
        give_up = time.monotonic() + _LONGEST_SECONDS
        while row.injected < times:
            assert time.monotonic() < give_up, f"{point} is not reached; see {system.folder}"
            await asyncio.sleep(0.01)
            for _ in range(deaths.new()):
                row.injected += 1
                if kind == "api":
                    row.recoveries.append(await campaign.crowd.recovered(time.monotonic()))
        row.acknowledged = campaign.crowd.acknowledged.total() - before
    system.failpoints[name] = ""
    system.restart(name)


class Deaths:
    """Counts the deaths at one point, as a program's log tells them."""

    def __init__(self, system: System, name: str, point: str) -> None:
        self._log, self._point = system.folder / f"{name}.log", point
        self._read = self._log.stat().st_size if self._log.exists() else 0

    def new(self) -> int:
        """How many there were since the last look."""
        if not self._log.exists():
            return 0
        with self._log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh.rfind(b"\n") + 1
        self._read += whole
        lines = [line for line in fresh[:whole].splitlines() if b'"failpoint"' in line]
        return sum(json.loads(line)["point"] == self._point for line in lines)
