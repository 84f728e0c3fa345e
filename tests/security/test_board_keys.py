"""Keys with the role ``board``: they read what hangs in the lobby anyway, and nothing else."""

import json
import secrets
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from tests.integration.test_api_access import INSIDE, PUBLIC, example_of
from tests.integration.test_api_events import watching
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id
from tokenq.client import Client, Server
from tokenq.client.events import Arrival, EventArrived, LinkChanged, follow
from tokenq.contract import paths
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import decode
from tokenq_server.api.app import ROUTES

MAY = {"/events", "/api/v1/events", "/api/v1/branches/{branch_id}/board", "/api/v1/auth/me"}
CANARY = "Canary Yellowbird"
CANARIES = (CANARY, "canary@example.com", "canary-actor", "canary-reason", "canary-room")


@dataclass
class Lobby:
    """A department in a branch of its own, and a board's key for it."""

    stack: Stack
    admin: Client
    department: str
    branch: str
    key: str

    def ask(self, method: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.request(method, self.stack.endpoints.api + path, headers=headers, timeout=10)


@pytest.fixture
def lobby(running: Stack) -> Iterator[Lobby]:
    name = department_id()
    with Client(running.endpoints.api, running.token) as admin:
        admin.create_branch({"branchId": name.lower(), "name": "A branch of its own"})
        admin.create_department({"departmentId": name, "name": f"Department {name}", "branchId": name.lower()})
        key = admin.create_key({"label": f"lobby {name}", "role": "board", "departments": [name]})["key"]
        yield Lobby(running, admin, name, name.lower(), key)


def test_every_other_route_is_forbidden(lobby: Lobby) -> None:
    """Rows 3 to 5, for boards: generated from the route table, so that a new route is forbidden, too."""
    for route in ROUTES:
        if route.path in PUBLIC | INSIDE | MAY:
            continue
        answer = lobby.ask(min(route.methods), example_of(route))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), route.path


def test_what_it_may_read_it_reads(lobby: Lobby) -> None:
    assert lobby.ask("GET", "/api/v1/auth/me").json()["role"] == "board"
    view = lobby.ask("GET", f"/api/v1/branches/{lobby.branch}/board").json()
    assert [department["departmentId"] for department in view["departments"]] == [lobby.department]


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("staff", 200), ("desk", 403), ("customer", 403)])
def test_the_public_state_is_for_boards_and_staff(lobby: Lobby, role: str, status: int) -> None:
    lobby.key = lobby.admin.create_key({"label": "x", "role": role, "departments": []})["key"]
    assert lobby.ask("GET", f"/api/v1/branches/{lobby.branch}/board").status_code == status


def test_it_watches_its_departments_only(lobby: Lobby) -> None:
    """Row 3, for boards."""
    other = department_id()
    lobby.admin.create_department({"departmentId": other, "name": "Other", "branchId": lobby.branch})
    refused = lobby.ask("GET", f"/events?departmentId={other}")
    assert (refused.status_code, refused.json()["reason"]) == (403, "department.not_on_board")
    server = Server(lobby.stack.endpoints.api, lobby.key)
    with closing(cast(Generator[Arrival, None, None], follow(server, [], None, threading.Event()))) as arrivals:
        assert next(arrivals) == LinkChanged(is_live=True)
        lobby.admin.issue(other)
        lobby.admin.issue(lobby.department)
        arrival = next(arrivals)
    assert isinstance(arrival, EventArrived)
    assert arrival.event.department_id == lobby.department
    assert arrival.position == f"{lobby.department}:2"
    view: BoardView = lobby.ask("GET", f"/api/v1/branches/{lobby.branch}/board").json()
    assert other not in json.dumps(view)


def test_the_stream_of_a_key_that_loses_a_department_ends(lobby: Lobby) -> None:
    """Row 9. It may come back, with what it may see then."""
    with watching(lobby.stack, lobby.department, token=lobby.key) as watch:
        keys = lobby.admin.all_of(paths.KEYS)
        (found,) = [key["keyId"] for key in keys if key["label"] == f"lobby {lobby.department}"]
        lobby.admin.change_key(found, {"role": "customer"})
        until(lambda: watch.is_over)


PUBLIC_SETTINGS = {"name", "open", "timezone", "hours", "languages", "counterWords", "branchName"}


def test_events_are_public_fields_only(lobby: Lobby) -> None:
    """Row 65. Canaries go through every place where somebody can write something."""
    stack, name = lobby.stack, lobby.department
    user = f"canary-actor-{secrets.token_hex(2)}"
    password = secrets.token_hex(8)
    lobby.admin.create_user({"name": CANARY, "username": user, "role": "staff", "password": password})
    with Client(stack.endpoints.api) as nobody:
        login = nobody.login(user, password)
    with watching(stack, name, token=lobby.key) as watch, Client(stack.endpoints.api, login["token"]) as staff:
        token = staff.issue(name, email="canary@example.com", name=CANARY)
        called = staff.call(name, "1", token_id=token["tokenId"], reason="canary-reason")
        staff.pause_counter(lobby.branch, "1", "canary-reason")
        staff.move(called, "requeue")
        staff.edit_token(token["tokenId"], name=CANARY + " II")
        lobby.admin.change_department(name, {"name": "Cash"})
        until(lambda: [event["eventType"] for event in watch.events].count("DEPARTMENT_CHANGED") == 1)
    for message in watch.messages:
        assert not [canary for canary in CANARIES if canary in message.get("data", "")]
    for event in watch.events:
        assert not {"email", "userId", "actor", "priority", "name"} & event.keys()
        assert event["data"].keys() <= {"call", "from", "to", "state", "undone", "archived", "settings"}
        assert event["data"].get("settings", {}).keys() <= PUBLIC_SETTINGS
        assert decode(json.dumps(event)).seq == event["seq"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_person_is_no_board(lobby: Lobby, method: str) -> None:
    """A board's role on a login with a password would be an account nobody expects."""
    body: dict[str, Any] = {"name": "Lobby", "role": "board"}
    user = lobby.stack.ask("POST", "/api/v1/users", {"name": "Bob"})[1]["userId"]
    path = "/api/v1/users" if method == "POST" else f"/api/v1/users/{user}"
    status, problem = lobby.stack.ask(method, path, body)
    assert (status, problem["code"]) == (422, "invalid")
    assert "create a key for the board" in problem["detail"]
