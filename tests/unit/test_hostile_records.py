"""No record stops a reader: each of them is given what a stranger may write.

The suite gives some hundred random records to each; ``TOKENQ_RECORDS=100000`` gives that many.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fakes import BY_EMAIL
from tests.hostile_records import ODD, REAL, RECORDS, UNREADABLE, written
from tests.refusals import refusal
from tests.screens.board_seeds import FakeStream
from tests.waiting import until
from tokenq.board import department
from tokenq.board.state import Fold
from tokenq.cli.commands.replay import _readable
from tokenq.client.events import EventArrived, LinkChanged, _Reader
from tokenq.client.sse import Parser
from tokenq.client.transport import Server
from tokenq.contract.enums import Priority
from tokenq.contract.events import BadEvent, Event, decode, encode, to_wire
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import BadReply
from tokenq.stream import Arrived, CaughtUp, Link, Skipped, event_stream, items
from tokenq.zones import local
from tokenq_server.adapters.kafka import reader, reading_back
from tokenq_server.domain import history
from tokenq_server.domain.invariants.entries import Stored, read_entry
from tokenq_server.domain.invariants.mail import Mailable, check_mailables
from tokenq_server.domain.invariants.replay import Replay
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.notify.sender import Sender
from tokenq_server.recovery.contiguous_tail import ContiguousTail, TailRecord
from tokenq_server.recovery.token_history import histories
from tokenq_server.services.notifications import Job, RawRecord, Verdict
from tokenq_server.services.publishing import Cursor
from tokenq_tui.board.tail import Tail
from tokenq_tui.console.tail import Tail as ConsoleTail

RUNS = int(os.environ.get("TOKENQ_RECORDS", "300"))
NOW = datetime(2026, 8, 7, 10, 30, tzinfo=UTC)
ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "")


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """A hundred thousand dead letters are as many lines of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class FakeMessage:
    """A message of Kafka's library."""

    def __init__(self, value: bytes | None) -> None:
        self._value = value

    def value(self) -> bytes | None:
        return self._value

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_786_000_000_000

    def key(self) -> bytes | None:
        return b"CW"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def by_decode(record: bytes) -> None:
    """What is taken can be written again, read again and shown on every clock."""
    with suppress(BadEvent):
        event = decode(record)
        again = decode(encode(event))
        assert to_wire(again) == to_wire(event)
        assert all(local(event.timestamp, zone) for zone in ZONES)
        assert "\0" not in json.dumps(to_wire(event), ensure_ascii=False).encode().decode()


def by_notify(record: bytes) -> None:
    jobs, bad = sort_out([RawRecord("token-events", 0, 1, record)])
    assert len(jobs) + len(bad) <= 1


def by_stream(record: bytes) -> None:
    assert isinstance(event_stream._item(FakeMessage(record)), Arrived | Skipped)  # type: ignore[arg-type]


def by_board(record: bytes) -> None:
    fold = Fold()
    fold.apply(decode(written(seq=1)))
    item = event_stream._item(FakeMessage(record))  # type: ignore[arg-type]
    if isinstance(item, Arrived):
        fold.apply(item.event)
        fold.apply(decode(written(seq=18, eventType="TOKEN_CALLED")))
    fold.picture(NOW)


def by_relay_and_rewind(record: bytes) -> None:
    """The read-back, what it proves, and what is told of each token."""
    found = ContiguousTail({"CW": Cursor(16)}, ["CW"])
    event = reading_back._event(FakeMessage(record))  # type: ignore[arg-type]
    if event is not None:
        found.take(TailRecord(event, 0, 7))
        for one in histories([decode(written()), event]).values():
            assert one.end or one.shown is not None
    found.tail()


def by_verify(record: bytes) -> None:
    """As a record of the topic, and as an entry of the log."""
    reader._record(FakeMessage(record))  # type: ignore[arg-type]
    tally, text = Tally(), record.decode("utf-8", "replace")
    replay = Replay("CW", tally)
    with suppress(BadEvent):
        event = decode(record)
        stored = Stored(event.seq, event.event_type, event.token_id, text, True, Priority.NORMAL, 1, datetime.now(UTC))
        for entry in (read_entry("CW", stored, tally), read_entry(event.department_id, stored, tally)):
            if entry is not None:
                replay.take(entry)
                history.visits([history.Entry(entry.event, stored.at)] * 2, "CW")
    replay.over(date(2030, 1, 1))
    read_entry("CW", Stored(17, "TOKEN_GENERATED", 101, text, True, Priority.NORMAL, 17, datetime.now(UTC)), tally)
    check_mailables([Mailable("CW", 17, text, has_letter=False)], lambda *_: True, tally)


