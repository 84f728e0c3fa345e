"""A day with every lock closed: PgBouncer, a user per program in every store, Kafka by SASL_SSL with permissions."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from redis import Redis

from tests.kafka.secure import SecureKafka, running_secure_kafka
from tests.kafka.test_apache_login import CANARY, Office
from tests.pgbouncer import running_pgbouncer
from tests.servers import Servers
from tests.waiting import until
from tests.without_http import department_id
from tokenq.client import Client
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.embedded import Endpoints
from tokenq_server.embedded.ports import free_port
from tokenq_server.store_users import API, NOTIFY, PROGRAMS, READ, REDIS_RULES, REDIS_USER, RELAY

pytestmark = pytest.mark.network

ROLES = {"tokenq-api": API, "tokenq-relay": RELAY, "tokenq-notify": NOTIFY, "tokenq-operator": READ}
PASSWORD = f"{CANARY}-store"


@dataclass
class LockedOffice(Office):
    """Its programs are users of their own in every store, and nobody is an owner."""

    databases: dict[str, str] = field(default_factory=dict)
    """The address of the database by role, behind PgBouncer."""

    def settings(self, user: str, **login: str) -> dict[str, str]:
        """A program's settings."""
        return super().settings(user, **login) | {
            "TOKENQ_DATABASE_URL": self.databases[ROLES[user]],
            "TOKENQ_MIGRATE": "0",
            "TOKENQ_STRICT": "1",
            "TOKENQ_EVENTS_EMAIL": "omit",
            "TOKENQ_DATA_DIR": str(self.folder),
        }


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureKafka]:
    with running_secure_kafka() as running:
        yield running.server


@pytest.fixture
def office(
    secure: SecureKafka, servers: Servers, fresh_database: Callable[..., str], tmp_path: Path
) -> Iterator[LockedOffice]:
    for role in PROGRAMS:
        servers.psql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    owner = fresh_database()
    migrate(owner)
    parts = urlsplit(owner)
    redis = urlsplit(servers.redis_url)
    with Redis.from_url(servers.redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", REDIS_USER, "reset", "on", f">{PASSWORD}", *REDIS_RULES.split())
    where = Endpoints(
        api=f"http://127.0.0.1:{free_port()}",
        kafka=secure.bootstrap,
        postgres=owner,
        redis=f"redis://{REDIS_USER}:{PASSWORD}@127.0.0.1:{redis.port}/11",
        admin_token_file=str(tmp_path / "admin.token"),
        mail_outbox=str(tmp_path / "mail"),
    )
    pooler = tmp_path / "pgbouncer"
    pooler.mkdir()
    with running_pgbouncer(pooler, parts.port or 0, dict.fromkeys(PROGRAMS, PASSWORD)) as port:
        places = {role: f"{role}:{PASSWORD}@127.0.0.1:{port}" for role in PROGRAMS}
        databases = {role: urlunsplit(parts._replace(netloc=place)) for role, place in places.items()}
        opened = LockedOffice(tmp_path, secure, where, databases=databases)
        yield opened
        opened.stop()
    servers.drop_database(owner)
    for role in PROGRAMS:
        servers.psql(f"DROP ROLE {role}")


def test_a_day_with_every_lock_closed(office: LockedOffice, servers: Servers) -> None:
    """Strict production: issuing, serving, letters, verify and doctor, and no password anywhere."""
    functions = {"TOKENQ_REDIS_FUNCTIONS_URL": servers.redis_url}
    settings = office.settings
    office.settings = lambda user, **login: settings(user, **login) | functions  # type: ignore[method-assign]
    api = office.start_api()
    for name in ("relay", "notify"):
        office.start(name)
    department = department_id()
    with Client(office.where.api, api.token) as client:
        client.create_department({"name": "Customer window", "departmentId": department})
        for number in range(20):
            client.issue(department, email=f"person{number}@example.org")
        served = [client.serve_next(department, "1")["tokenNo"] for _ in range(20)]
        assert served == list(range(1, 21))
        mail = Path(office.where.mail_outbox)
        until(lambda: len(list(mail.glob("*-served.eml"))) == 20, lambda: office.said("notify")[-3000:], seconds=90)
        until(lambda: client.ready()["status"] == "ready", lambda: str(client.ready()))
    for words in (["verify"], ["doctor", "--server"]):
        command = [sys.executable, "-m", "tokenq", *words]
        environment = {**os.environ, **office.settings("tokenq-operator"), "TOKENQ_TOKEN": api.token}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert CANARY not in done.stdout + done.stderr
    office.assert_no_secret_is_shown()
