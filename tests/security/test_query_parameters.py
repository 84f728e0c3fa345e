"""What a request asks for is bounded. Row 38."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from tests.security.processes import running
from tests.servers import Servers
from tokenq.contract.enums import Role
from tokenq_server.api.app import create_app
from tokenq_server.settings import ServerSettings

APP: FastAPI = create_app(ServerSettings())
PATHS = APP.openapi()["paths"]
LOOKS_LIKE_A_PATTERN = (".*", "(a+)+$", "%", "_", "^", "[", "\\", "*", "' OR 1=1 --", "$ne", "\u202e", "\x00", "\ud7ff")


def parameters() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, name and schema of every query parameter of every GET route."""
    for path, methods in PATHS.items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                schema = parameter["schema"]
                kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
                yield path, parameter["name"], kinds[0]


def numbers() -> list[tuple[str, str, dict[str, Any]]]:
    return [each for each in parameters() if each[2].get("type") == "integer"]


def texts() -> list[tuple[str, str, dict[str, Any]]]:
    return [each for each in parameters() if each[2].get("type") == "string"]


def url_of(path: str, name: str, value: object) -> str:
    for field, example in {"department_id": "CW", "branch_id": "main", "token_id": "1", "user_id": "1"}.items():
        path = path.replace(f"{{{field}}}", example)
    return f"{path}?{name}={quote(str(value))}"


@pytest.fixture(scope="module")
async def admin(servers: Servers, schema: str) -> AsyncIterator[httpx.AsyncClient]:
    database = servers.new_database(schema)
    async with running(database, servers.redis_url, number=1) as one:
        await one.department()
        yield one.client(await one.key(Role.ADMIN))
    servers.drop_database(database)


def test_every_query_parameter_is_bounded() -> None:
    """A new one without limits is found here."""
    assert len(numbers()) > 6
    for path, name, schema in parameters():
        if schema.get("type") == "integer":
            assert {"minimum", "maximum"} <= schema.keys(), (path, name)
        elif schema.get("type") == "array":
            assert "maxItems" in schema, (path, name)
        elif schema.get("type") == "string":
            assert {"maxLength", "pattern", "format", "enum"} & schema.keys(), (path, name)


@pytest.mark.parametrize("value", [10**9, 10**30, -1, "1e9", "NaN", "0x10", "1.5", "true", "", "٣", " 1 ; DROP"])
async def test_an_impossible_number_is_refused(admin: httpx.AsyncClient, value: object) -> None:
    """A limit of a thousand million would read everything; a page before the first one does not exist."""
    for path, name, schema in numbers():
        if isinstance(value, int) and schema["minimum"] <= value <= schema["maximum"]:
            continue
        answer = await admin.get(url_of(path, name, value))
        assert answer.status_code == 422, (path, name, value, answer.text)
        assert answer.json()["code"] == "invalid"


async def test_an_offset_does_not_exist(admin: httpx.AsyncClient) -> None:
    """Pages are found by a cursor."""
    for offset in (-1, 10**9, "x"):
        assert (await admin.get(f"/api/v1/tokens?offset={offset}")).status_code == 422


@pytest.mark.parametrize("value", LOOKS_LIKE_A_PATTERN, ids=ascii)
async def test_a_filter_is_no_pattern(admin: httpx.AsyncClient, value: str) -> None:
    """It finds nothing or is refused, and never everything."""
    await admin.post("/api/v1/departments/CW/tokens", json={})
    for path, name, _ in texts():
        answer = await admin.get(url_of(path, name, value))
        assert answer.status_code in (200, 400, 403, 404, 409, 422), (path, name, answer.text)
        if path == "/api/v1/tokens" and answer.status_code == 200:
            assert answer.json()["items"] == []


@pytest.mark.parametrize(
    "query",
    ["&".join(["state=WAITING"] * 1000), "&".join(["limit=1"] * 1000 + ["limit=1000000000"])],
    ids=["a thousand states", "the limit a thousand times"],
)
async def test_a_parameter_that_is_repeated_without_end_is_refused(admin: httpx.AsyncClient, query: str) -> None:
    assert (await admin.get(f"/api/v1/tokens?{query}")).status_code == 422
