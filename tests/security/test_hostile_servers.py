"""What a server may answer to a client that asks for the event stream: nothing that fills its memory or its time."""

import contextlib
import gzip
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tokenq.client import events
from tokenq.client.events import LinkChanged, follow
from tokenq.client.transport import Server
from tokenq.contract.problems import Refused

ENDLESS = 300 * 1024 * 1024


@contextmanager
def answering(head: bytes, part: bytes, most: int, pause: float = 0.0) -> Iterator[tuple[str, list[int]]]:
    """A raw server that sends a head and then parts, at most this many bytes; yields its URL and what was sent."""
    sent, over = [0], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while not over.is_set():
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(head)
                        while sent[0] < most and not over.wait(pause):
                            connection.sendall(part)
                            sent[0] += len(part)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", sent
        over.set()


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def first(url: str) -> LinkChanged:
    stream = follow(Server(url, "key"), [], None, threading.Event())
    arrival = next(stream)
    stream.close()
    assert isinstance(arrival, LinkChanged)
    return arrival


def memory() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("status", ["403 Forbidden", "503 Service Unavailable", "302 Found", "429 Too Many Requests"])
def test_a_refusal_without_end_is_read_no_further_than_needed(status: str) -> None:
    with answering(head(status, "Content-Type: application/problem+json"), b"x" * 65536, ENDLESS) as (url, sent):
        before = memory()
        if status.startswith(("5", "429")):
            assert not first(url).is_live
        else:
            with pytest.raises(Refused):
                first(url)
        assert memory() - before < ENDLESS / 10
        assert sent[0] < ENDLESS / 2


def test_a_refusal_that_comes_byte_by_byte_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait is short, all of them together would last for ever."""
    monkeypatch.setattr(events, "SILENCE_SECONDS", 0.5)
    with answering(head("403 Forbidden"), b" ", 10**6, pause=0.05) as (url, _), pytest.raises(Refused):
        first(url)


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden"])
def test_a_compressed_answer_is_not_unfolded(status: str) -> None:
    bomb = gzip.compress(b"\n" * ENDLESS, 9)
    with answering(head(status, "Content-Encoding: gzip"), bomb, len(bomb)) as (url, _):
        before = memory()
        with contextlib.suppress(Refused):
            first(url)
        assert memory() - before < ENDLESS / 10


def test_a_refusal_of_usual_length_is_still_told() -> None:
    body = b'{"code": "forbidden", "detail": "This key may not read.", "status": 403, "hint": "' + b"x" * 60_000 + b'"}'
    answer = head("403 Forbidden", f"Content-Length: {len(body)}")
    with answering(answer, body, len(body)) as (url, _), pytest.raises(Refused, match="may not read"):
        first(url)
