"""The live stream: its events, who may see what, and resuming."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id


@dataclass
class Watch:
    """An open stream and what it received."""

    messages: list[dict[str, str]] = field(default_factory=list)
    status: int = 0
    is_over: bool = False

    @property
    def events(self) -> list[dict[str, Any]]:
        """The data of all messages that have any."""
        return [json.loads(message["data"]) for message in self.messages if "data" in message]

    def read(self, response: httpx.Response) -> None:
        message: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                message[name] = value
            else:
                self.messages.append(message)
                message = {}


@contextmanager
def watching(stack: Stack, department: str, last: str | None = None, token: str | None = None) -> Iterator[Watch]:
    watch = Watch()
    headers = {"Authorization": f"Bearer {token or stack.token}"} | ({"Last-Event-ID": last} if last else {})
    with (
        httpx.Client(timeout=30) as client,
        client.stream("GET", f"{stack.endpoints.api}/events?departmentId={department}", headers=headers) as response,
    ):
        watch.status = response.status_code

        def read() -> None:
            with suppress(httpx.HTTPError):
                watch.read(response)
            watch.is_over = True

        reader = threading.Thread(target=read)
        reader.start()
        try:
            until(lambda: watch.messages or watch.is_over)
            yield watch
        finally:
            stack.ask("POST", f"/api/v1/departments/{department}/tokens", {})
            response.extensions["network_stream"].close()
            reader.join(10)


@pytest.fixture
def department(running: Stack) -> str:
    name = department_id()
    running.ask("PUT", f"/api/v1/departments/{name}", {"name": "Cash window"})
    return name


def issue(stack: Stack, department: str, **body: object) -> None:
    stack.ask("POST", f"/api/v1/departments/{department}/tokens", body)


def test_events_come_as_they_happen(running: Stack, department: str) -> None:
    """Consoles depend on this."""
    with watching(running, department) as watch:
        issue(running, department)
        running.ask("POST", f"/api/v1/departments/{department}/call", {"counterId": department})
        until(lambda: len(watch.events) >= 2)

    assert [event["eventType"] for event in watch.events[:2]] == ["TOKEN_GENERATED", "TOKEN_CALLED"]
    assert watch.messages[-1] is not None


def test_a_stream_resumes_where_it_was(running: Stack, department: str) -> None:
    """Last-Event-ID: missed events come first, none comes twice."""
    for _ in range(5):
        issue(running, department)
    with watching(running, department, last=f"{department}:2") as watch:
        issue(running, department)
        until(lambda: len(watch.events) >= 4)

    assert [event["seq"] for event in watch.events[:4]] == [3, 4, 5, 6]
    assert [message["id"] for message in watch.messages if "data" in message][:2] == [
        f"{department}:3",
        f"{department}:4",
    ]


def test_an_unknown_position_means_refetch(running: Stack, department: str) -> None:
    """After a restore the server may know less than the client: it says so instead of guessing."""
    with watching(running, department, last=f"{department}:999") as watch:
        until(lambda: any(message.get("event") == "resync" for message in watch.messages))


def test_addresses_show_to_staff_of_the_department_only(running: Stack, department: str) -> None:
    """A kiosk must not learn who waits."""
    body = {"label": "kiosk", "role": "desk", "departments": []}
    key = running.ask("POST", "/api/v1/keys", body)[1]["key"]
    with watching(running, department, token=key) as watch, watching(running, department) as staff:
        issue(running, department, email="ada@example.com")
        until(lambda: watch.events and staff.events)

    assert watch.events[0]["email"] is None
    assert staff.events[0]["email"] == "ada@example.com"


def test_who_works_at_a_counter_shows_to_staff_only(running: Stack, department: str) -> None:
    """The lobby sees that a counter is open, not its operator."""
    key = running.ask("POST", "/api/v1/keys", {"label": "kiosk", "role": "desk", "departments": []})[1]["key"]
    at, name = f"c-{department}", {"counterId": f"c-{department}", "departments": [department]}
    with watching(running, department, token=key) as watch, watching(running, department) as staff:
        running.ask("POST", "/api/v1/branches/main/counters/open", name)
        until(lambda: watch.events and staff.events)

    shown, hidden = staff.events[0], watch.events[0]
    assert (shown["eventType"], shown["counterId"], hidden["counterId"]) == ("COUNTER_OPENED", at, at)
    assert shown["data"]["operator"]
    assert (hidden["data"]["operator"], hidden["actor"], hidden["data"]["state"]) == (None, "", "OPEN")
    path = f"{running.endpoints.api}/api/v1/departments/{department}/queue"
    seen = [
        {
            counter["counterId"]: counter["operator"]
            for counter in httpx.get(path, headers=headers, timeout=10).json()["counters"]
        }
        for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"Bearer {running.token}"})
    ]
    assert seen[0][at] is None
    assert seen[1][at]


def test_a_department_s_settings_come_when_they_change(running: Stack, department: str) -> None:
    """Consoles receive an admin's changes without polling."""
    with watching(running, department) as watch:
        running.ask("PATCH", f"/api/v1/departments/{department}", {"undoMinutes": 9})
        until(lambda: watch.events)

    assert watch.events[0]["eventType"] == "DEPARTMENT_CHANGED"
    assert watch.events[0]["data"]["settings"]["undoMinutes"] == 9


