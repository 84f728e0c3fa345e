"""The supervisor with real processes: its children are restarted when they die, and end with it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from confluent_kafka.admin import AdminClient

from tests.stack import Stack, start, up_folder
from tests.waiting import until
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.embedded import Endpoints, Progress, UpOptions, down, start_detached, status

_MARKS = {
    "postgres": "bin/postgres -D",
    "valkey": "valkey-server ",
    "broker": "tansu broker",
    "api": "-m tokenq_server api",
    "relay": "-m tokenq_server relay",
    "notify": "-m tokenq_server notify",
}
"""A part of each program's command line."""


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data folder for tests that start and stop themselves; only the first start runs initdb."""
    with up_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    """A running tokenq, for tests that leave it running."""
    with up_folder() as folder:
        yield start(folder)


def foreground(data_dir: Path) -> subprocess.Popen[str]:
    """The supervisor as a child of this test, with its output on a pipe."""
    program = (
        "import sys; from pathlib import Path; from tokenq_server.embedded import UpOptions, up\n"
        "sys.exit(up(UpOptions(Path(sys.argv[1]), port=0), print, lambda endpoints: print('READY', flush=True)))"
    )
    return subprocess.Popen([sys.executable, "-c", program, data_dir], stdout=subprocess.PIPE, text=True)


def processes(supervisor: int) -> dict[int, str]:
    """Every living descendant of a process, with its command line."""
    found: dict[int, str] = {}
    parents = {supervisor}
    while parents:
        children = {pid for pid in _living() if _parent(pid) in parents}
        found |= {pid: _command_line(pid) for pid in children}
        parents = children
    return found


def part(data_dir: Path, name: str) -> int | None:
    """The process id of one part; None while it does not run."""
    supervisor = status(data_dir).pid
    assert supervisor is not None
    return next((pid for pid, line in processes(supervisor).items() if _MARKS[name] in line), None)


def kill(data_dir: Path, name: str) -> int:
    """kill -9 one part; return its former process id."""
    until(lambda: part(data_dir, name), lambda: f"{name} does not run")
    pid = part(data_dir, name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def _living() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent(int(entry.name))]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _parent(pid: int) -> int:
    """0 for a process that is gone, or dead and not yet collected."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(parent)


def test_endpoints_json_names_everything_and_is_private(up: Stack) -> None:
    """Scripts read it; it contains passwords."""
    document = up.data_dir / "endpoints.json"
    assert set(json.loads(document.read_text())) == {
        "api", "kafka", "postgres", "redis", "adminTokenFile", "mailOutbox", "mailServer", "fingerprint", "network",
        "limits", "relay", "notify",
    }  # fmt: skip
    assert Endpoints.from_json(document.read_text()) == up.endpoints
    assert stat.S_IMODE(document.stat().st_mode) == 0o600
    assert {stat.S_IMODE(secret.stat().st_mode) for secret in (up.data_dir / "secrets").iterdir()} == {0o600}


def test_status_tells_what_runs(up: Stack) -> None:
    """Running, ready, and where."""
    shown = status(up.data_dir)
    assert (shown.running, shown.ready, shown.endpoints) == (True, True, up.endpoints)
    until(lambda: set(status(up.data_dir).parts.values()) == {"up"})
    assert set(status(up.data_dir).parts) == {"postgres", "redis", "kafka", "relay", "notify"}


def test_a_second_up_on_the_folder_is_refused_with_the_address(up: Stack) -> None:
    """It names what is running and leaves it alone."""
    with pytest.raises(Refused) as refusal:
        start(up.data_dir)
    assert refusal.value.problem.code is ProblemCode.IN_USE
    assert up.endpoints.api in refusal.value.problem.detail
    assert f"'tokenq down --data-dir {up.data_dir}'" in refusal.value.problem.hint
    assert "--data-dir DIR --port 0" in refusal.value.problem.hint
    assert status(up.data_dir).ready


def test_a_port_in_use_is_one_clear_sentence(data_dir: Path) -> None:
    """The port is named, and the solution."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {port} on 127.0.0.1 is already taken") as refusal:
            start(data_dir, port=port)
    assert "--port" in refusal.value.problem.hint
    assert not status(data_dir).running


def test_a_wrong_mail_server_ends_up_at_once(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise only a log would tell that no e-mail is sent."""
    monkeypatch.setenv("TOKENQ_SMTP_URL", "mail.example.org")
    with pytest.raises(Refused, match="TOKENQ_SMTP_URL is not the address of a mail server") as refusal:
        start(data_dir)
    assert "smtps://" in refusal.value.problem.hint
    assert not status(data_dir).running


def test_nothing_outlives_a_killed_supervisor(data_dir: Path) -> None:
    """kill -9 of the supervisor ends all its descendants, and the next start finds the data."""
    endpoints = start(data_dir).endpoints
    supervisor = status(data_dir).pid
    assert supervisor is not None
    keep(endpoints, "before the kill")
    descendants = processes(supervisor)
    assert len(descendants) >= 6
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not any(_parent(pid) for pid in descendants), lambda: str(descendants))
    assert not status(data_dir).running
    assert kept(start(data_dir).endpoints) == ["before the kill", "before the kill"]
    down(data_dir)


def test_a_kill_during_the_first_start_leaves_nothing_unfinished() -> None:
    """Not even initdb outlives the supervisor, and the next start runs it again."""
    with up_folder() as folder:
        with foreground(folder) as supervisor:
            until(lambda: any("initdb" in line for line in processes(supervisor.pid).values()))
            descendants = processes(supervisor.pid)
            supervisor.kill()
        until(lambda: not any(_parent(pid) for pid in descendants), lambda: str(descendants))
        assert reachable(start(folder).endpoints)


