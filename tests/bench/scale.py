"""Several API processes on the same stores: what is shared, and what each of them adds.

On a machine whose cores are all busy with one process, the rates do not grow; what a number costs shows what would.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from tests.bench import bare
from tests.bench.load import Load
from tests.bench.phases import of_one_process
from tests.bench.processes import cpu_of, difference
from tests.bench.report import Part, Row, say
from tests.bench.running import Running, api_with_empty_route, bare_application, everything_running
from tests.bench.traffic import issues, same

_PROCESSES = (1, 2, 4)
_CONNECTIONS = 64


@dataclass(frozen=True)
class Seen:
    """Numbers a second by all processes together, and CPU seconds per number of the APIs and of PostgreSQL."""

    per_second: float
    api: float
    postgres: float


def measure(rounds: int, seconds: float) -> Part:
    """Issue from 1, 2 and 4 processes: each in a department of its own, and all of them in one."""
    found: dict[str, list[Seen]] = {}
    units: list[float] = []
    with everything_running() as running, bare_application() as (bare_url, bare_pid), ExitStack() as started:
        load = Load(running.stack.endpoints.api, running.stack.token, _CONNECTIONS, seconds)
        apis = [started.enter_context(api_with_empty_route(running.stack)) for _ in range(max(_PROCESSES))]
        for number in range(len(apis)):
            running.new_department(f"SC{chr(ord('A') + number)}")
        for number in range(1, rounds + 1):
            bare_load = replace(load, url=bare_url)
            units.append(of_one_process(bare_load, same(bare_load, bare.PATH), bare_pid).per_request())
            for count in _PROCESSES:
                for where, departments in (("a department each", "ABCD"), ("one department", "AAAA")):
                    say(f"round {number} of {rounds}: {count} processes, {where}")
                    seen = _together(running, load, apis[:count], departments)
                    found.setdefault(f"{count} API processes, {where}", []).append(seen)
    rows = []
    for what, seen_in in found.items():
        rows.append(Row(f"{what}: numbers a second", [seen.per_second for seen in seen_in]))
        rows.append(Row("  API, per number", [seen.api / unit for seen, unit in zip(seen_in, units, strict=True)]))
        rows.append(Row("  PostgreSQL", [seen.postgres / unit for seen, unit in zip(seen_in, units, strict=True)]))
    return Part(f"Several API processes, in empty POSTs of a bare FastAPI application, {rounds} rounds", rows)


def _together(running: Running, load: Load, apis: Sequence[tuple[str, int]], departments: str) -> Seen:
    running.rest.finish()
    before, api_before = running.cpu(), sum(cpu_of(pid) for _, pid in apis)
    share = replace(load, connections=load.connections // len(apis))

    async def send_all() -> list[tuple[int, float]]:
        loads = [replace(share, url=url) for url, _ in apis]
        runs = (one.run(issues(one, f"SC{name}")) for one, name in zip(loads, departments, strict=False))
        return [(rate.requests, rate.per_second) for rate in await asyncio.gather(*runs)]

    sent = asyncio.run(send_all())
    numbers = sum(requests for requests, _ in sent)
    api = sum(cpu_of(pid) for _, pid in apis) - api_before
    running.rest.finish()
    postgres = difference(before, running.cpu())["postgres"]
    return Seen(sum(rate for _, rate in sent), api / numbers, postgres / numbers)