def test_other_departments_are_not_in_the_stream(running: Stack, department: str) -> None:
    """A stream for one department contains only that one."""
    other = department_id()
    running.ask("PUT", f"/api/v1/departments/{other}", {"name": "Other"})
    with watching(running, department) as watch:
        issue(running, other)
        issue(running, department)
        until(lambda: watch.events)

    assert {event["departmentId"] for event in watch.events} == {department}


def test_a_department_that_never_was_is_refused(running: Stack, department: str) -> None:
    """A misspelt one would be silent for ever; one that was deleted has events, and others to be watched with it."""
    events = f"{running.endpoints.api}/events?departmentId={department}&departmentId="
    headers = {"Authorization": f"Bearer {running.token}"}
    answer = httpx.get(events + "N0PE", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_department")
    gone = department_id()
    running.ask("PUT", f"/api/v1/departments/{gone}", {"name": "Gone"})
    running.ask("DELETE", f"/api/v1/departments/{gone}")
    with httpx.stream("GET", events + gone, headers=headers, timeout=10) as stream:
        assert stream.status_code == 200


@pytest.mark.parametrize("last", ["nonsense", "CW:1;HR:2", "x" * 20_000])
def test_an_invalid_position_is_refused(running: Stack, last: str) -> None:
    """Before the stream starts, as a problem."""
    headers = {"Authorization": f"Bearer {running.token}", "Last-Event-ID": last}
    answer = httpx.get(f"{running.endpoints.api}/events", headers=headers, timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_revoked_key_ends_its_streams(running: Stack, department: str) -> None:
    """Open streams end with the permission."""
    key = running.ask("POST", "/api/v1/keys", {"label": "screen", "role": "staff", "departments": []})[1]
    with watching(running, department, token=key["key"]) as watch:
        running.ask("DELETE", f"/api/v1/keys/{key['keyId']}")
        until(lambda: watch.is_over)


async def test_a_hundred_streams_at_once_get_no_more_places_than_one_after_the_other(running: Stack) -> None:
    """And whoever hangs up, even before the first byte, gives the place back."""
    key = running.ask("POST", "/api/v1/keys", {"label": "screens", "role": "staff", "departments": []})[1]["key"]

    async def accepted() -> int:
        headers, limits = {"Authorization": f"Bearer {key}"}, httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=running.endpoints.api, headers=headers, timeout=20, limits=limits) as api:
            requests = [api.send(api.build_request("GET", "/events"), stream=True) for _ in range(100)]
            answers = await asyncio.gather(*requests)
            statuses = Counter(answer.status_code for answer in answers)
            await asyncio.gather(*(answer.aclose() for answer in answers))
            assert statuses.keys() == {200, 429}, statuses
            return statuses[200]

    assert await accepted() == 32
    for _ in range(20):  # the server notices at its next write that nobody reads
        await asyncio.sleep(0.5)
        if (again := await accepted()) == 32:
            return
    raise AssertionError(f"only {again} places came back")
