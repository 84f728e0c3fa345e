"""Well-formed requests go straight to their routes, all others through the framework."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException
from starlette.types import Message

from tests.people import DESK
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.verbs import VERBS
from tokenq_server.api.app import ROUTES
from tokenq_server.api.direct_routes import DirectRoute, DirectRoutes
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.requests import Answer, Request

ISSUE = "/api/v1/departments/CW/tokens"
USUAL = ((b"authorization", b"Bearer tq_x"), (b"content-type", b"application/json"), (b"idempotency-key", b"k1"))
FRAMEWORK = b"by the framework"


class Apis:
    """Direct routes around a framework that only says that it was asked, with services that note commands."""

    def __init__(self) -> None:
        self.commands: list[Request] = []
        self.bodies: list[bytes] = []
        self.noted: list[Any] = []
        self.failure: Exception | None = None
        services = SimpleNamespace(
            public_limit=SimpleNamespace(caller=self._caller),
            issuing=SimpleNamespace(submit=self._submit),
            refusals=SimpleNamespace(note=self.noted.append),
        )
        self._app = SimpleNamespace(state=SimpleNamespace(services=services, routes=ROUTES))
        self._direct = DirectRoutes(self._framework, ROUTES, 1000)

    async def ask(
        self, path: str = ISSUE, body: bytes = b"{}", *, headers: Any = USUAL, method: str = "POST", parts: int = 1
    ) -> tuple[int, bytes]:
        """Return status and content of the answer. The body comes in so many parts; in none: the client hangs up."""
        self.scope: dict[str, Any] = {
            "type": "http",
            "app": self._app,
            "method": method,
            "path": path,
            "headers": list(headers),
        }
        arriving = self._arriving(body, parts)
        sent: list[Message] = []

        async def receive() -> Message:
            message = next(arriving)
            if isinstance(message, Exception):
                raise message
            return message

        async def send(message: Message) -> None:
            sent.append(message)

        try:
            await self._direct(self.scope, receive, send)
        finally:
            self.status = sent[0]["status"]
            self.content = b"".join(message.get("body", b"") for message in sent)
        return self.status, self.content

    def _arriving(self, body: bytes, parts: int) -> Iterator[Any]:
        if not parts:
            yield {"type": "http.disconnect"}
        for part in range(parts):
            cut = len(body) // parts
            content = body[part * cut :] if part == parts - 1 else body[part * cut : (part + 1) * cut]
            yield {"type": "http.request", "body": content, "more_body": part < parts - 1}
        if parts == -1:
            yield HTTPException(408)

    async def _framework(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": FRAMEWORK})

    async def _caller(self, bearer: str, source: str) -> Any:
        assert bearer == "tq_x"
        return DESK

    async def _submit(self, request: Request) -> Answer:
        if self.failure:
            raise self.failure
        self.commands.append(request)
        return Answer({"tokenId": 1}, is_new=True)  # type: ignore[arg-type]


@pytest.fixture
def apis() -> Apis:
    return Apis()


def test_the_routes_of_everyday_work_are_direct() -> None:
    names: set[str] = {direct.shape[-1] for route in ROUTES if (direct := DirectRoute.of(route))}
    assert {"tokens", "call", "serve"} | {str(verb) for verb in VERBS if VERBS[verb].is_by_people} - {"edit"} <= names
    assert "tokens:batch" not in names


async def test_a_well_formed_request_goes_straight_to_its_route(apis: Apis) -> None:
    assert await apis.ask(body=b'{"name":"Ann"}') == (201, b'{"tokenId":1}')
    (request,) = apis.commands
    assert (request.command.name, request.key, request.principal) == ("Ann", "k1", DESK.identity)  # type: ignore[union-attr]
    assert apis.bodies == []
    assert apis.scope["route"].path.endswith("/{department_id}/tokens")


def without(name: bytes) -> list[tuple[bytes, bytes]]:
    return [header for header in USUAL if header[0] != name]


UNUSUAL = {
    "another method": {"method": "GET"},
    "another path": {"path": "/api/v1/departments"},
    "a batch": {"path": ISSUE + ":batch"},
    "a department in small letters": {"path": "/api/v1/departments/cw/tokens"},
    "a line break in the path": {"path": "/api/v1/departments/CW\n/tokens"},
    "token 0": {"path": "/api/v1/tokens/0/serve"},
    "a token with a sign": {"path": "/api/v1/tokens/+1/serve"},
    "a token in other digits": {"path": "/api/v1/tokens/١/serve"},
    "a token beyond all numbers": {"path": "/api/v1/tokens/9999999999999999999/serve"},
    "no JSON": {"body": b"{"},
    "a name twice": {"body": b'{"name":"Ann","name":"Ben"}'},
    "NaN": {"body": b'{"nearTurn":NaN}'},
    "UTF-16": {"body": '{"name":"Ann"}'.encode("utf-16")},
    "an unknown field": {"body": b'{"colour":"red"}'},
    "a wrong field": {"body": b'{"priority":"high"}'},
    "no body": {"body": b""},
    "a body that is too long": {"body": b'{"name":"' + b"A" * 1000 + b'"}'},
    "a body in parts": {"body": b'{"name":"Ann"}', "parts": 3},
    "a client that hangs up": {"parts": 0},
    "no content type": {"headers": without(b"content-type")},
    "another content type": {"headers": [*without(b"content-type"), (b"content-type", b"text/plain")]},
    "a charset": {"headers": [*without(b"content-type"), (b"content-type", b"application/json; charset=utf-8")]},
    "two content types": {"headers": [*USUAL, (b"content-type", b"application/json")]},
    "no login": {"headers": without(b"authorization")},
    "two logins": {"headers": [*USUAL, (b"authorization", b"Bearer tq_y")]},
    "another scheme": {"headers": [*without(b"authorization"), (b"authorization", b"Basic tq_x")]},
    "a login with a blank": {"headers": [*without(b"authorization"), (b"authorization", b"Bearer tq_x ")]},
    "two keys": {"headers": [*USUAL, (b"idempotency-key", b"k2")]},
    "an empty key": {"headers": [*without(b"idempotency-key"), (b"idempotency-key", b"")]},
    "a key with a blank": {"headers": [*without(b"idempotency-key"), (b"idempotency-key", b"k 1")]},
    "a key in another code": {"headers": [*without(b"idempotency-key"), (b"idempotency-key", b"k\xff")]},
}


@pytest.mark.parametrize("request_", UNUSUAL.values(), ids=UNUSUAL)
async def test_what_is_unusual_about_a_request_is_for_the_framework(apis: Apis, request_: dict[str, Any]) -> None:
    assert (await apis.ask(**request_))[1] == FRAMEWORK
    assert apis.commands == []
    if request_.get("method") != "GET" and request_.get("parts") != 0:
        assert apis.bodies == [request_.get("body", b"{}")]


async def test_without_a_key_a_request_is_usual(apis: Apis) -> None:
    assert (await apis.ask(headers=without(b"idempotency-key")))[0] == 201
    assert apis.commands[0].key is None


async def test_what_a_route_refuses_is_answered_and_audited(apis: Apis) -> None:
    apis.failure = refuse(DepartmentReason.MAY_NOT_FORCE)
    status, content = await apis.ask()
    assert (status, json.loads(content)["code"]) == (403, "forbidden")
    assert [(event.code, event.target) for event in apis.noted] == [("forbidden", "department:CW")]


async def test_a_lost_database_is_answered(apis: Apis) -> None:
    apis.failure = LedgerDown()
    status, content = await apis.ask()
    assert (status, json.loads(content)["code"]) == (503, "unavailable")


async def test_a_fault_is_answered_and_raised_for_the_server_s_log(apis: Apis) -> None:
    apis.failure = RuntimeError("a fault")
    with pytest.raises(RuntimeError, match="a fault"):
        await apis.ask()
    assert (apis.status, json.loads(apis.content)["code"]) == (500, "internal")


async def test_a_body_that_does_not_arrive_in_time_is_answered(apis: Apis) -> None:
    status, content = await apis.ask(parts=-1)
    assert (status, json.loads(content)["code"]) == (408, "too_slow")
