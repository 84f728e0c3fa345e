"""Whole programs: how soon they are there, and what they need while nothing happens."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from urllib.parse import urlsplit

from tests.bench.processes import cpu_of, difference, memory_by_program, memory_of
from tests.bench.report import Part, Row, say
from tests.bench.running import Running, everything_running
from tests.servers import running_broker
from tests.skew.terminal import Terminal, on_terminal
from tests.stack import start, up_folder
from tests.waiting import until
from tokenq.contract.events import TOPIC, Event, EventType, encode
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.names import MAIN_BRANCH
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.embedded import down
from tokenq_server.embedded.broker import TOPICS
from tokenq_server.services.publishing import Entry

_TOKENQ = [sys.executable, "-m", "tokenq"]
_SCREEN = (50, 160)
_COMMANDS = 5
"""Runs of the short command in each round."""
_STARTED_SECONDS = 3.0
"""After that long, what is done once after a start is done."""
_BOARD_DEPARTMENTS = ("A", "B", "C", "D")
_STEPS = (EventType.TOKEN_GENERATED, EventType.TOKEN_CALLED, EventType.TOKEN_SERVED)
_PIECE = 500
"""Events that the relay publishes together."""
_BARE = """
import http.client, json, os, sys
connection = http.client.HTTPConnection(os.environ["BENCH_ADDRESS"], timeout=10)
headers = {"Authorization": "Bearer " + os.environ["TOKENQ_TOKEN"], "Content-Type": "application/json"}
connection.request("POST", "/api/v1/departments/P/tokens", json.dumps({"priority": "normal"}), headers)
answer = connection.getresponse()
token = json.loads(answer.read())
print(token["displayNumber"], token["state"])
sys.exit(answer.status != 201)
"""


def measure(rounds: int, idle_seconds: float, events: int) -> Part:
    """Everything that is no request."""
    rows = _up(rounds)
    with everything_running() as running:
        running.new_department("P")
        rows += _issue_command(running, rounds)
        rows += _at_rest(running, rounds, idle_seconds)
    rows += _replay(events)
    return Part("Whole programs", rows)


def _up(rounds: int) -> list[Row]:
    """From ``up`` to a token, on a new folder and again on the same one."""
    cold: list[float] = []
    warm: list[float] = []
    for number in range(1, rounds + 1):
        say(f"tokenq up, {number} of {rounds}")
        with up_folder() as folder:
            for seconds in (cold, warm):
                began = time.perf_counter()
                stack = start(folder)
                assert stack.ask("PUT", "/api/v1/departments/U", {"name": "Up"})[0] == 200
                assert stack.ask("POST", "/api/v1/departments/U/tokens", {})[0] == 201
                seconds.append(time.perf_counter() - began)
                down(folder)
    return [
        Row("`tokenq up` to the first token, warm, s", warm, "<= 1.5"),
        Row("`tokenq up` to the first token, cold, s", cold, "<= 2.5"),
    ]


@dataclass(frozen=True)
class _Used:
    wall: float
    cpu: float


def _issue_command(running: Running, rounds: int) -> list[Row]:
    """Both programs alternate; a figure is of the medians of a round."""
    address = urlsplit(running.stack.endpoints.api).netloc
    environment = {**os.environ, **running.stack.environment, "BENCH_ADDRESS": address}
    walls: list[float] = []
    cpus: list[float] = []
    for number in range(1, rounds + 1):
        say(f"tokenq issue, {number} of {rounds}")
        ours, bare = [], []
        for _ in range(_COMMANDS):
            bare.append(_run([sys.executable, "-c", _BARE], environment))
            ours.append(_run([*_TOKENQ, "issue", "P"], environment))
        walls.append(median(one.wall for one in ours) / median(one.wall for one in bare))
        cpus.append(median(one.cpu for one in ours) / median(one.cpu for one in bare))
    seen = f"{median(one.wall for one in ours) * 1e3:.0f} ms, CPU {median(one.cpu for one in ours) * 1e3:.0f} ms"
    return [
        Row("`tokenq issue` / bare interpreter doing the same POST, wall", walls, "<= 1.8", seen),
        Row("the same, CPU", cpus),
    ]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> _Used:
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    assert process.returncode == 0, command
    return _Used(time.perf_counter() - began, used.ru_utime + used.ru_stime)


def _at_rest(running: Running, rounds: int, seconds: float) -> list[Row]:
    """With some people waiting, a board and a console, of which nobody presses a key."""
    for _ in range(20):
        assert running.stack.ask("POST", "/api/v1/departments/P/tokens", {})[0] == 201
    environment = {**os.environ, **running.stack.environment}
    paints = [_first_paint(environment) for _ in range(rounds)]
    with ExitStack() as screens:
        board = screens.enter_context(on_terminal([*_TOKENQ, "board", "--quiet"], environment, _SCREEN))
        console = screens.enter_context(on_terminal([*_TOKENQ, "console", "P", "--counter", "1"], environment, _SCREEN))
        _reads(board, "LIVE")
        _reads(console, "LIVE", "P-020")
        running.rest.finish()
        say(f"at rest, for {seconds:.0f} s")
        time.sleep(_STARTED_SECONDS)
        screens_before = {each.process.pid: cpu_of(each.process.pid) for each in (board, console)}
        before = running.cpu()
        time.sleep(seconds)
        used = difference(before, running.cpu())
        board_cpu, console_cpu = (cpu_of(pid) - earlier for pid, earlier in screens_before.items())
        memory = memory_by_program(running.supervisor)
        memory |= {"board": memory_of(board.process.pid), "console": memory_of(console.process.pid)}
        resident = memory_of(board.process.pid, "Rss")
    used |= {"board": board_cpu, "console": console_cpu}
    percent = {name: 100 * each / seconds for name, each in used.items()}
    return [
        Row(
            "all of `up`, a board, a console at rest, % of a core", [sum(percent.values())], "<= 3", _each(percent, "%")
        ),
        Row("the same, memory (sum of PSS), MB", [sum(memory.values())], "<= 400", _each(memory, "MB")),
        Row("board: first paint, s", paints, "<= 0.6", "from its start until a department is on the screen"),
        Row("board: at rest, % of a core", [percent["board"]], "<= 0.5"),
        Row("board: RSS, MB", [resident], "<= 60"),
    ]


def _first_paint(environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    with on_terminal([*_TOKENQ, "board", "--quiet"], environment, _SCREEN) as board:
        _reads(board, "waiting")
        return time.perf_counter() - began


def _replay(events: int) -> list[Row]:
    """A board on a topic with that many events of today, until it shows the last call of each department."""
    with running_broker() as broker:
        bootstrap = broker.server.bootstrap
        last = _publish(bootstrap, events)
        environment = {**os.environ, "TOKENQ_KAFKA_BOOTSTRAP": bootstrap, "TOKENQ_URL": "", "TOKENQ_TOKEN": ""}
        say("the board replays them")
        began = time.perf_counter()
        with on_terminal([*_TOKENQ, "board", "--quiet"], environment, _SCREEN) as board:
            _reads(board, *last)
            took = time.perf_counter() - began
            seen = f"CPU {cpu_of(board.process.pid):.1f} s, RSS {memory_of(board.process.pid, 'Rss'):.0f} MB"
    return [Row(f"board: start with {events} events on the topic, s", [took], "<= 4", seen)]


def _publish(bootstrap: str, events: int) -> list[str]:
    """As the relay does: how a topic was written makes a difference to who reads it. Return the last called numbers."""
    tokens = max(events // len(_BOARD_DEPARTMENTS) // len(_STEPS), 1)
    entries = [entry for number in range(1, tokens + 1) for entry in _entries(number, number == tokens)]

    async def publish() -> None:
        topic = KafkaTopic(KafkaAccess(bootstrap), TOPICS[TOPIC], embedded=True)
        await topic.open()
        for start_of_piece in range(0, len(entries), _PIECE):
            say(f"publishing for the board: {start_of_piece} of {len(entries)} events")
            await topic.publish(entries[start_of_piece : start_of_piece + _PIECE])
        await topic.close()

    asyncio.run(publish())
    return [f"{name}-{tokens:03d}" for name in _BOARD_DEPARTMENTS]


def _entries(number: int, is_last: bool) -> Iterator[Entry]:
    """A token in each department that is issued, called and served; the last ones stay at their counters."""
    now = datetime.now(UTC)
    for place, name in enumerate(_BOARD_DEPARTMENTS, 1):
        for step, kind in enumerate(_STEPS[:2] if is_last else _STEPS, 1):
            event = Event(
                event_type=kind,
                event_id=f"{name}-{number}-{step}",
                seq=len(_STEPS) * (number - 1) + step,
                timestamp=now,
                branch_id=MAIN_BRANCH,
                department_id=name,
                business_day=now.date().isoformat(),
                token_id=number * len(_BOARD_DEPARTMENTS) + place,
                token_no=number,
                display_number=f"{name}-{number:03d}",
                counter_id=None if step == 1 else f"{place}",
            )
            yield Entry(name, event.seq, encode(event).decode())


def _reads(terminal: Terminal, *words: str) -> None:
    """Return when all of these words are on the screen."""
    until(lambda: all(word in terminal.text() for word in words), terminal.text, 120)


def _each(figures: Mapping[str, float], unit: str) -> str:
    digits = 1 if unit == "%" else 0
    return ", ".join(f"{name} {figure:.{digits}f}" for name, figure in figures.items()) + f" {unit}"
