"""Where relay and notify are watched, over HTTP."""

import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from tokenq_server.adapters.metrics.monitor import monitored
from tokenq_server.embedded.ports import free_port
from tokenq_server.services.vital_signs import VitalSigns


@pytest.fixture
def signs() -> VitalSigns:
    return VitalSigns("enqueuer", "sender")


@pytest.fixture
def client(signs: VitalSigns) -> Iterator[httpx.Client]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with monitored("127.0.0.1", port, "notify", signs), httpx.Client(base_url=url, trust_env=False) as found:
        yield found


def test_it_lives_before_it_is_ready(client: httpx.Client, signs: VitalSigns) -> None:
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
    signs.well("enqueuer"), signs.well("sender")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "parts": {"enqueuer": "working", "sender": "working"}}
    signs.ill("sender")
    assert client.get("/readyz").json()["parts"]["sender"] == "failing"


def test_what_it_counts_is_there_from_the_start(client: httpx.Client, signs: VitalSigns) -> None:
    assert "tokenq_notify_records_total 0.0" in client.get("/metrics").text.splitlines()
    signs.count("notify_records", 3)
    signs.count("notifications", channel="email", kind="called", result="sent")
    signs.well("sender")
    lines = client.get("/metrics").text.splitlines()
    assert "tokenq_notify_records_total 3.0" in lines
    assert 'tokenq_notifications_total{channel="email",kind="called",result="sent"} 1.0' in lines
    assert 'tokenq_part_working{part="sender"} 1.0' in lines
    assert 'tokenq_part_working{part="enqueuer"} 0.0' in lines
    assert not [line for line in lines if "relay" in line]


def test_nothing_else_is_there(client: httpx.Client) -> None:
    assert client.get("/").status_code == 404
    assert client.post("/metrics").status_code == 501
    head = client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")


def test_a_connection_that_says_nothing_stops_nobody(client: httpx.Client) -> None:
    url = client.base_url
    with socket.create_connection((url.host, url.port or 0)), socket.create_connection((url.host, url.port or 0)):
        assert client.get("/healthz").status_code == 200


def test_whoever_cannot_be_watched_works_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken, caplog.at_level(logging.ERROR):
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with monitored("127.0.0.1", taken.getsockname()[1], "relay", VitalSigns("relay")):
            pass
    assert [record.message for record in caplog.records] == ["nobody can watch this program"]
