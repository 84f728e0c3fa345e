"""The figures of a running system, as Prometheus reads them."""

import secrets
from collections.abc import Mapping

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.notifying import enqueue_all
from tests.integration.test_serving_floor import department
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import Core
from tokenq.client import Client
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.watching import PostgresWatching

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def read(running: Stack, program: str = "api") -> Samples:
    """Every sample of a program, by its name and labels."""
    answer = httpx.get(f"{getattr(running.endpoints, program)}/metrics", timeout=20)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"tokenq_{name}", frozenset((key.rstrip("_"), text) for key, text in labels.items())), -1)


def test_who_waits_is_counted_per_department_and_class(admin: Client, running: Stack) -> None:
    name = department(admin)
    for priority in ("normal", "normal", "urgent"):
        admin.issue(name, priority=priority)
    samples = read(running)
    found = {each: value(samples, "waiting", department=name, class_=each) for each in ("urgent", "priority", "normal")}
    assert found == {"urgent": 1, "priority": 0, "normal": 2}


def test_calls_and_services_are_distributions(admin: Client, running: Stack) -> None:
    name = department(admin)
    token = admin.issue(name)
    with psycopg.connect(running.endpoints.postgres) as connection:
        earlier = "UPDATE token SET waiting_since = now() - interval '7 minutes' WHERE token_id = %s"
        connection.execute(earlier, [token["tokenId"]])
    called = admin.call(name, f"{name}1")
    admin.move(called, "serve")
    samples = read(running)
    assert value(samples, "wait_seconds_bucket", department=name, le="300.0") == 0
    assert value(samples, "wait_seconds_bucket", department=name, le="600.0") == 1
    assert value(samples, "service_seconds_count", department=name) == 1
    assert value(samples, "events_total", department=name, type="TOKEN_CALLED") == 1
    assert value(samples, "batch_requests_count") >= 4
    assert value(samples, "batch_seconds_count") == value(samples, "batch_requests_count")


def test_counters_that_serve_are_counted(admin: Client, running: Stack) -> None:
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch whose counters serve nobody else"})
    name = department(admin, branchId=branch)
    admin.open_counter(branch, "1", [name])
    until(lambda: value(read(running), "open_counters", department=name) == 1)


def test_what_is_published_is_no_backlog(admin: Client, running: Stack) -> None:
    name = department(admin)
    admin.issue(name)
    until(lambda: value(read(running), "relay_backlog", department=name) == 0)


async def test_what_nobody_publishes_or_sends_is_behind(core: Core) -> None:
    """As when relay and notify are gone: two events wait, and a letter that should have been tried."""
    database = Database(core.dsn, size=1)
    await enqueue_all(core, queue := PostgresNotificationQueue(database, 10))
    watching = PostgresWatching(database)
    assert (await watching.figures()).letters_due == 0
    name = await core.department()
    await core.issue(name, email="ada@example.org")
    await enqueue_all(core, queue)
    early = await watching.figures()
    assert (early.letters_due, early.letters_overdue) == (1, 0)
    for state, lease in (("due", None), ("sending", "now() - interval '2 minutes'")):
        await core.rows(
            f"UPDATE mail_job SET due_at = now() - interval '2 minutes', state = '{state}',"
            f" lease_until = {lease or 'NULL'} RETURNING 1"
        )
        assert (await watching.figures()).letters_overdue == 1
    await core.rows("UPDATE mail_job SET lease_until = now() + interval '1 minute' RETURNING 1")
    late = await watching.figures()
    assert (late.letters_due, late.letters_overdue) == (1, 0)
    assert {each.department_id: each.unpublished for each in late.departments} == {name: 2}
    assert 0 < late.unpublished_for < 600
    await database.close()


def test_relay_and_notify_say_what_they_do(admin: Client, running: Stack) -> None:
    before = value(read(running, "relay"), "relay_published_total")
    admin.issue(department(admin), email="ada@example.org")
    until(lambda: value(read(running, "relay"), "relay_published_total") >= before + 2)
    sent = {"channel": "email", "kind": "issued", "result": "sent"}
    until(lambda: value(read(running, "notify"), "notifications_total", **sent) >= 1)
    for program in ("relay", "notify"):
        ready = httpx.get(f"{getattr(running.endpoints, program)}/readyz")
        assert (ready.status_code, set(ready.json()["parts"].values())) == (200, {"working"})


@pytest.mark.parametrize("program", ["api", "relay", "notify"])
def test_the_process_is_measured_and_no_series_says_when_it_was_made(running: Stack, program: str) -> None:
    samples = read(running, program)
    names = {name for name, _ in samples}
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= names
    assert not [name for name in names if name.endswith("_created")]
