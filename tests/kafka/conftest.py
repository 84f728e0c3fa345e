"""tokenq's own programs on Apache Kafka."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kafka.apache import ApacheKafka
from tests.servers import Running, Servers
from tests.stack import Stack
from tests.waiting import until
from tokenq_server.embedded import Endpoints
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import spawn, stop
from tokenq_server.embedded.programs import program


@pytest.fixture
def stack(
    servers: Servers, apache_kafka: Running[ApacheKafka], fresh_database: Callable[..., str], tmp_path: Path
) -> Iterator[Stack]:
    """API, relay and notify as processes, on their own database and Apache Kafka."""
    port = free_port()
    where = Endpoints(
        api=f"http://127.0.0.1:{port}",
        kafka=apache_kafka.server.bootstrap,
        postgres=fresh_database(),
        redis=servers.redis_url.replace("/0", "/9"),
        admin_token_file=str(tmp_path / "admin.token"),
        mail_outbox=str(tmp_path / "mail"),
    )
    with ExitStack() as running:
        for name in ("api", "relay", "notify"):
            process = spawn(program("tokenq_server", [name], tmp_path / f"{name}.log", _settings(where, port), []))
            running.callback(_stop, process)
            if name == "api":
                until(lambda: takes_tokens(where.api), lambda: (tmp_path / "api.log").read_text()[-2000:])
        yield Stack(tmp_path, where, (tmp_path / "admin.token").read_text().strip())


def _settings(where: Endpoints, port: int) -> dict[str, str]:
    return {
        "TOKENQ_PORT": str(port),
        "TOKENQ_DATABASE_URL": where.postgres,
        "TOKENQ_REDIS_URL": where.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": where.kafka,
        "TOKENQ_ADMIN_TOKEN_FILE": where.admin_token_file,
        "TOKENQ_MAIL_OUTBOX": where.mail_outbox,
        "TOKENQ_MIGRATE": "1",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    stop(process, signal.SIGTERM, 10.0)
