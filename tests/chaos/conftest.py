"""Stores, a broker and a mail server for one test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.history import History
from tests.chaos.mail_server import mail_server
from tests.chaos.mutants import Post, Stores
from tests.servers import Running, Servers, running_broker
from tokenq_server import failpoints
from tokenq_server.embedded.broker import Broker


@pytest.fixture
def stores(servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path) -> Iterator[Stores]:
    with History(tmp_path / "history.jsonl") as history:
        yield Stores(fresh_database(schema), servers.redis_url, history)
    failpoints.arm("")


@pytest.fixture
def broker() -> Iterator[Running[Broker]]:
    """A broker for one test, since notify's position in the topic belongs to its group."""
    with running_broker() as found:
        yield found


@pytest.fixture
async def post(stores: Stores, broker: Running[Broker], tmp_path: Path) -> AsyncIterator[Post]:
    log = tmp_path / "smtp.jsonl"
    with mail_server(log) as url:
        yield Post(stores, broker, log, url)
