"""Who a request comes from: what a named proxy wrote is believed, and nothing else."""

from typing import Any

import pytest

from tokenq.contract.problems import Refused
from tokenq_server.api.proxies import BehindProxies, client_of
from tokenq_server.proxy_networks import address_of, network_of
from tokenq_server.settings import ServerSettings, load

OURS = ServerSettings(trusted_proxies="127.0.0.1, 10.1.0.0/16,, 2001:db8::/32").proxies


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("127.0.0.1, 198.51.100.7,10.1.2.3 , 2001:DB8::1", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7:4711, 10.1.2.3:80", "198.51.100.7"),
        ("203.0.113.1, 2001:dba::7", "2001:dba::7"),
        ("[2001:dba::7]:4711, [2001:db8::1]", "2001:dba::7"),
        ('203.0.113.1, "[2001:dba::7]"', "2001:dba::7"),
        ("203.0.113.1, ::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, ::ffff:10.1.2.3", "198.51.100.7"),
        ("203.0.113.1, 10.1.9.9", "203.0.113.1"),
        ("10.1.8.1, 10.1.8.2, 10.1.9.9", "10.1.9.9"),
        ("10.1.8.1, nonsense, 10.1.9.9", "10.1.9.9"),
        ("198.51.100.7, unknown", None),
        ("198.51.100.7, ", None),
        ("", None),
        (", ".join(f"203.0.113.{n % 250}" for n in range(5_000)) + ", 198.51.100.7", "198.51.100.7"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_client_is_the_last_one_that_is_no_proxy(chain: str, client: str | None) -> None:
    """What stands before it was written by the client. Where all are proxies, nobody can make the last one up."""
    assert client_of(chain, OURS) == client


async def seen(peer: Any, *headers: tuple[str, str], kind: str = "http") -> tuple[Any, Any]:
    """The client and the scheme that a request has behind the middleware."""
    scopes: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "client": peer, "scheme": "http", "headers": raw}
    await BehindProxies(app, OURS)(scope, None, None)  # type: ignore[arg-type]
    return scopes[0]["client"], scopes[0]["scheme"]


async def test_a_stranger_s_headers_are_not_believed() -> None:
    """Neither who they say they are, nor that their way was encrypted; a Unix socket has no address to be named by."""
    headers = ("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https"), ("forwarded", "for=198.51.100.7")
    for peer in (("203.0.113.9", 1), ("127.0.0.2", 1), ("::1", 1), ("", 0), None):
        assert await seen(peer, *headers) == (peer, "http")


async def test_a_named_proxy_s_headers_are_believed() -> None:
    """Also where a socket of both kinds writes its IPv4 address as IPv6, and where the header comes twice."""
    for peer in (("127.0.0.1", 1), ("::ffff:10.1.2.3", 1), ("2001:db8::9", 1)):
        headers = (
            ("x-forwarded-for", "203.0.113.1"),
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-proto", "https"),
        )
        assert await seen(peer, *headers) == (("198.51.100.7", 0), "https")
    assert await seen(("127.0.0.1", 1), ("x-forwarded-proto", "javascript")) == (("127.0.0.1", 1), "http")
    assert await seen(("127.0.0.1", 1), ("x-forwarded-proto", "https, http")) == (("127.0.0.1", 1), "http")
    assert await seen(("127.0.0.1", 1), ("x-forwarded-for", "unknown")) == (("127.0.0.1", 1), "http")


async def test_what_is_no_request_passes() -> None:
    """The start and the end of the application have no client."""
    assert await seen(("127.0.0.1", 1), ("x-forwarded-proto", "https"), kind="lifespan") == (("127.0.0.1", 1), "http")


def test_a_network_of_ipv6_is_one_place() -> None:
    """Everybody who has one address there has 2**64 of them."""
    assert network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::1%eth0") != network_of("2001:db8:1:3::7")
    assert network_of("::ffff:198.51.100.7") == network_of("198.51.100.7") != network_of("198.51.100.8")
    assert (network_of(""), network_of("testclient")) == ("", "testclient")
    assert address_of("1.2.3.4.5") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*", "'*' is too wide: nearly any client could forge its address"),
        ("127.0.0.1,0.0.0.0/0", "'0.0.0.0/0' is too wide: nearly any client could forge its address"),
        ("0.0.0.0/1,128.0.0.0/1", "'0.0.0.0/1' is too wide: nearly any client could forge its address"),
        ("::/0", "'::/0' is too wide: nearly any client could forge its address"),
        ("proxy.example.org", "'proxy.example.org' is not an address or a network"),
        ("10.1.2.3/8", "'10.1.2.3/8' is an address in a network: write 10.0.0.0/8, or the address alone"),
        ("127.0.0.1:80", "'127.0.0.1:80' is not an address or a network"),
        ("127.0.0.1 10.0.0.1", "'127.0.0.1 10.0.0.1' is not an address or a network"),
    ],
)
def test_a_wrong_list_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    monkeypatch.setenv("TOKENQ_TRUSTED_PROXIES", text)
    with pytest.raises(Refused) as refused:
        load()

    assert refused.value.problem.detail == f"The setting TOKENQ_TRUSTED_PROXIES is wrong: {why}."
    assert "List only the proxies" in refused.value.problem.hint


def test_nobody_is_a_proxy_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKENQ_TRUSTED_PROXIES", raising=False)
    assert load().proxies == ()
