"""Fixtures on real servers, one set per test session (per worker under xdist)."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.kafka.apache import ApacheKafka
from tests.servers import Running, Servers, running_apache_kafka, running_servers
from tests.stack import Stack, start, up_folder
from tests.valkeys import OwnValkeys, ValkeyCluster, own_valkeys
from tests.without_http import Core, open_core
from tokenq_server.adapters.postgres.migrate import migrate

os.environ["LANGUAGE"] = "en"  # whatever the developer reads, tests read English

collect_ignore = [] if find_spec("playwright") else ["browser"]
"""The browser has a session of its own, with what it needs."""
if not os.environ.get("TOKENQ_TEST_GENERATOR"):
    collect_ignore.append("e2e/test_generated_client.py")  # the session `long` has the generator

_LONG = (
    "bench",
    "chaos",
    "e2e",
    "integration/test_backup.py",
    "integration/test_embedded_faults.py",
    "integration/test_embedded_up.py",
    "integration/test_floor_machine.py",
    "integration/test_prepared_statements.py",
    "integration/test_rewind_command.py",
    "integration/test_upgrades.py",
    "screens/test_console_goes_on.py",
    "security",
)
"""Folders and files whose tests take long or are many; they have a session of their own, and run in .ci/run, too."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the long tests."""
    places = [Path(__file__).parent / place for place in _LONG]
    for item in items:
        if any(item.path.is_relative_to(place) for place in places):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real Postgres, Valkey and a Kafka broker; see :class:`tests.servers.Servers`."""
    with running_servers() as found:
        yield found


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[Running[ApacheKafka]]:
    """A real Apache Kafka broker with tokenq's topics; ``.server.bootstrap`` is its address."""
    with running_apache_kafka() as found:
        yield found


@pytest.fixture(scope="session")
def valkeys() -> Iterator[OwnValkeys]:
    """A factory of Valkeys for one test; see :class:`tests.valkeys.OwnValkeys`."""
    with own_valkeys() as made:
        yield made


@pytest.fixture(scope="session")
def valkey_cluster(valkeys: OwnValkeys) -> ValkeyCluster:
    """Six real Valkeys as a cluster. A test that damages it repairs it."""
    return valkeys.cluster()


@pytest.fixture
def fresh_database(servers: Servers) -> Iterator[Callable[..., str]]:
    """A factory of databases for this test: ``fresh_database()`` is empty, ``fresh_database(url)`` a copy."""
    made: list[str] = []

    def make(template: str = "template1") -> str:
        made.append(servers.new_database(template))
        return made[-1]

    yield make
    for url in made:
        servers.drop_database(url)


@pytest.fixture(scope="session")
def schema(servers: Servers) -> str:
    """A migrated, empty database to copy: ``fresh_database(schema)``."""
    url = servers.new_database()
    migrate(url)
    return url


@pytest.fixture
async def core(servers: Servers, fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Core]:
    """One process's core on its own database; see :class:`tests.without_http.Core`."""
    async with open_core(fresh_database(schema), servers.redis_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    """All of tokenq, running in the background; see :class:`tests.stack.Stack`. Create your own departments on it.

    All tests use one admin key; its limit of numbers is out of their way.
    """
    with up_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENQ_LIMIT_STAFF_ISSUES", "1000000")
        yield start(folder)
