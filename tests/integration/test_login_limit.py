"""The login limit on a real server over loopback: it cannot be bypassed, and no one locks out someone else."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.programs import Api, beside, refusal, running_api
from tests.servers import Servers

LOGIN = "/api/v1/auth/login"
GUESSES = 60
Start = Callable[..., Api]


@pytest.fixture
def start(servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path) -> Iterator[Start]:
    """A factory: ``start(TOKENQ_TRUSTED_PROXIES="127.0.0.1")`` starts an API for this test with that setting.

    It shares Redis with other tests, in which everybody comes from the same address: their counts are deleted.
    """
    with ExitStack() as running, Redis.from_url(servers.redis_url) as redis:
        running.callback(_forget, redis)
        _forget(redis)

        def run(**settings: str) -> Api:
            more = {"TOKENQ_ENV": "development", **settings}
            return running.enter_context(running_api(beside(servers, fresh_database(schema)) | more, tmp_path))

        yield run


def _forget(redis: "Redis") -> None:
    for key in redis.scan_iter("tq:limit:*"):
        redis.delete(key)


def login(api: Api, password: str, *forwarded_for: str, peer: str = "127.0.0.1", **headers: str) -> int:
    """The status of one attempt."""
    sent = [*headers.items(), *(("X-Forwarded-For", address) for address in forwarded_for)]
    with httpx.Client(transport=httpx.HTTPTransport(local_address=peer)) as client:
        body = {"username": "admin", "password": password}
        return client.post(api.url + LOGIN, headers=sent, json=body, timeout=20).status_code


def guesses(attempt: Callable[[], int]) -> list[int]:
    """Try wrong passwords until the limit refuses one, or give up."""
    codes: list[int] = []
    while len(codes) < GUESSES and 429 not in codes:
        codes.append(attempt())
    return codes


def addresses() -> Iterator[str]:
    """A different one each time."""
    return (f"203.0.113.{number}" for number in count(1))


@pytest.mark.parametrize(
    "settings", [{}, {"FORWARDED_ALLOW_IPS": "*"}], ids=["as it is", "uvicorn told to believe all"]
)
def test_a_changing_header_does_not_bypass_the_limit(start: Start, settings: dict[str, str]) -> None:
    """From this machine; one log line names the proxy that is not trusted."""
    api, fresh = start(**settings), addresses()
    codes = guesses(lambda: login(api, "wrong password", next(fresh), Forwarded=f"for={next(fresh)}"))

    assert (codes[0], codes[-1]) == (401, 429)
    warnings = [json.loads(line) for line in api.log.read_text().splitlines() if "TOKENQ_TRUSTED_PROXIES" in line]
    assert [warning["peer"] for warning in warnings] == ["127.0.0.1"]


def test_behind_a_trusted_proxy_clients_are_counted_separately(start: Start) -> None:
    """A guesser is throttled; the real user can log in from elsewhere."""
    api = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1")
    codes = guesses(lambda: login(api, "wrong password", "198.51.100.7"))

    assert (codes[0], codes[-1]) == (401, 429)
    assert login(api, "wrong password", "198.51.100.8") == 401
    assert login(api, api.password, "198.51.100.8") == 200


def test_a_forged_chain_is_not_trusted(start: Start) -> None:
    """What the proxies append counts, in one header or two, through one proxy or two."""
    api, fresh = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1,10.1.0.0/16"), addresses()
    chains = cycle(
        [
            lambda: (f"{next(fresh)}, 198.51.100.7",),
            lambda: (next(fresh), "198.51.100.7"),
            lambda: (f"127.0.0.1, {next(fresh)}, 198.51.100.7:4711, 10.1.2.3",),
            lambda: (f"{next(fresh)}, ::ffff:198.51.100.7",),
        ]
    )
    codes = guesses(lambda: login(api, "wrong password", *next(chains)()))

    assert (codes[0], codes[-1]) == (401, 429)


def test_an_unnamed_peer_is_not_trusted(start: Start) -> None:
    """Even if another one is."""
    api, fresh = start(TOKENQ_TRUSTED_PROXIES="127.0.0.1"), addresses()
    codes = guesses(lambda: login(api, "wrong password", next(fresh), peer="127.0.0.2"))

    assert (codes[0], codes[-1]) == (401, 429)
    assert login(api, "wrong password", "198.51.100.8") == 401


def test_an_invalid_list_of_proxies_is_one_sentence() -> None:
    """It must not mean 'none' or 'all'."""
    said = refusal("api", {"TOKENQ_TRUSTED_PROXIES": "*"})

    assert "TOKENQ_TRUSTED_PROXIES is wrong: '*' is too wide: nearly any client could forge its address." in said