@pytest.mark.parametrize("name", list(_MARKS))
def test_a_killed_part_comes_back(up: Stack, name: str) -> None:
    """kill -9 of any part: it is restarted at the same address, with its data."""
    keep(up.endpoints, name)
    before = kill(up.data_dir, name)
    until(lambda: part(up.data_dir, name) not in (None, before), lambda: f"{name} did not come back")
    until(lambda: status(up.data_dir).ready, lambda: "the API is not ready again")
    until(lambda: reachable(up.endpoints), lambda: f"{name} is not reachable again")
    assert kept(up.endpoints) == [name, name]


def test_a_restarted_broker_has_its_topics_and_new_followers(up: Stack) -> None:
    """It restarts empty: topics are created, and relay and notify restart to refill and reread it."""
    until(lambda: part(up.data_dir, "relay") and part(up.data_dir, "notify"))
    before = part(up.data_dir, "relay"), part(up.data_dir, "notify")
    kill(up.data_dir, "broker")
    until(lambda: reachable(up.endpoints), lambda: "the broker did not come back")
    for name, old in zip(("relay", "notify"), before, strict=True):
        until(lambda name=name, old=old: part(up.data_dir, name) not in (None, old), lambda: "it did not start over")


def test_the_ports_stay_the_same_over_a_restart(data_dir: Path) -> None:
    """A board that tails the broker finds it again."""
    first = start(data_dir).endpoints
    down(data_dir)
    second = start(data_dir).endpoints
    down(data_dir)
    assert first == second


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)], ids=["ctrl-c", "term", "hup"]
)
def test_the_foreground_stops_in_order_and_leaves_nothing(data_dir: Path, ending: signal.Signals, code: int) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end everything; Postgres is shut down, not crashed."""
    with foreground(data_dir) as supervisor:
        assert supervisor.stdout is not None
        assert any("READY" in line for line in supervisor.stdout)
        descendants = processes(supervisor.pid)
        supervisor.send_signal(ending)
        story = supervisor.stdout.read()
    assert supervisor.wait() == code
    assert not any(_parent(pid) for pid in descendants)
    assert story.index("'api', state='stopped'") < story.index("'postgres', state='stopping'")
    assert "database system is shut down" in (data_dir / "log" / "postgres.log").read_text().splitlines()[-1]
    assert not (data_dir / "endpoints.json").exists()


def test_down_and_status_of_a_folder_where_nothing_runs(data_dir: Path, tmp_path: Path) -> None:
    """They say so, also for a folder that was never used."""
    for folder in (data_dir, tmp_path / "never"):
        assert not status(folder).running
        assert down(folder) is False


def test_a_stale_pid_is_ignored(data_dir: Path) -> None:
    """After a reboot the pid in the lock file may be any process: the lock counts, not the pid."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (data_dir / "lock").write_text(str(stranger.pid))
        assert down(data_dir) is False
        assert stranger.poll() is None
        stranger.kill()


def test_several_run_side_by_side(up: Stack) -> None:
    """Each folder is an instance of its own."""
    with up_folder() as other:
        second = start(other).endpoints
        assert {second.api, second.kafka, second.postgres}.isdisjoint(
            {up.endpoints.api, up.endpoints.kafka, up.endpoints.postgres}
        )
        assert status(up.data_dir).ready
        assert status(other).ready


def test_a_server_that_does_not_start_is_named_with_its_log(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names it and how it ended; nothing is left running."""
    monkeypatch.setenv("TOKENQ_TANSU_BIN", "/bin/false")
    steps: list[Progress] = []
    with pytest.raises(Refused, match="The broker does not start: it ended with code 1") as refusal:
        start_detached(UpOptions(data_dir, port=0), steps.append)
    assert str(data_dir / "log" / "broker.log") in refusal.value.problem.hint
    assert "restarting" in {progress.state for progress in steps}
    assert not status(data_dir).running


def test_unreadable_valkey_data_is_set_aside(data_dir: Path) -> None:
    """Valkey only orders the waiting: unreadable data must not block the start."""
    start(data_dir)
    down(data_dir)
    (data_dir / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    endpoints = start(data_dir).endpoints
    assert reachable(endpoints)
    assert (data_dir / "valkey" / "appendonlydir.broken").is_dir()
    down(data_dir)


def keep(endpoints: Endpoints, text: str) -> None:
    """Leave a mark in Postgres and in Valkey."""
    with psycopg.connect(endpoints.postgres) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])
    with redis.Redis.from_url(endpoints.redis) as client:
        client.set("kept", text)


def kept(endpoints: Endpoints) -> list[str]:
    """The marks as they are now."""
    with psycopg.connect(endpoints.postgres) as connection:
        rows = [text for (text,) in connection.execute("SELECT text FROM kept").fetchall()]
    with redis.Redis.from_url(endpoints.redis, decode_responses=True) as client:
        return [*rows, str(client.get("kept"))]


def reachable(endpoints: Endpoints) -> bool:
    """Whether all three stores answer, the broker with its topics."""
    try:
        kept(endpoints)
    except psycopg.errors.UndefinedTable:
        pass  # nothing was kept yet
    except (psycopg.OperationalError, redis.RedisError):
        return False
    host, port = endpoints.kafka.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    topics = AdminClient({"bootstrap.servers": endpoints.kafka, "log_level": 0}).list_topics(timeout=5).topics
    return {"token-events", "token-events.dlq"} <= set(topics)
