"""The event stream: reconnects by itself, resumes where it was, notices a dead link, ends when told."""

import json
import ssl
import threading
from itertools import islice
from pathlib import Path

import pytest

from tests.certificates import make_authority
from tests.http_fake import FakeServer, fake_server, says
from tokenq.client import events
from tokenq.client.events import EventArrived, LinkChanged, Resync, follow
from tokenq.client.sse import Message, Parser
from tokenq.client.transport import Server
from tokenq.contract.certificates import fingerprint_of
from tokenq.contract.problems import Refused
from tokenq.errors import BadReply, ChangedCertificate


def message(seq: int, kind: str = "TOKEN_CALLED") -> bytes:
    data = json.dumps({"eventType": kind, "departmentId": "CW", "tokenId": 1, "seq": seq})
    return f"id: CW:{seq}\nevent: {kind}\ndata: {data}\n\n".encode()


def streams(*parts: bytes, then=None):
    """A step that sends parts of a stream, then ends it or does ``then``."""

    def step(asked):
        asked.handler.send_response(200)
        asked.handler.send_header("Content-Type", "text/event-stream")
        asked.handler.send_header("Connection", "close")
        asked.handler.end_headers()
        for part in parts:
            asked.handler.wfile.write(part)
        if then is not None:
            then(asked)
        asked.handler.close_connection = True

    return step


def arrivals(fake: FakeServer, count: int, last: str | None = None):
    with_end = follow(Server(fake.url, "tq_x", timeout=2), ["CW", "HR"], last, threading.Event())
    try:
        return list(islice(with_end, count))
    finally:
        with_end.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(events, "_FIRST_PAUSE", 0.01)


def test_events_come_with_their_position_after_the_link_is_live():
    with fake_server(streams(b": hello\n\n", message(1), message(2))) as fake:
        live, first, second = arrivals(fake, 3)
    assert live == LinkChanged(is_live=True)
    assert (first.position, first.event.seq) == ("CW:1", 1)
    assert (second.position, second.event.event_type) == ("CW:2", "TOKEN_CALLED")
    assert fake.asked[0].path == "/events?departmentId=CW&departmentId=HR"
    assert fake.asked[0].headers["authorization"] == "Bearer tq_x"


def test_a_broken_stream_resumes_after_the_last_event_seen():
    with fake_server(streams(message(1)), streams(message(2))) as fake:
        found = arrivals(fake, 5, last="CW:0")
    assert [type(one) for one in found] == [LinkChanged, EventArrived, LinkChanged, LinkChanged, EventArrived]
    assert [asked.headers["last-event-id"] for asked in fake.asked[:2]] == ["CW:0", "CW:1"]
    assert found[2].is_live is False


def test_a_server_that_is_away_is_said_once_and_tried_again():
    with fake_server(says(503, {"code": "unavailable"}), says(502, b"proxy"), streams(message(1))) as fake:
        lost, live, event = arrivals(fake, 3)
    assert (lost.is_live, live.is_live) == (False, True)
    assert isinstance(event, EventArrived)


def test_a_certificate_that_changes_is_said_though_the_link_was_lost_already_and_the_stream_goes_on_trying(tmp_path):
    """A server that restarts with another certificate is first lost for another reason."""
    for name in ("known", "other"):
        make_authority(tmp_path, name)
    known, other = ((str(tmp_path / f"{name}.pem"), str(tmp_path / f"{name}.key")) for name in ("known", "other"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*known)
    fingerprint = fingerprint_of(ssl.PEM_cert_to_DER_cert(Path(known[0]).read_text()))
    with fake_server(
        streams(message(1), then=lambda _: context.load_cert_chain(*other)), streams(message(2)), tls=context
    ) as fake:
        found = follow(Server(fake.url, "tq_x", timeout=2, fingerprint=fingerprint), [], None, threading.Event())
        live, _, ended, changed = islice(found, 4)
        context.load_cert_chain(*known)
        again, event = islice(found, 2)
        found.close()
    assert (live.is_live, ended.is_live, ended.wrong_certificate) == (True, False, None)
    assert isinstance(changed.wrong_certificate, ChangedCertificate)
    assert "has changed" in changed.sentence
    assert (again.is_live, event.position) == (True, "CW:2")


def test_a_resync_is_passed_on_and_forgets_the_position():
    """The old position is what the server could not serve; asking for it again would never end."""
    resync = b"event: resync\ndata: {}\n\n"
    with fake_server(streams(resync), streams(message(9))) as fake:
        found = arrivals(fake, 5, last="CW:1")
    assert found[1] == Resync()
    assert "last-event-id" not in fake.asked[1].headers


def test_a_refusal_ends_the_stream():
    refusal = says(401, {"code": "unauthenticated", "detail": "Who are you?"})
    with fake_server(refusal) as fake, pytest.raises(Refused, match="Who are you"):
        arrivals(fake, 1)


def test_a_record_that_is_no_event_is_passed_over():
    with fake_server(streams(b"data: {}\n\n", b"data: nonsense\n\n", message(3))) as fake:
        live, event = arrivals(fake, 2)
    assert live.is_live
    assert event.event.seq == 3


def test_a_silent_link_is_noticed(monkeypatch):
    monkeypatch.setattr(events, "SILENCE_SECONDS", 0.2)
    with fake_server(says(200)) as fake:
        fake.steps = [streams(message(1), then=fake.is_silent)]
        _live, _event, lost = arrivals(fake, 3)
    assert "silent" in lost.sentence


@pytest.mark.timeout(20)
def test_setting_stop_from_another_thread_ends_a_blocked_reader(monkeypatch):
    """A screen that is left must not hang until the next event."""
    monkeypatch.setattr(events, "SILENCE_SECONDS", 600.0)
    stop = threading.Event()
    with fake_server(says(200)) as fake:
        fake.steps = [streams(message(1), then=fake.is_silent)]
        reader = follow(Server(fake.url), [], None, stop)
        assert [type(one) for one in islice(reader, 2)] == [LinkChanged, EventArrived]
        threading.Timer(0.05, stop.set).start()
        assert list(reader) == []


def test_closing_the_reader_sets_stop():
    stop = threading.Event()
    with fake_server(streams(message(1))) as fake:
        reader = follow(Server(fake.url), [], None, stop)
        next(reader)
        reader.close()
    assert stop.is_set()


def test_messages_are_the_same_however_the_bytes_are_cut():
    raw = b": ping\r\nid: CW:1\r\nevent: a\r\ndata: x\r\ndata:y\r\n\r\ndata: \xe2\x80\xa8z\n\n"
    expected = [Message("a", "x\ny", "CW:1"), Message("message", "\u2028z", "CW:1")]
    for size in range(1, len(raw) + 1):
        parser = Parser()
        found = [one for start in range(0, len(raw), size) for one in parser.feed(raw[start : start + size])]
        assert found == expected


@pytest.mark.parametrize("flood", [b"data: x\n" * 200_000, b"x" * 1_100_000])
def test_a_message_without_end_is_cut_off(flood):
    with pytest.raises(BadReply):
        Parser().feed(flood)
