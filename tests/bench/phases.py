"""A phase: one kind of request for some seconds, and the CPU time of every program until all that follows is done."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.load import Load, Rate
from tests.bench.processes import cpu_of, difference
from tests.bench.running import Running
from tests.bench.traffic import Script


@dataclass(frozen=True)
class Phase:
    """The rate, CPU seconds by program, and how many events there were."""

    rate: Rate
    cpu: dict[str, float]
    events: int = 0

    def per_request(self, *programs: str) -> float:
        """CPU seconds per request of these programs; of all if none is named."""
        return self._of(programs) / self.rate.requests

    def per_event(self, program: str) -> float:
        """CPU seconds per event of one program."""
        return self._of((program,)) / self.events

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "requests": self.rate.requests,
            "events": self.events,
            "perSecond": round(self.rate.per_second, 1),
            "p50Ms": round(self.rate.p50_ms, 2),
            "p99Ms": round(self.rate.p99_ms, 2),
            "cpuMicroseconds": {name: round(used * 1e6) for name, used in self.cpu.items()},
        }

    def _of(self, programs: Sequence[str]) -> float:
        return sum(used for name, used in self.cpu.items() if not programs or name in programs)


def of_one_process(load: Load, script: Script, pid: int) -> Phase:
    """Count only the process that answers: nothing follows."""
    before = cpu_of(pid)
    rate = send(load, script)
    return Phase(rate, {"api": cpu_of(pid) - before})


def of_everything(running: Running, load: Load, script: Script) -> Phase:
    """Count everything, from before the first request until nothing is left to do."""
    running.rest.finish()
    events, before = running.rest.events(), running.cpu()
    rate = send(load, script)
    running.rest.finish()
    return Phase(rate, difference(before, running.cpu()), running.rest.events() - events)


def send(load: Load, script: Script) -> Rate:
    """Send the requests."""
    return asyncio.run(load.run(script))
