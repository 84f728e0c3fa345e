"""The login limit on a real server over loopback: it can't be talked past, and nobody locks somebody else out."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path

import httpx
import pytest

from tests.servers import Servers
from tests.waiting import until
from tokenq_server.embedded.ports import free_port

LOGIN = "/api/v1/auth/login"
GUESSES = 60
Start = Callable[..., "Api"]


class Api:
    """A running API; its log is one JSON object a line."""

    def __init__(self, port: int, log: Path, password: str) -> None:
        self.url, self.log, self.password = f"http://127.0.0.1:{port}", log, password

    def login(self, password: str, *forwarded_for: str, peer: str = "127.0.0.1", **headers: str) -> int:
        """The status of one try."""
        sent = [*headers.items(), *(("X-Forwarded-For", one) for one in forwarded_for)]
        with httpx.Client(transport=httpx.HTTPTransport(local_address=peer)) as client:
            body = {"username": "admin", "password": password}
            return client.post(self.url + LOGIN, headers=sent, json=body, timeout=20).status_code


@pytest.fixture
def start(servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path) -> Iterator[Start]:
    """A factory: ``start(TOKENQ_TRUSTED_PROXIES="127.0.0.1")`` is an API of this test's own with that setting."""
    running: list[subprocess.Popen[bytes]] = []

    def run(**settings: str) -> Api:
        port, log = free_port(), tmp_path / "api.log"
        environment = os.environ | {
            "TOKENQ_ENV": "development",
            "TOKENQ_DATABASE_URL": fresh_database(schema),
            "TOKENQ_REDIS_URL": servers.redis_url,
            "TOKENQ_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            "TOKENQ_PORT": str(port),
            "TOKENQ_ADMIN_TOKEN_FILE": str(tmp_path / "admin.token"),
        }
        with log.open("wb") as file:
            command = [sys.executable, "-m", "tokenq_server", "api"]
            running.append(subprocess.Popen(command, env=environment | settings, stderr=file))
        password = tmp_path / "admin.password"
        until(lambda: running[-1].poll() is not None or password.exists(), 60)
        until(lambda: running[-1].poll() is not None or _answers(f"http://127.0.0.1:{port}/readyz"), 60)
        assert running[-1].poll() is None, log.read_text()
        return Api(port, log, password.read_text().strip())

    yield run
    for process in running:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def guesses(login: Callable[[], int]) -> list[int]:
    """Wrong passwords until one is refused unseen, or as many as nobody should have."""
    codes: list[int] = []
    while len(codes) < GUESSES and 429 not in codes:
        codes.append(login())
    return codes


def addresses() -> Iterator[str]:
    """Another one each time."""
    return (f"203.0.113.{number}" for number in count(1))


@pytest.mark.parametrize(
    "settings", [{}, {"FORWARDED_ALLOW_IPS": "*"}], ids=["as it is", "uvicorn told to believe all"]
)
def test_a_header_that_changes_does_not_get_past_the_limit(start: Start, settings: dict[str, str]) -> None:
    """From this very machine; one line of the log tells whose proxy is not named."""
    api, fresh = start(**settings), addresses()
    codes = guesses(lambda: api.login("wrong password", next(fresh), Forwarded=f"for={next(fresh)}"))

    assert (codes[0], codes[-1]) == (401, 429)
    told = [json.loads(line) for line in api.log.read_text().splitlines() if "TOKENQ_TRUSTED_PROXIES" in line]
    assert [line["peer"] for line in told] == ["127.0.0.1"]


def test_behind_a_named_proxy_clients_are_counted_apart(start: Start) -> None:
    """One who guesses is slowed down; the one whose name it is gets in from elsewhere."""
    api = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1")
    codes = guesses(lambda: api.login("wrong password", "198.51.100.7"))

    assert (codes[0], codes[-1]) == (401, 429)
    assert api.login("wrong password", "198.51.100.8") == 401
    assert api.login(api.password, "198.51.100.8") == 200


def test_a_chain_that_the_client_made_up_is_not_believed(start: Start) -> None:
    """What the proxies put at the end counts, in one header or two, through one proxy or two."""
    api, fresh = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1,10.1.0.0/16"), addresses()
    chains = cycle(
        [
            lambda: (f"{next(fresh)}, 198.51.100.7",),
            lambda: (next(fresh), "198.51.100.7"),
            lambda: (f"127.0.0.1, {next(fresh)}, 198.51.100.7:4711, 10.1.2.3",),
            lambda: (f"{next(fresh)}, ::ffff:198.51.100.7",),
        ]
    )
    codes = guesses(lambda: api.login("wrong password", *next(chains)()))

    assert (codes[0], codes[-1]) == (401, 429)


def test_a_peer_that_is_no_named_proxy_is_not_believed(start: Start) -> None:
    """Though another one is."""
    api, fresh = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1"), addresses()
    codes = guesses(lambda: api.login("wrong password", next(fresh), peer="127.0.0.2"))

    assert (codes[0], codes[-1]) == (401, 429)
    assert api.login("wrong password", "198.51.100.8") == 401


def test_a_list_of_proxies_that_is_wrong_is_one_sentence() -> None:
    """It must not become 'nobody' or 'everybody'."""
    done = subprocess.run(
        [sys.executable, "-m", "tokenq_server", "api"],
        env=os.environ | {"TOKENQ_TRUSTED_PROXIES": "*"},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert "TOKENQ_TRUSTED_PROXIES is wrong: '*' would let nearly everybody say who they are." in done.stderr
    assert "Traceback" not in done.stderr
