"""When statements are prepared in PostgreSQL's sessions, by the server's own log of a played day."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import beside, running_api, start
from tests.servers import Running, Servers, running_postgres
from tests.waiting import until
from tests.without_http import department_id
from tokenq.client import Client
from tokenq_server.embedded.postgres import Postgres

_PREPARED = re.compile(r"^(\S*) LOG: .*  (?:parse|bind|execute) _pg3_", re.MULTILINE)
"""Psycopg's names of prepared statements begin so. Migration has no name of its own."""


@pytest.fixture
def talkative() -> Iterator[Running[Postgres]]:
    """A PostgreSQL that logs each statement and whose it is."""
    with running_postgres("log_min_duration_statement=0", "log_line_prefix=%a ") as running:
        yield running


@pytest.mark.parametrize(
    ("threshold", "keep"),
    [
        (
            "1",
            {"[unknown]", "tokenq", "tokenq-feed", "tokenq-ledger", "tokenq-notify", "tokenq-relay", "tokenq-verify"},
        ),
        ("off", set()),
    ],
)
def test_every_program_keeps_statements_as_the_setting_says(
    servers: Servers, talkative: Running[Postgres], tmp_path: Path, threshold: str, keep: set[str]
) -> None:
    settings = beside(servers, talkative.server.url) | {
        "TOKENQ_PREPARE_THRESHOLD": threshold,
        "TOKENQ_ENV": "development",
        "TOKENQ_MIGRATE": "1",
        "TOKENQ_MAIL_OUTBOX": str(tmp_path / "mail"),
        "TOKENQ_KAFKA_EMBEDDED": "1" if servers.has_embedded_broker else "0",
    }
    _play(settings, tmp_path)
    for command in (["verify"], ["server", "rebuild"]):
        done = subprocess.run(
            [sys.executable, "-m", "tokenq", *command], env=os.environ | settings, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    log = talkative.server.log.read_text()
    assert "tokenq-recovery LOG: " in log
    assert set(_PREPARED.findall(log)) >= keep
    assert bool(_PREPARED.findall(log)) == bool(keep)


def _play(settings: dict[str, str], folder: Path) -> None:
    """A day of two departments, until all letters are sent; the feed's connection answers for readiness, too."""
    with running_api(settings, folder) as api, Client(api.url, api.token) as client:
        followers = [start(name, settings) for name in ("relay", "notify")]
        try:
            for department in (department_id(), department_id()):
                client.create_department({"name": department, "departmentId": department})
                for number in range(4):
                    client.issue(department, email=f"person{number}@example.org")
                    client.serve_next(department, department)
                    client.ready()
            until(lambda: len(list((folder / "mail").glob("*-served.eml"))) == 8, seconds=60)
        finally:
            for follower in followers:
                follower.terminate()
                follower.wait(15)
