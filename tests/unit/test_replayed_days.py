"""A log replayed over the end of a day: who was called stays, and logs of the release before are still true."""

import json
from datetime import UTC, date, datetime
from typing import Any

from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.events import EventType, from_wire
from tokenq_server.domain.invariants.entries import LogEntry, Stored
from tokenq_server.domain.invariants.numbering import Numbers
from tokenq_server.domain.invariants.replay import Replay
from tokenq_server.domain.invariants.tally import Tally

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 11, 23), date(2026, 11, 22)


def entry(seq: int, kind: EventType, token: int, number: int = 0, day: date = YESTERDAY, **data: Any) -> LogEntry:
    body = {
        "eventType": kind,
        "seq": seq,
        "departmentId": "CW",
        "tokenId": token,
        "tokenNo": number or token,
        "businessDay": day.isoformat(),
        "counterId": "1" if kind == EventType.TOKEN_CALLED else None,
        "data": data,
    }
    joins = {EventType.TOKEN_GENERATED: True, EventType.TOKEN_CALLED: False}.get(kind)
    stored = Stored(seq, str(kind), token, json.dumps(body), joins, Priority.NORMAL, token, NOW)
    return LogEntry(stored, from_wire(body), day)


ISSUED, CALLED, EXPIRED = EventType.TOKEN_GENERATED, EventType.TOKEN_CALLED, EventType.TOKEN_EXPIRED
ENDED_AT_THE_COUNTER = [
    entry(1, ISSUED, 1),
    entry(2, CALLED, 1, reason="first in line"),
    entry(3, EXPIRED, 1),
]


def violations(entries: list[LogEntry], **settings: Any) -> list[str]:
    tally = Tally()
    replay = Replay("CW", tally, **settings)
    for one in entries:
        replay.take(one)
    return sorted(tally.violations)


def test_the_clock_ends_nobody_who_was_called() -> None:
    assert violations(ENDED_AT_THE_COUNTER) == ["S3"]


def test_what_the_release_before_did_is_no_violation() -> None:
    assert violations(ENDED_AT_THE_COUNTER, old_seq=3) == []
    assert violations(ENDED_AT_THE_COUNTER, old_seq=2) == ["S3"]


def test_a_token_that_ended_is_remembered_for_the_day_after() -> None:
    """Its last move may be taken back after the turn of the day; a day later nothing can happen to it."""
    replay = Replay("CW", Tally())
    for one in (entry(1, ISSUED, 1), entry(2, CALLED, 1, reason="first in line"), entry(3, EventType.TOKEN_SERVED, 1)):
        replay.take(one)
    assert replay.over(TODAY) == []
    assert [life.state for life in replay.over(TODAY)] == [TokenState.SERVED]
    assert replay.over(TODAY) == []


def numbers(*issued: LogEntry) -> list[str]:
    tally = Tally()
    checked = Numbers("CW", tally, lambda _: YESTERDAY)
    for one in issued:
        checked.issued(one)
    for one in issued:
        checked.row(YESTERDAY, one.event.token_no)
    return sorted(tally.violations)


def test_a_gap_is_allowed_as_far_as_the_entry_behind_it_says() -> None:
    assert numbers(entry(1, ISSUED, 1, 1), entry(2, ISSUED, 2, 4, skipped=2)) == []
    assert numbers(entry(1, ISSUED, 1, 1), entry(2, ISSUED, 2, 4, skipped=1)) == ["N2"]
    assert numbers(entry(1, ISSUED, 1, 1), entry(2, ISSUED, 2, 4)) == ["N2"]
    assert numbers(entry(1, ISSUED, 1, 1), entry(2, ISSUED, 2, 4, skipped="2")) == ["N2"]
