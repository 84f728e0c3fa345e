"""What becomes of costs as a place grows: with many waiting and a long past, beside a hundred waiting and no past."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.bench.filling import Sizes, fill
from tests.bench.load import Load
from tests.bench.phases import of_everything
from tests.bench.processes import cpu_of, difference
from tests.bench.report import Part, Row, say
from tests.bench.running import Running, everything_running
from tests.bench.traffic import Script, calls_and_serves, issues
from tests.skew.terminal import on_terminal
from tests.waiting import until

_SMALL, _LARGE = "SMALL", "LARGE"
_FEW = 100
_READERS = 8
_PATIENCE = 120.0
"""Seconds: a report of 100,000 tokens takes some, and what it costs is measured, not how long it takes."""
_TOKENQ = [sys.executable, "-m", "tokenq"]
_SCREEN = (50, 160)


@dataclass(frozen=True)
class Figure:
    """CPU seconds of everything for one of it, each time it was measured; and of how many things it consists."""

    seconds: Sequence[float]
    size: int = 1


def measure(sizes: Sizes, rounds: int, seconds: float) -> Part:
    """Measure a small place, fill it, and measure again."""
    with everything_running() as running:
        running.new_department(_SMALL)
        for _ in range(_FEW):
            assert running.stack.ask("POST", f"/api/v1/departments/{_SMALL}/tokens", {"name": "Ada Byron"})[0] == 201
        small = _figures(running, _SMALL, rounds, seconds)
        say(f"filling: {sizes}")
        fill(running, _LARGE, sizes)
        running.restart()
        _run(running, "server", "rebuild")
        say("publishing today's events on the new topic")
        running.rest.finish()
        large = _figures(running, _LARGE, rounds, seconds)
    title = f"Growth: {sizes.waiting} waiting and {sizes.day} served today in one of {sizes.departments} departments"
    rows = [_row(what, large[what], small[what]) for what in small]
    return Part(f"{title}, {sizes.in_each * sizes.departments} tokens of earlier days, beside {_FEW} waiting", rows)


def _row(what: str, large: Figure, small: Figure) -> Row:
    """Where both consist of a different number of things, one of these is compared."""
    before = sum(small.seconds) / len(small.seconds) / small.size
    ratios = [seconds / large.size / before for seconds in large.seconds]
    seen = f"{_time(large.seconds[-1])} beside {_time(small.seconds[-1])}"
    return Row(what, ratios, "<= 1.1", seen)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms"


def _figures(running: Running, department: str, rounds: int, seconds: float) -> dict[str, Figure]:
    path = f"/api/v1/departments/{department}"
    load = Load(running.stack.endpoints.api, running.stack.token, seconds=seconds)
    readers = replace(load, connections=_READERS)
    _, queue = running.stack.ask("GET", f"{path}/queue?limit=1000")
    last = queue["waiting"][-1]["tokenId"]

    def requests(what: str, one: Load, script: Script) -> Figure:
        say(f"{department}: {what}")
        return Figure([of_everything(running, one, script).per_request() for _ in range(rounds)])

    def reading(what: str, where: str) -> Figure:
        return requests(what, readers, lambda connection: lambda answer: load.get(where))

    found = {
        "issue": requests("issue", load, issues(load, department)),
        "call or serve": requests("call or serve", replace(load, group=2), calls_and_serves(load, department)),
        "queue view": reading("queue view", f"{path}/queue"),
        "why": reading("why", f"/api/v1/tokens/{last}/why"),
        "a token with its estimate": reading("a token with its estimate", f"/api/v1/tokens/{last}"),
        "start of a board that asks the server": _board_start(running, department, rounds, "--server"),
        "start of a board that reads Kafka, per event of today": _board_start(running, department, rounds),
    }
    _, report = running.stack.ask("GET", f"{path}/report", timeout=_PATIENCE)
    found["report of the day, per token"] = Figure(
        [_used(running, lambda: _get(running, f"{path}/report")) for _ in range(rounds)], report["issued"]
    )
    running.rest.finish()
    say(f"{department}: verify")
    found["verify, per entry"] = Figure([_used(running, lambda: _run(running, "verify"))], running.rest.kept_events())
    return found


def _board_start(running: Running, department: str, rounds: int, *options: str) -> Figure:
    """Until it is up to date."""
    environment = {**os.environ, **running.stack.environment}
    if options:
        del environment["TOKENQ_KAFKA_BOOTSTRAP"]

    def once() -> float:
        with on_terminal([*_TOKENQ, "board", department, "--quiet", *options], environment, _SCREEN) as board:
            until(lambda: "LIVE" in board.text(), board.text, 120)
            return cpu_of(board.process.pid)

    say(f"{department}: start of a board {' '.join(options)}")
    seconds = [_used(running, once) for _ in range(rounds)]
    return Figure(seconds) if options else Figure(seconds, running.rest.events_of_today())


def _get(running: Running, path: str) -> float:
    assert running.stack.ask("GET", path, timeout=_PATIENCE)[0] == 200
    return 0.0


def _run(running: Running, *words: str) -> float:
    """Run a command of tokenq; return its CPU seconds."""
    before = os.times()
    environment = {**os.environ, **running.stack.environment}
    done = subprocess.run([*_TOKENQ, *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _used(running: Running, work: Callable[[], float]) -> float:
    """CPU seconds of everything that runs while it works, and of what the work returns."""
    before = running.cpu()
    own = work()
    return own + sum(difference(before, running.cpu()).values())
