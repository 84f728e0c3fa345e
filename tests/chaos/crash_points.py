"""Named crash points: each program is armed with one after the other and crashes there."""

import asyncio
import json
import time
from collections.abc import Sequence

from tests.chaos.campaign import Campaign, Row
from tests.chaos.system import System
from tokenq_server.failpoints import STEPS

_CHANCES = {"api": 0.1, "relay": 0.1, "notify": 0.2}
_CERTAIN = {"relay.took_over", "relay.read_back"}
"""Reached once per process: they crash it with certainty."""
_LONGEST_SECONDS = 3600.0

POINTS: dict[str, list[str]] = {
    "api": [f"{way}.{step}" for way in ("issue", "call") for step in STEPS[way]],
    "relay": [f"relay.{step}" for step in STEPS["relay"]],
    "notify": [f"notify.{step}" for step in STEPS["notify"]],
}


async def crash_at_every_point(campaign: Campaign, times: int) -> None:
    """Each point of each program ``times`` times; the three kinds of program at once."""
    await asyncio.gather(*(_through(campaign, kind, points, times) for kind, points in POINTS.items()))


async def _through(campaign: Campaign, kind: str, points: Sequence[str], times: int) -> None:
    """The last crash at a point arms the next one, which the following start takes up."""
    system, name = campaign.system, f"{kind}0"
    _arm(system, kind, points[0])
    system.restart(name)
    for point, following in zip(points, [*points[1:], ""], strict=True):
        row = Row(point)
        campaign.rows.append(row)
        before = campaign.workload.acknowledged.total()
        deaths = Deaths(system, name, point)
        give_up = time.monotonic() + _LONGEST_SECONDS
        while row.injected < times:
            assert time.monotonic() < give_up, f"{point} is not reached; see {system.folder}"
            await asyncio.sleep(0.01)
            for _ in range(deaths.new()):
                row.injected += 1
                if row.injected == times:
                    _arm(system, kind, following)
                if kind == "api":
                    row.recoveries.append(await campaign.workload.recovered(time.monotonic()))
        row.acknowledged = campaign.workload.acknowledged.total() - before


def _arm(system: System, kind: str, point: str) -> None:
    chance = 1.0 if point in _CERTAIN else _CHANCES[kind]
    system.failpoints[f"{kind}0"] = f"{point}=kill:{chance}" if point else ""


class Deaths:
    """Counts the crashes at one point, from the program's log."""

    def __init__(self, system: System, name: str, point: str) -> None:
        self._log, self._point = system.folder / f"{name}.log", point
        self._read = 0  # from the start of the file: a crash may precede this

    def new(self) -> int:
        """Return the number of crashes not yet counted."""
        if not self._log.exists():
            return 0
        with self._log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh.rfind(b"\n") + 1
        self._read += whole
        lines = [line for line in fresh[:whole].splitlines() if b'"failpoint"' in line]
        return sum(json.loads(line)["point"] == self._point for line in lines)
