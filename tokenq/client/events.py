"""The live event stream: an endless iterator that reconnects automatically and reports it."""

import json
import random
import socket
import ssl
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# httpx pulls in its own command line as soon as click is installed: 140 ms and nothing we use.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from tokenq.client.sse import Message, Parser  # noqa: E402
from tokenq.client.transport import Server, failed_handshake  # noqa: E402
from tokenq.contract.events import BadEvent, Event, decode  # noqa: E402
from tokenq.contract.paths import EVENTS, LAST_EVENT_ID_HEADER  # noqa: E402
from tokenq.contract.problems import Problem, Refused  # noqa: E402
from tokenq.errors import BadReply, ChangedCertificate, UntrustedCertificate  # noqa: E402

SILENCE_SECONDS = 20.0
"""The server speaks at least every 15 s, if only by a comment; longer silence means a dead link."""

MAX_REFUSAL_BYTES = 64 * 1024
"""Of a longer answer instead of a stream, no word is believed."""

_CONNECT_SECONDS = 3.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class EventArrived:
    """An event and the position after it, to resume from as ``last_event_id``."""

    event: Event
    position: str


@dataclass(frozen=True)
class Resync:
    """Some events were missed: fetch the queues again, then continue."""


@dataclass(frozen=True)
class LinkChanged:
    """The stream became live, or was lost for the reason in ``sentence`` and is being retried.

    ``wrong_certificate`` is that the server's certificate is not the right one: only a person can mend that.
    """

    is_live: bool
    sentence: str = ""
    wrong_certificate: BadReply | None = None


Arrival = EventArrived | Resync | LinkChanged


def follow(
    server: Server, departments: Sequence[str], last_event_id: str | None, stop: threading.Event
) -> Generator[Arrival, None, None]:
    """Events of ``departments`` (none given: of all that the caller may see) until ``stop`` is set.

    Reconnects with growing pauses and resumes after the last position seen. The first arrival is always a
    :class:`LinkChanged`; a second loss in a row is not repeated, except once for a wrong certificate. Setting ``stop``
    from any thread ends the iterator at once; closing the iterator sets ``stop``.

    Raises:
        Refused: the server will never let this caller read (401, 403, 404 …).
        BadSettings: the server's address is not usable.
    """
    server.split()
    reader = _Reader(server, departments, last_event_id or "", stop)
    threading.Thread(target=reader.cut_when_stopped, name="tokenq-events-stop", daemon=True).start()
    try:
        yield from _without_repeats(reader.arrivals())
    finally:
        stop.set()


def _without_repeats(arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
    last: tuple[bool, bool] | None = None
    for arrival in arrivals:
        if isinstance(arrival, LinkChanged):
            link = (arrival.is_live, arrival.wrong_certificate is not None)
            # A server that restarts with another certificate is first lost for another reason.
            if link == last or (last == (False, True) and not arrival.is_live):
                continue
            last = link
        yield arrival


class _Reader:
    """One stream over any number of connections."""

    def __init__(self, server: Server, departments: Sequence[str], position: str, stop: threading.Event) -> None:
        self._server = server
        self._departments = list(departments)
        self._position = position
        self._stop = stop
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._failures = 0

    def arrivals(self) -> Iterator[Arrival]:
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        with httpx.Client(
            timeout=timeout, verify=self._server.trust(), trust_env=False, follow_redirects=False
        ) as http:
            while not self._stop.is_set():
                yield from self._one_connection(http)
                self._failures += 1
                self._stop.wait(_pause(self._failures))

    def cut_when_stopped(self) -> None:
        """Wake a blocked read by shutting its socket down."""
        self._stop.wait()
        with self._lock:
            if self._socket is not None:
                _shut_down(self._socket)

    def _one_connection(self, http: httpx.Client) -> Iterator[Arrival]:
        query = {"departmentId": self._departments}
        watch = {"trace": self._remember_socket}
        try:
            with http.stream(
                "GET", self._server.url + EVENTS, params=query, headers=self._headers(), extensions=watch
            ) as response:
                if response.status_code != httpx.codes.OK:
                    yield _lost_link(response)
                    return
                yield from self._read(response)
            lost = LinkChanged(is_live=False, sentence="The server ended the event stream.")
        except httpx.ReadTimeout:
            lost = LinkChanged(is_live=False, sentence=f"The server was silent for {SILENCE_SECONDS:.0f} seconds.")
        except httpx.HTTPError as error:
            lost = _lost_connection(self._server, error)
        except BadReply as error:
            lost = LinkChanged(is_live=False, sentence=str(error))
        if not self._stop.is_set():
            yield lost

    def _read(self, response: httpx.Response) -> Iterator[Arrival]:
        parser = Parser()
        for number, chunk in enumerate(response.iter_raw()):
            self._failures = 0
            if number == 0:
                # The server's first word, not its head, says that it watches: what comes from here on is not missed.
                yield LinkChanged(is_live=True)
            for message in parser.feed(chunk):
                arrival = self._arrival(message)
                if arrival is not None:
                    yield arrival
                if self._stop.is_set():
                    return

    def _arrival(self, message: Message) -> Arrival | None:
        self._position = message.last_id or self._position
        if message.event == "resync":
            self._position = message.last_id
            return Resync()
        try:
            return EventArrived(decode(message.data), self._position)
        except BadEvent:
            return None

    def _remember_socket(self, moment: str, particulars: dict[str, Any]) -> None:
        """Keep the socket of each new connection; if ``stop`` came in the meantime, nobody else will shut it."""
        if moment not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            return
        with self._lock:
            self._socket = particulars["return_value"].get_extra_info("socket")
            if self._stop.is_set() and self._socket is not None:
                _shut_down(self._socket)

    def _headers(self) -> dict[str, str]:
        # Uncompressed: a few bytes of an answer could otherwise unfold to any size.
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "User-Agent": "tokenq"}
        if self._server.token:
            headers["Authorization"] = f"Bearer {self._server.token}"
        if self._position:
            headers[LAST_EVENT_ID_HEADER] = self._position
        return headers


def _lost_connection(server: Server, error: httpx.HTTPError) -> LinkChanged:
    """A certificate that is not the right one is told; the way back to it stays open."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            failure = failed_handshake(server, cause)
            wrong = failure if isinstance(failure, ChangedCertificate | UntrustedCertificate) else None
            return LinkChanged(is_live=False, sentence=str(failure), wrong_certificate=wrong)
        cause = cause.__cause__ or cause.__context__
    return LinkChanged(is_live=False, sentence="The event stream is unavailable or was interrupted.")


def _lost_link(response: httpx.Response) -> LinkChanged:
    """Return a temporary failure of the server as a lost link; raise a permanent refusal."""
    status = response.status_code
    problem = Problem.from_wire(_refusal(response), status)
    if status < 500 and status not in (408, 429):
        raise Refused(problem)
    return LinkChanged(is_live=False, sentence=problem.detail)


def _refusal(response: httpx.Response) -> Any:
    """Return the body of a refusal, or ``None`` if it is no JSON, has no end, or takes too long."""
    body, latest = b"", time.monotonic() + SILENCE_SECONDS
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_REFUSAL_BYTES or time.monotonic() > latest:
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _pause(failures: int) -> float:
    longest = min(_FIRST_PAUSE * 2**failures, _LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads clients, guards nothing


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
