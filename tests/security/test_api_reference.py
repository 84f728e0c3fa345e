"""The reference of the API and its figures (L14, row 15): own files, for this machine and those who run the place."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tests.stack import Stack

ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}
"""A proxy on this machine that nobody has named speaks for a stranger."""


def get(url: str, path: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(url + path, headers=headers, timeout=10)


def test_the_page_shows_every_operation_and_loads_nothing(running: Stack) -> None:
    document = get(running.endpoints.api, "/openapi.json", {}).json()
    page = get(running.endpoints.api, "/docs", {})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert not re.search(r"<(script|link|img|iframe)|src=|url[(]|@import|https?://", page.text)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_a_stranger_does_not_see_it(running: Stack, path: str) -> None:
    stranger = get(running.endpoints.api, path, ELSEWHERE)
    assert stranger.status_code == 401
    assert stranger.json()["code"] == "unauthenticated"
    admin = {"Authorization": f"Bearer {running.token}"}
    assert get(running.endpoints.api, path, ELSEWHERE | admin).status_code == 200


def test_staff_do_not_see_it_from_elsewhere(running: Stack) -> None:
    _, key = running.ask("POST", "/api/v1/keys", {"label": "desk", "role": "desk", "departments": []})
    as_desk = {"Authorization": f"Bearer {key['key']}"}
    assert get(running.endpoints.api, "/docs", ELSEWHERE | as_desk).status_code == 403
    assert get(running.endpoints.api, "/metrics", ELSEWHERE | as_desk).status_code == 200


@pytest.fixture(scope="module")
def strict(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = {"TOKENQ_MIGRATE": "1", "TOKENQ_STRICT": "1", "TOKENQ_EVENTS_EMAIL": "omit"}
    with running_api(beside(servers, servers.new_database()) | settings, tmp_path_factory.mktemp("strict")) as running:
        yield running


def test_figures_need_a_key_from_elsewhere(running: Stack, strict: Api) -> None:
    """For one release, strangers are only logged."""
    assert get(running.endpoints.api, "/metrics", ELSEWHERE).status_code == 200
    assert "figures were asked for without a key" in (running.data_dir / "log" / "api.log").read_text()
    assert get(strict.url, "/metrics", {}).status_code == 200
    assert get(strict.url, "/metrics", ELSEWHERE).status_code == 401
    key = {"Authorization": f"Bearer {strict.token}"}
    assert get(strict.url, "/metrics", ELSEWHERE | key).status_code == 200
    made = httpx.post(f"{strict.url}/api/v1/keys", json={"label": "prometheus", "role": "board"}, headers=key).json()
    of_a_board = {"Authorization": f"Bearer {made['key']}"}
    assert get(strict.url, "/metrics", ELSEWHERE | of_a_board).status_code == 200


def test_it_can_be_switched_off(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = beside(servers, servers.new_database()) | {"TOKENQ_MIGRATE": "1", "TOKENQ_DOCS": "0"}
    with running_api(settings, tmp_path_factory.mktemp("closed")) as api:
        for path in ("/docs", "/openapi.json"):
            assert get(api.url, path, {"Authorization": f"Bearer {api.token}"}).status_code == 404


def test_a_program_of_this_machine_is_local_beside_a_named_proxy(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The monitoring asks the API itself; whom the proxy speaks for is not local."""
    more = {"TOKENQ_MIGRATE": "1", "TOKENQ_TRUSTED_PROXIES": "127.0.0.1", "TOKENQ_STRICT": "1"}
    settings = beside(servers, servers.new_database()) | more | {"TOKENQ_EVENTS_EMAIL": "omit"}
    with running_api(settings, tmp_path_factory.mktemp("proxied")) as api:
        assert get(api.url, "/metrics", {}).status_code == 200
        assert get(api.url, "/metrics", ELSEWHERE).status_code == 401
        assert get(api.url, "/docs", {"X-Forwarded-For": "127.0.0.1"}).status_code == 401
