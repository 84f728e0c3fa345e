"""A PostgreSQL that fails over: a synchronous standby takes over under load, and one that was behind is refused."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.programs import beside, running_api
from tests.servers import Running, Servers, running_postgres, servers_folder
from tests.waiting import until
from tokenq.client import Client
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import TokenqError
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import choose_run_as, give_folder
from tokenq_server.embedded.processes import QUIET_ENVIRONMENT, run

pytestmark = pytest.mark.network


class Pair:
    """A primary and a standby that streams from it."""

    def __init__(self, primary: Running[Postgres], standby: Running[Postgres]) -> None:
        self.primary, self.standby = primary, standby

    @property
    def url(self) -> str:
        """Both hosts, for tokenq."""
        server = self.primary.server
        places = f"127.0.0.1:{server.port},127.0.0.1:{self.standby.server.port}"
        return f"postgresql://tokenq:{server.password}@{places}/tokenq"

    def fail_over(self) -> None:
        """kill -9 the primary, and promote the standby."""
        self.primary.kill()
        with psycopg.connect(self.standby.server.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def tokens(self) -> dict[int, int]:
        """The tokens of the new primary: id and number."""
        with psycopg.connect(self.standby.server.url) as connection:
            return dict(connection.execute("SELECT token_id, number FROM token").fetchall())


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(running_postgres("wal_log_hints=on", "wal_keep_size=64MB"))
        yield Pair(primary, stack.enter_context(_standby(primary.server)))


@contextmanager
def _standby(primary: Postgres) -> Iterator[Running[Postgres]]:
    with servers_folder() as folder:
        run_as = choose_run_as()
        home = folder / "postgres"
        give_folder(home, run_as)
        source = f"host=127.0.0.1 port={primary.port} user=postgres password={primary.admin_password}"
        copy = ["-D", home / "cluster", "-R", "-X", "stream", "-c", "fast", "-d", f"{source} application_name=b"]
        done = run([primary.binaries / "pg_basebackup", *copy], run_as, environment=QUIET_ENVIRONMENT)
        assert done.returncode == 0, done.stdout
        running = Running(replace(primary, folder=home, log=folder / "log", port=free_port()))
        running.start()
        try:
            yield running
        finally:
            running.stop()


class Clerk(threading.Thread):
    """Issues numbers until told to stop, and remembers which were acknowledged."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self.acknowledged: dict[int, int] = {}
        self.over = threading.Event()
        self._url, self._token = url, token

    def run(self) -> None:
        with Client(self._url, self._token, attempts=1) as client:
            while not self.over.is_set():
                try:
                    issued = client.issue("FO")
                except (TokenqError, Refused):
                    self.over.wait(0.05)
                else:
                    self.acknowledged[issued["tokenId"]] = issued["tokenNo"]


def test_a_synchronous_standby_takes_over_and_nothing_acknowledged_is_lost(
    servers: Servers, pair: Pair, tmp_path: Path
) -> None:
    with psycopg.connect(pair.primary.server.admin_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (b)'")
        connection.execute("SELECT pg_reload_conf()")
        until(lambda: _one(connection, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'") == 1)
    settings = beside(servers, pair.url) | {"TOKENQ_MIGRATE": "1"}
    with running_api(settings, tmp_path) as api, Client(api.url, api.token) as client:
        client.create_department({"name": "Customer window", "departmentId": "FO"})
        clerks = [Clerk(api.url, api.token) for _ in range(4)]
        for clerk in clerks:
            clerk.start()
        until(lambda: sum(len(clerk.acknowledged) for clerk in clerks) > 200, seconds=30)
        pair.fail_over()
        before = sum(len(clerk.acknowledged) for clerk in clerks)
        until(lambda: sum(len(clerk.acknowledged) for clerk in clerks) > before + 200, seconds=30)
        for clerk in clerks:
            clerk.over.set()
            clerk.join()
        acknowledged = {token: number for clerk in clerks for token, number in clerk.acknowledged.items()}
        found = pair.tokens()
        assert acknowledged.items() <= found.items()
        assert sorted(found.values()) == list(range(1, len(found) + 1))
        command = [sys.executable, "-m", "tokenq", "verify", "--json"]
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
        report = json.loads(done.stdout)
        assert done.returncode == 0, report


def test_a_standby_that_was_behind_is_refused_as_a_restored_backup(
    servers: Servers, pair: Pair, tmp_path: Path
) -> None:
    """The running API says it, and one that starts does not start."""
    settings = beside(servers, pair.url) | {"TOKENQ_MIGRATE": "1"}
    with running_api(settings, tmp_path) as api, Client(api.url, api.token) as client:
        client.create_department({"name": "Customer window", "departmentId": "LATE"})
        client.issue("LATE")
        head = _lsn(pair.primary.server)
        until(lambda: _one_of(pair.standby.server, f"SELECT pg_last_wal_replay_lsn() >= '{head}'"))
        pair.standby.stop()
        lost = client.issue("LATE")
        pair.primary.kill()
        pair.standby.start()
        with psycopg.connect(pair.standby.server.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        assert lost["tokenId"] not in pair.tokens()

        def answer() -> ProblemCode | None:
            try:
                client.issue("LATE")
            except Refused as refusal:
                return refusal.problem.code
            return None

        until(lambda: answer() is ProblemCode.LOG_BEHIND, lambda: str(answer()))
    with pytest.raises(AssertionError, match="lacks events"), running_api(settings, tmp_path):
        pass


def _lsn(server: Postgres) -> str:
    return str(_one_of(server, "SELECT pg_current_wal_lsn()"))


def _one_of(server: Postgres, statement: str) -> object:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        return _one(connection, statement)


def _one(connection: psycopg.Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
