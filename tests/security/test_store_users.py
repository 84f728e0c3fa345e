"""Each program is a user of its own in every store, and can do no more than it has to."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from redis import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoPermissionError

from tests.servers import Servers
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.enums import Priority
from tokenq_server.adapters.postgres.grants import GRANTS
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.probe import probe as postgres_probe
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.adapters.redis.probe import probe
from tokenq_server.services.ports import Advance, Ask, LineChange, LineDown, LineEntry, WaitingLine
from tokenq_server.store_users import API, NOTIFY, PROGRAMS, READ, REDIS_RULES, REDIS_USER, RELAY

DEPLOY = Path(__file__).parents[2] / "deploy"
DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def roles(servers: Servers) -> Iterator[dict[str, str]]:
    """A migrated database, by the role that uses it."""
    for role in PROGRAMS:
        servers.psql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret-{role}'")
    owner = servers.new_database()
    migrate(owner)
    parts = urlsplit(owner)
    places = {role: f"{role}:secret-{role}@{parts.hostname}:{parts.port}" for role in PROGRAMS}
    yield {"owner": owner} | {role: urlunsplit(parts._replace(netloc=place)) for role, place in places.items()}
    servers.drop_database(owner)
    for role in PROGRAMS:
        servers.psql(f"DROP ROLE {role}")


def tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_every_table_is_granted_and_no_other(roles: dict[str, str]) -> None:
    """Whoever adds a table is reminded of the programs that use it."""
    names = (name for by_table in GRANTS.values() for name in by_table)
    granted = {name for name in names if not name.startswith(("SEQUENCE", "FUNCTION"))}
    assert granted == tables(roles["owner"])


FORBIDDEN = [
    *((role, "DROP TABLE token") for role in PROGRAMS),
    *((role, "ALTER TABLE token ADD COLUMN x int") for role in PROGRAMS),
    *((role, "TRUNCATE outbox") for role in PROGRAMS),
    *((role, "CREATE TABLE mine ()") for role in PROGRAMS),
    *((role, "SELECT rolpassword FROM pg_authid") for role in PROGRAMS),
    *((role, "COPY (SELECT 1) TO PROGRAM 'id'") for role in PROGRAMS),
    *((role, "SELECT pg_read_file('/etc/passwd')") for role in PROGRAMS),
    *((role, "UPDATE outbox SET payload = ''") for role in (API, RELAY, NOTIFY, READ)),
    *((role, "DELETE FROM outbox") for role in PROGRAMS),
    *((role, "DELETE FROM token") for role in PROGRAMS),
    *((role, "SELECT password_hash FROM app_user") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT token_hash FROM credential") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT body FROM idempotency") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT note FROM outbox") for role in (RELAY, NOTIFY)),
    *((role, "SELECT reason FROM token") for role in (RELAY, NOTIFY)),
    *((role, "UPDATE token SET state = 'SERVED'") for role in (RELAY, NOTIFY, READ)),
    *((role, "UPDATE audit SET actor = 'eve'") for role in PROGRAMS),
    *((role, "DELETE FROM audit") for role in PROGRAMS),
    *((role, "SELECT delete_old_audit(30, 1)") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT actor FROM audit") for role in (RELAY, NOTIFY, READ)),
    (RELAY, "SELECT email FROM token"),
    (RELAY, "SELECT recipient FROM mail_job"),
    *((role, "SELECT erase_personal('{}', '{}', NULL, NULL, NULL)") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT erase_texts(now(), 1)") for role in (RELAY, NOTIFY, READ)),
    *((role, "SELECT delete_old_entries('CW', 30, 1)") for role in (RELAY, NOTIFY, READ)),
    (API, "SELECT raw FROM mail_dlq"),
    (API, "UPDATE outbox SET note = NULL"),
    (API, "UPDATE outbox SET is_erased = true"),
    (API, "UPDATE mail_job SET state = 'sent'"),
    (API, "UPDATE relay_cursor SET seq = 0"),
    (API, "UPDATE relay_epoch SET epoch = 0"),
]


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN)
def test_a_program_cannot_do_what_it_never_does(roles: dict[str, str], role: str, statement: str) -> None:
    """Row 75."""
    with psycopg.connect(roles[role]) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_the_api_deletes_old_entries_by_a_function(roles: dict[str, str]) -> None:
    with psycopg.connect(roles[API]) as connection:
        assert connection.execute("SELECT delete_old_entries('CW', 30, 1)").fetchone() == (None,), (
            "there is no such log"
        )


def test_the_api_deletes_only_old_entries_of_the_audit(roles: dict[str, str]) -> None:
    """Whoever has taken over the API cannot remove what it did there today."""
    with psycopg.connect(roles["owner"], autocommit=True) as connection:
        for age in ("1 hour", "2 days"):
            connection.execute(
                "INSERT INTO audit (at, kind, target, result) VALUES (now() - %s::interval, 'access', %s, 'done')",
                [age, f"of {age} ago"],
            )
    with psycopg.connect(roles[API]) as connection:
        assert connection.execute("SELECT delete_old_audit(0, 1000)").fetchone() == (1,)
        left = connection.execute("SELECT target FROM audit WHERE target LIKE 'of %'").fetchall()
    assert left == [("of 1 hour ago",)]


def test_a_migration_takes_back_what_was_given_by_hand(roles: dict[str, str]) -> None:
    with psycopg.connect(roles["owner"]) as connection:
        connection.execute(f"GRANT ALL ON app_user TO {NOTIFY}")
    migrate(roles["owner"])
    with psycopg.connect(roles[NOTIFY]) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("SELECT password_hash FROM app_user")


def test_somebody_else_s_table_is_left_alone(servers: Servers, roles: dict[str, str]) -> None:
    """A monitoring's table in the same schema stops no migration."""
    name = urlsplit(roles["owner"]).path.lstrip("/")
    admin = urlsplit(servers.admin_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE TABLE heartbeat (at timestamptz)")
        migrate(roles["owner"])
        connection.execute("DROP TABLE heartbeat")


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """An empty database in which everybody may create objects, as before PostgreSQL 15."""
    owner = servers.new_database()
    with psycopg.connect(as_superuser(servers, owner)) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    yield owner
    servers.drop_database(owner)


def as_superuser(servers: Servers, owner: str) -> str:
    return urlsplit(servers.admin_url)._replace(path=urlsplit(owner).path).geturl()


async def open_schema(dsn: str) -> list[str]:
    return [found.hint for found in await postgres_probe(dsn) if found.name == "postgres public schema"]


async def test_nobody_else_can_create_objects_among_our_tables(database: str) -> None:
    """A function of a stranger in the schema could run as the owner, inside the functions that erase."""
    (hint,) = await open_schema(database)
    assert "roles.sql" in hint
    migrate(database)
    assert await open_schema(database) == []


async def test_the_script_takes_it_away_where_the_owner_may_not(
    servers: Servers, roles: dict[str, str], database: str
) -> None:
    """Before PostgreSQL 15, the schema is the superuser's; the owner can still create tables afterwards."""
    admin = as_superuser(servers, database)
    with psycopg.connect(admin) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO postgres")
    await asyncio.to_thread(migrate, database)
    assert len(await open_schema(database)) == 1
    script = DEPLOY / "postgres" / "roles.sql"
    subprocess.run([servers.postgres.server.binaries / "psql", "-Xqf", script, admin], check=True, capture_output=True)
    assert await open_schema(database) == []
    await asyncio.to_thread(migrate, database)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE mine ()")
    with psycopg.connect(database.replace(urlsplit(database).netloc, urlsplit(roles[API]).netloc)) as connection:
        assert connection.execute("SELECT count(*) FROM token").fetchone() == (0,)


async def test_up_s_own_database_is_closed_again_at_each_start(servers: Servers) -> None:
    """A dump of an older PostgreSQL, or somebody by hand, may have opened it."""
    admin = as_superuser(servers, servers.postgres.server.url)
    with psycopg.connect(admin) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    assert len(await open_schema(servers.postgres.server.url)) == 1
    assert servers.postgres.server.is_ready()
    assert await open_schema(servers.postgres.server.url) == []


def test_the_scripts_for_own_servers_say_the_same_as_the_code() -> None:
    made = re.findall(r"^CREATE ROLE (\w+) LOGIN;$", (DEPLOY / "postgres" / "roles.sql").read_text(), re.MULTILINE)
    assert tuple(made) == PROGRAMS
    assert f"\nuser {REDIS_USER} on >change-me {REDIS_RULES}\n" in (DEPLOY / "redis" / "users.acl").read_text()


def test_each_program_of_up_is_its_own_user(running: Stack) -> None:
    """Row 74 and 75 on the running system."""
    statement = "SELECT application_name, usename FROM pg_stat_activity WHERE application_name LIKE 'tokenq%'"

    def users() -> dict[str, str]:
        with psycopg.connect(running.endpoints.postgres) as connection:
            return dict(connection.execute(statement).fetchall())

    until(lambda: {"tokenq-relay", "tokenq-notify", "tokenq-feed"} <= users().keys(), lambda: str(users()))
    expected = {"tokenq-relay": RELAY, "tokenq-notify": NOTIFY, "tokenq-feed": API}
    assert {name: user for name, user in users().items() if name in expected} == expected
    with Redis.from_url(running.endpoints.redis, decode_responses=True) as redis:
        names = {client["user"] for client in redis.client_list() if client["lib-name"].startswith("redis-py")}
    assert REDIS_USER in names


@pytest.fixture
def limited(servers: Servers) -> Iterator[Callable[[bool], WaitingLine]]:
    """Queues as Redis's limited user, with or without the address of one that may load functions."""
    yield from _limited(servers)


def _limited(servers: Servers) -> Iterator[Callable[[bool], WaitingLine]]:
    with Redis.from_url(servers.redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", REDIS_USER, "reset", "on", ">secret", *REDIS_RULES.split())
        yield lambda with_loader: open_line(
            _as_limited(servers.redis_url), servers.redis_url if with_loader else "", timeout=2.0
        )
        admin.execute_command("ACL", "DELUSER", REDIS_USER)


def _as_limited(url: str) -> str:
    return url.replace("redis://:", f"redis://{REDIS_USER}:x", 1).replace(
        f"{REDIS_USER}:x{urlsplit(url).password}@", f"{REDIS_USER}:secret@"
    )


@pytest.fixture
async def line(limited: Callable[[bool], WaitingLine]) -> AsyncIterator[WaitingLine]:
    opened = limited(True)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "command",
    [
        ("EVAL", "return 1", "0"),
        ("SCRIPT", "LOAD", "return 1"),
        ("FUNCTION", "LOAD", "REPLACE", "#!lua name=evil\nredis.register_function('evil', function() end)"),
        ("FUNCTION", "FLUSH"),
        ("CONFIG", "SET", "dir", "/tmp"),
        ("CONFIG", "GET", "requirepass"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("ACL", "LIST"),
        ("SHUTDOWN", "NOSAVE"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("MIGRATE", "127.0.0.1", "1", "tq:{CW}:meta", "0", "1"),
        ("PUBLISH", "channel", "x"),
        ("GET", "somebody-elses"),
        ("SET", "somebody-elses", "x"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("MONITOR",),
    ],
)
def test_the_limited_user_of_redis_cannot_do_more(
    servers: Servers, limited: Callable[[bool], WaitingLine], command: tuple[str, ...]
) -> None:
    """Row 74: no script, function, configuration, listing, flush, nor anybody else's key."""
    with Redis.from_url(_as_limited(servers.redis_url)) as redis, pytest.raises(NoPermissionError):
        redis.execute_command(*command)


async def test_a_long_queue_works_as_the_limited_user_in_small_calls(
    line: WaitingLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L16: hosted servers limit the arguments of a command; a day's end moves thousands at once."""
    sizes: list[int] = []
    fcall = Pipeline.fcall

    def counted(self: Any, *words: Any) -> Any:
        sizes.append(len(words))
        return fcall(self, *words)

    monkeypatch.setattr(Pipeline, "fcall", counted)
    name, many = department_id(), 2_501
    ask = Ask(name, DAY, 0, 0)
    await line.install(ask, [LineEntry(number, Priority.NORMAL, number) for number in range(1, many + 1)])
    joins = [LineChange(True, LineEntry(number, Priority.URGENT, number)) for number in range(many + 1, 2 * many)]
    leaves = [LineChange(False, LineEntry(number, Priority.NORMAL, 0)) for number in range(1, many)]
    assert list(await line.advance([Advance(name, DAY, 0, 1, [*joins, *leaves], 7)])) == [1]
    state = await line.state(name, DAY)
    assert state.token_ids == [*range(many + 1, 2 * many), many]
    assert (state.at, state.last_no) == (1, 7)
    assert max(sizes) <= 1_000
    assert list(await line.advance([Advance(name, DAY, 0, 1, [*joins, *leaves], 7)])) == [1], "not in step: no effect"
    assert (await line.state(name, DAY)).token_ids == state.token_ids


async def test_without_a_user_who_loads_functions_it_is_down_and_says_so(
    servers: Servers, limited: Callable[[bool], WaitingLine], caplog: pytest.LogCaptureFixture
) -> None:
    with Redis.from_url(servers.redis_url) as admin:
        admin.function_flush()
    opened = limited(False)
    with pytest.raises(LineDown):
        await opened.install(Ask(department_id(), DAY, 0, 0), [])
    await opened.close()
    assert "may not load them" in caplog.text
    found = {finding.name: finding for finding in await probe(_as_limited(servers.redis_url))}
    assert not found["redis functions"].ok
    assert "deploy/redis/users.acl" in found["redis functions"].hint
    found = {finding.name: finding for finding in await probe(_as_limited(servers.redis_url), servers.redis_url)}
    assert found["redis functions"].ok
