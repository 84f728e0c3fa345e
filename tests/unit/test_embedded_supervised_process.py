"""One supervised process, on real small programs: backoff, needs, and ends."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import until
from tokenq_server.embedded.processes import Command
from tokenq_server.embedded.reports import Progress
from tokenq_server.embedded.supervised_process import SupervisedProcess

MakePart = Callable[..., SupervisedProcess]


@pytest.fixture
def told() -> list[Progress]:
    """What the parts report."""
    return []


@pytest.fixture
def make(tmp_path: Path, told: list[Progress]) -> MakePart:
    def make_part(program: str, **more: object) -> SupervisedProcess:
        command = Command([sys.executable, "-c", program], tmp_path / "part.log", signal.SIGKILL)
        arguments = {"is_ready": lambda: True, **more}
        return SupervisedProcess("part", "The part", lambda: command, report=told.append, **arguments)  # type: ignore[arg-type]

    return make_part


def tend_until(part: SupervisedProcess, holds: Callable[[], bool]) -> None:
    def tend_once() -> bool:
        part.tend()
        return holds()

    until(tend_once)


def test_a_program_that_ends_at_once_is_started_ever_more_slowly(make: MakePart, told: list[Progress]) -> None:
    """The second start waits, the third longer: a broken program must not eat the machine."""
    part = make("raise SystemExit(3)", is_ready=lambda: False)
    tend_until(part, lambda: part.failures == 3)
    assert [progress.detail for progress in told if progress.state == "restarting"] == ["ended with code 3"] * 3
    assert part._next_start - part._started > 0.4
    assert "ended with code 3" in part.last_words()


def test_nothing_starts_before_what_it_needs_is_ready(make: MakePart, told: list[Progress]) -> None:
    """The API waits for the stores."""
    below = make("import time; time.sleep(60)", is_ready=lambda: False)
    above = make("import time; time.sleep(60)", needs=[below])
    for part in (below, above, below, above):
        part.tend()
    assert (below.is_alive, above.is_alive) == (True, False)
    below.ready = True
    above.tend()
    assert (below.is_alive, above.is_alive) == (True, True)
    for part in (above, below):
        part.finish()
    assert (below.is_alive, above.is_alive) == (False, False)


def test_a_failure_may_change_something_before_the_next_start(make: MakePart) -> None:
    """A store whose port was taken meanwhile takes another one."""
    seen: list[int] = []
    part = make("raise SystemExit(1)", is_ready=lambda: False, on_failure=lambda part: seen.append(part.failures))
    tend_until(part, lambda: len(seen) == 2)
    assert seen == [1, 2]


_WAITS_FOR_GO = """
import pathlib, signal, time
def end(*_):
    while not pathlib.Path({go!r}).exists():
        time.sleep(0.01)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path({ready!r}).touch()
time.sleep(60)
"""


def test_followers_end_in_order_before_what_they_follow_starts_again(
    make: MakePart, told: list[Progress], tmp_path: Path
) -> None:
    """Notify has a letter in hand: it may settle that, and must not meet a broker that has forgotten it."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    follower = make(_WAITS_FOR_GO.format(ready=str(ready), go=str(go)), grace=60.0)
    broker = make("import time; time.sleep(60)", followers=[follower])
    broker.tend()
    follower.tend()
    until(ready.exists)
    killed = broker.pid
    os.kill(killed or 0, signal.SIGKILL)
    tend_until(broker, lambda: broker.failures == 1)
    tend_until(broker, lambda: time.monotonic() > broker._next_start)
    broker.tend()
    assert (broker.is_alive, follower.is_alive) == (False, True)
    assert not follower.ready
    go.touch()
    tend_until(follower, lambda: not follower.is_alive)
    assert "ended with code 0" in follower.last_words()
    tend_until(broker, lambda: broker.is_alive)
    for part in (broker, follower):
        part.finish()


def test_a_follower_that_does_not_end_is_killed(make: MakePart, tmp_path: Path) -> None:
    """It hangs in a call to the broker that is gone."""
    ready = tmp_path / "ready"
    follower = make(_WAITS_FOR_GO.format(ready=str(ready), go=str(tmp_path / "never")), grace=0.05)
    broker = make("import time; time.sleep(60)", followers=[follower])
    broker.tend()
    follower.tend()
    until(ready.exists)
    os.kill(broker.pid or 0, signal.SIGKILL)
    tend_until(broker, lambda: broker.failures == 1)
    tend_until(follower, lambda: follower.failures == 1)
    assert "ended by SIGKILL" in follower.last_words()
    tend_until(broker, lambda: broker.is_alive)
    for part in (broker, follower):
        part.finish()


def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path, told: list[Progress]) -> None:
    """No traceback, no end of the supervisor: a full disk or missing memory may pass."""
    command = Command([str(tmp_path / "nowhere")], tmp_path / "log", signal.SIGKILL)
    part = SupervisedProcess("part", "The part", lambda: command, lambda: True, told.append)
    part.tend()
    assert part.failures == 1
    assert "could not be started" in told[-1].detail


def test_a_part_that_is_renewed_says_why_and_comes_back(make: MakePart, told: list[Progress]) -> None:
    """The next end that nobody asked for is told as what it is."""
    part = make("import time; time.sleep(60)")
    tend_until(part, lambda: part.ready)
    first = part.pid
    part.renew("it is too large")
    tend_until(part, lambda: part.ready and part.pid not in (None, first))
    os.kill(part.pid or 0, signal.SIGKILL)
    tend_until(part, lambda: len([one for one in told if one.state == "restarting"]) == 2)
    part.finish()

    assert [one.detail for one in told if one.state == "restarting"] == ["it is too large", "ended by SIGKILL"]


def test_what_a_part_started_ends_with_it(make: MakePart, tmp_path: Path) -> None:
    """A killed part leaves no grandchild behind."""
    pid_file = tmp_path / "grandchild"
    program = f"""
import pathlib, subprocess, time
child = subprocess.Popen(["sleep", "60"])
pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    part = make(program)
    part.tend()
    until(lambda: pid_file.exists() and pid_file.read_text())
    part.finish()
    stat = Path(f"/proc/{pid_file.read_text()}/stat")
    until(lambda: not stat.exists() or stat.read_text().split()[2] == "Z")
