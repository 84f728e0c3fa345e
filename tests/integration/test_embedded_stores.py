"""The three embedded servers, each by itself."""

import socket
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from confluent_kafka.admin import AdminClient

from tests.servers import Servers
from tokenq_server.embedded.broker import TOPICS


def test_a_killed_postgres_comes_back_with_every_committed_row(
    servers: Servers, fresh_database: Callable[..., str]
) -> None:
    """kill -9 right after COMMIT loses nothing: fsync is on."""
    url = fresh_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    servers.postgres.kill()
    servers.postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_killed_valkey_comes_back_with_its_data(servers: Servers) -> None:
    """The append-only file is on, and nothing is evicted."""
    client = redis.Redis.from_url(servers.redis_url)
    client.rpush("tq:test:kept", *range(1000))
    servers.valkey.kill()
    servers.valkey.start()
    assert client.llen("tq:test:kept") == 1000
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    client.delete("tq:test:kept")
    client.close()


def test_the_broker_has_the_topics_with_their_partitions(servers: Servers) -> None:
    """token-events has three partitions, its dead-e-mail topic one."""
    topics = AdminClient({"bootstrap.servers": servers.kafka_bootstrap}).list_topics(timeout=5).topics
    assert {name: len(topics[name].partitions) for name in TOPICS} == {"token-events": 3, "token-events.dlq": 1}


def test_the_stores_do_not_run_as_root(servers: Servers) -> None:
    """Postgres refuses root anyway; the others run as the same ordinary user."""
    for running in (servers.postgres, servers.valkey):
        assert running.process is not None
        assert Path(f"/proc/{running.process.pid}").stat().st_uid != 0


def test_the_stores_data_is_private(servers: Servers) -> None:
    """Only the servers' user can read the data folders."""
    folder = servers.postgres.server.log.parent
    for name in ("postgres", "valkey"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


@pytest.mark.parametrize("variable", ["database_url", "redis_url"])
def test_a_store_refuses_a_wrong_password(servers: Servers, variable: str) -> None:
    """Loopback is open to every user of the machine; the passwords keep them out."""
    url = urlsplit(getattr(servers, variable))
    wrong = url._replace(netloc=url.netloc.replace(f":{url.password}@", ":wrong@")).geturl()
    with pytest.raises(
        (psycopg.OperationalError, redis.AuthenticationError), match=r"authentication failed|invalid username-password"
    ):
        _connect(wrong)


def _connect(url: str) -> None:
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            client.ping()
    else:
        psycopg.connect(url).close()


def test_something_else_that_sends_for_ever_at_valkey_s_port_is_not_ready(servers: Servers) -> None:
    """The supervisor asks while it looks after all parts: it must not listen to one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:

        def send_for_ever() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(b"+OK\r\n" * 1000)

        sending = pool.submit(send_for_ever)
        stranger = replace(servers.valkey.server, port=listening.getsockname()[1])
        assert not stranger.is_ready()
        sending.result()
    assert servers.valkey.server.is_ready()
