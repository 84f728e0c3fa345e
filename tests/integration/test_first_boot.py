"""API processes that start at the same moment on an empty database: one makes the first admin, none fails."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tests.waiting import until

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def dsn(servers: Servers, schema: str) -> Iterator[str]:
    dsn = servers.new_database(schema)
    yield dsn
    servers.drop_database(dsn)


@contextmanager
def booted(servers: Servers, dsn: str, folders: Sequence[Path], table: str, *, waiting: int) -> Iterator[list[Api]]:
    """APIs that start at once; none may write this table before so many of them wait for that."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        with psycopg.connect(dsn) as holding, psycopg.connect(dsn, autocommit=True) as looking:
            holding.execute(f"LOCK TABLE {table} IN SHARE MODE")
            contexts = [running_api(beside(servers, dsn), folder) for folder in folders]
            starting = [pool.submit(stack.enter_context, context) for context in contexts]
            until(lambda: looking.execute(_WAITING).fetchone() == (waiting,) or any(each.done() for each in starting))
        yield [each.result() for each in starting]


def admins(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM app_user").fetchall()]


def me(api: Api) -> int:
    url = f"{api.url}/api/v1/users"
    return httpx.get(url, headers={"Authorization": f"Bearer {api.token}"}, verify=False).status_code


def test_of_two_machines_one_makes_the_admin(servers: Servers, dsn: str, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with booted(servers, dsn, folders, "app_user", waiting=2) as apis:
        assert admins(dsn) == ["admin"]
        assert [me(api) for api in apis] == [200, 200]
        (there,) = [api for api in apis if (api.folder / "admin.password").exists()]
        body = {"username": "admin", "password": there.password}
        assert httpx.post(f"{there.url}/api/v1/auth/login", json=body, verify=False).status_code == 200


def test_processes_with_one_folder_share_the_key(servers: Servers, dsn: str, tmp_path: Path) -> None:
    """None replaces the file that another has just written, and nothing half written is left."""
    with booted(servers, dsn, [tmp_path, tmp_path], "credential", waiting=1) as apis:
        assert admins(dsn) == ["admin"]
        assert [me(api) for api in apis] == [200, 200]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT label FROM credential WHERE kind = 'key'").fetchall() == [("this machine",)]
    assert not list(tmp_path.glob("*.part"))
