"""CPU time and memory of everything that a supervisor has started, by program."""

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("api", "postgres", "valkey", "relay", "notify", "broker", "supervisor")
"""What ``tokenq up`` consists of."""

_TICKS = os.sysconf("SC_CLK_TCK")
_MARKS = {"postgres": "postgres", "valkey": "valkey", "tansu": "broker"}
"""What the names of foreign executables begin with."""
_OWN = re.compile(r"-m (?:tests\.bench|tokenq_server)\S* ?(\w*)")


@dataclass(frozen=True)
class Process:
    """One living process. ``reaped`` are the CPU seconds of its children that have ended."""

    pid: int
    parent: int
    reaped: float

    def cpu(self) -> float:
        """CPU seconds of its own and of its ended children.

        The kernel's clock of the process is what /proc shows as utime and stime, before that is rounded to ten
        milliseconds.
        """
        return time.clock_gettime((~self.pid << 3) | 2) + self.reaped


def cpu_of(pid: int) -> float:
    """CPU seconds of one process with all below it; 0 if it has ended."""
    process = _process(pid)
    return _cpu_below(process, _children()) if process else 0.0


def cpu_by_program(supervisor: int) -> dict[str, float]:
    """CPU seconds of each program since its start; the supervisor counts without its children."""
    children = _children()
    used: dict[str, float] = defaultdict(float)
    if process := _process(supervisor):
        used["supervisor"] = process.cpu()
    for child in children.get(supervisor, ()):
        used[_program(child.pid)] += _cpu_below(child, children)
    return used


def memory_by_program(supervisor: int) -> dict[str, float]:
    """Megabytes of each program: proportional set size, in which shared pages count once altogether."""
    children = _children()
    used: dict[str, float] = {"supervisor": memory_of(supervisor)}
    for child in children.get(supervisor, ()):
        name = _program(child.pid)
        used[name] = used.get(name, 0.0) + sum(memory_of(pid) for pid in _below(child.pid, children))
    return used


def memory_of(pid: int, kind: str = "Pss") -> float:
    """Megabytes of one process; ``kind`` may also be ``Rss``. 0 if it has ended."""
    with suppress(OSError, AttributeError):
        found = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) / 1024
    return 0.0


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used in between, by program."""
    return {name: used - before.get(name, 0.0) for name, used in after.items()}


def _cpu_below(process: Process, children: Mapping[int, list[Process]]) -> float:
    used = sum(_cpu_below(child, children) for child in children.get(process.pid, ()))
    with suppress(OSError):  # it has ended meanwhile, and counts with its parent from now on
        used += process.cpu()
    return used


def _below(pid: int, children: Mapping[int, list[Process]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _below(child.pid, children)


def _children() -> dict[int, list[Process]]:
    found: dict[int, list[Process]] = defaultdict(list)
    for process in _living():
        found[process.parent].append(process)
    return found


def _living() -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (process := _process(int(entry.name))):
            yield process


def _process(pid: int) -> Process | None:
    """See proc(5); the name, in brackets, may contain anything."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return Process(pid, int(fields[1]), (int(fields[13]) + int(fields[14])) / _TICKS)
    return None


def _program(pid: int) -> str:
    """The name of a program that the supervisor has started."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        executable = Path(words.partition(" ")[0]).name
        for mark, name in _MARKS.items():
            if executable.startswith(mark):
                return name
        if found := _OWN.search(words):
            return found[1] or "other"
    return "other"