def by_console(record: bytes) -> None:
    """As the bytes of the event stream, and as the data of a message in it."""
    with suppress(BadReply):
        for message in Parser().feed(record + b"\n\nid: " + record[:99] + b"\ndata: " + record + b"\n\n"):
            follower = _Reader(Server("http://127.0.0.1:1", "x", 1), [], "", threading.Event())
            arrival = follower._arrival(message)
            assert arrival is None or isinstance(arrival, EventArrived)
            assert all(value.isascii() and value.isprintable() for value in follower._headers().values())


def by_replay(record: bytes) -> None:
    with suppress(ValueError, RecursionError):
        _readable([json.loads(record)])


def by_letters(record: bytes) -> None:
    """An entry of the log that is not what it should be makes a dead letter at worst."""
    with suppress(ValueError, RecursionError):
        event: Any = json.loads(record)
        sender = Sender(None, BY_EMAIL, asyncio.Event())  # type: ignore[arg-type]
        job = Job("CW", 17, "issued", "email", 101, "ada@example.com", event, None, "Cash", 1)
        assert asyncio.run(sender._try(job)).verdict in (Verdict.SENT, Verdict.PERMANENT)


READERS: list[Callable[[bytes], None]] = [
    by_decode,
    by_notify,
    by_stream,
    by_board,
    by_relay_and_rewind,
    by_verify,
    by_console,
    by_replay,
    by_letters,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__[3:])
def test_no_record_of_the_corpus_stops_a_reader(read: Callable[[bytes], None]) -> None:
    for record in (*UNREADABLE.values(), *ODD.values()):
        read(record or b"")


@pytest.mark.timeout(3600)
@settings(max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_no_random_record_stops_a_reader(record: bytes) -> None:
    for read in READERS:
        read(record)


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_event_is_told_apart(what: str) -> None:
    """By BadEvent and nothing else, and as one dead letter."""
    record = UNREADABLE[what]
    with pytest.raises(BadEvent):
        decode(record)
    jobs, (bad,) = sort_out([RawRecord("token-events", 0, 1, record or b"")])
    assert (jobs, bool(bad.error)) == ([], True)
    with suppress(UnicodeDecodeError), pytest.raises(BadEvent):
        decode((record or b"").decode())


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_an_event_all_the_same(what: str) -> None:
    """Whoever ignores unknown types and fields today reads tomorrow's records."""
    assert decode(ODD[what]).department_id == "CW"


def test_a_board_goes_on_after_an_event_it_cannot_take_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever that may be one day: it counts as unreadable, and the next call is shown."""
    right = department._move

    def wrong_at_13(state: department.Department, event: Event) -> Any:
        if event.token_no == 13:
            raise ZeroDivisionError
        return right(state, event)

    monkeypatch.setattr(department, "_move", wrong_at_13)
    now = {"timestamp": datetime.now(UTC).isoformat(), "businessDay": f"{datetime.now():%Y-%m-%d}"}
    calls = [
        decode(written(eventType="TOKEN_CALLED", seq=no, tokenNo=no, tokenId=no, displayNumber=f"CW-{no}", **now))
        for no in (12, 13, 14)
    ]
    source = FakeStream([items.LinkChanged(Link.LIVE), CaughtUp(), *(Arrived(one, 0.1) for one in calls)])
    tail = Tail(lambda: source, (), lambda: None)
    tail.start()
    try:
        until(lambda: {call.number for call in tail.take().picture.calls} == {"CW-12", "CW-14"})
        assert tail.take().skipped == 1
    finally:
        tail.stop()


def test_a_console_goes_on_after_a_stream_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fetches all the while, and follows again."""
    monkeypatch.setattr("tokenq_tui.console.tail.POLL_SECONDS", 0.01)
    asked: list[str] = []
    feeds: list[int] = []

    class Desk:
        def me(self) -> Any:
            return {"departments": ["CW"]}

        def departments(self) -> Any:
            return []

        def queue(self, department: str) -> Any:
            asked.append(department)
            raise Refused(refusal(ProblemCode.UNAVAILABLE, "away").problem)

    def feed(_departments: Sequence[str], stop: threading.Event) -> Any:
        feeds.append(1)
        try:
            yield LinkChanged(is_live=True)
            raise ZeroDivisionError
        finally:
            stop.set()

    tail = ConsoleTail(Desk(), feed, [], lambda _: None)  # type: ignore[arg-type]
    tail.start()
    try:
        until(lambda: len(feeds) > 2 and len(asked) > 5)
    finally:
        tail.stop()


def test_the_corpus_is_what_it_says() -> None:
    """The example that everything is made from is an event whose letter is due."""
    (job,) = sort_out([RawRecord("token-events", 0, 1, written())])[0]
    assert (job.kind, job.seq) == ("issued", REAL["seq"])
