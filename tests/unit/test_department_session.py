"""A department's rules, command by command."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.people import ANN, DESK
from tokenq.contract.enums import Priority, RequeuePosition, TokenState
from tokenq.contract.events import EventType
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.domain import calling, issuing, moving
from tokenq_server.domain.commands import CallNext, CallToken, Issue, MoveToken, ServeNext
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CW = Department("CW", "Cash window", prefix="CW")


@pytest.fixture
def session() -> DepartmentSession:
    return DepartmentSession(CW, DepartmentHead(date(2026, 11, 22)), NOW, Counters())


def issue(session: DepartmentSession, count: int = 1, **more: object) -> list[Token]:
    first = session.head.last_no + 1
    return [issuing.issue(session, Issue("CW", DESK, **more), 100 + first + index) for index in range(count)]  # type: ignore[arg-type]


def call(session: DepartmentSession, counter: str = "1") -> Token:
    return calling.call_next(session, CallNext("CW", ANN, counter))


def move(session: DepartmentSession, token: Token, verb: Verb, **more: object) -> Token:
    return moving.move(session, MoveToken("CW", ANN, token.token_id, verb, token.claim_version, **more))  # type: ignore[arg-type]


def refused(code: ProblemCode) -> AbstractContextManager[object]:
    return pytest.raises(Refused, check=lambda error: error.problem.code is code)


def test_numbers_count_from_one_and_read_well(session: DepartmentSession) -> None:
    """People compare display numbers with the board."""
    assert [token.display for token in issue(session, 3)] == ["CW-001", "CW-002", "CW-003"]


def test_first_come_first_called(session: DepartmentSession) -> None:
    """The first implementation called the last one who came."""
    tokens = issue(session, 3)

    called = [call(session, counter) for counter in "123"]

    assert [one.token_id for one in called] == [one.token_id for one in tokens]


def test_pressing_next_twice_is_harmless(session: DepartmentSession) -> None:
    """A double press must not send two people to one counter."""
    issue(session, 2)

    assert call(session).token_id == call(session).token_id
    assert len(session.records) == 3


def test_a_counter_of_another_department_is_busy(session: DepartmentSession) -> None:
    """One desk, one person, whatever department they came from."""
    issue(session)
    held = replace(call(session), department_id="HR", display="HR-004", counter_id="9")
    session.counters.occupy(held)

    with refused(ProblemCode.COUNTER_BUSY):
        call(session, "9")


def test_calling_out_of_order_keeps_its_reason(session: DepartmentSession) -> None:
    """Skipping the line must be explainable, to the staff of the department: the words stand beside the event."""
    tokens = issue(session, 3)

    called = calling.call_token(session, CallToken("CW", ANN, "1", tokens[2].token_id, "wheelchair"))

    assert called.display == "CW-003"
    assert called.reason == session.records[-1].data["reason"] == "called out of order"
    assert session.records[-1].note == "wheelchair"
    assert call(session, "2").display == "CW-001"


def test_serve_next_calls_and_serves_in_one_step(session: DepartmentSession) -> None:
    """The seed's one-step serve leaves both events."""
    issue(session)

    served = calling.serve_next(session, ServeNext("CW", ANN, "1"))

    assert served.state is TokenState.SERVED
    assert [record.event_type for record in session.records[1:]] == [EventType.TOKEN_CALLED, EventType.TOKEN_SERVED]
    assert session.records[-1].token.counter_id == "1"
    assert session.counters.held("main", "1") is None


def test_serve_next_serves_whom_the_counter_holds(session: DepartmentSession) -> None:
    """Who stands at the counter goes before who waits."""
    issue(session, 2)
    held = call(session)

    assert calling.serve_next(session, ServeNext("CW", ANN, "1")).token_id == held.token_id


def test_a_stale_claim_changes_nothing(session: DepartmentSession) -> None:
    """A slow desk must not finish somebody whom another desk has called meanwhile."""
    issue(session)
    first = call(session)
    move(session, first, Verb.REQUEUE)
    call(session, "2")
    events = len(session.records)

    with refused(ProblemCode.STALE_CLAIM):
        move(session, first, Verb.SERVE)
    assert len(session.records) == events


def test_the_same_move_twice_by_the_same_claim_is_one_move(session: DepartmentSession) -> None:
    """A retried serve is answered like the first."""
    issue(session)
    called = call(session)

    assert move(session, called, Verb.SERVE) == move(session, called, Verb.SERVE)
    assert len(session.records) == 3


def test_a_move_the_table_does_not_know_is_refused(session: DepartmentSession) -> None:
    """A waiting token cannot be served around the call."""
    (token,) = issue(session)

    with refused(ProblemCode.WRONG_STATE):
        move(session, token, Verb.NO_SHOW)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (RequeuePosition.ORIGINAL, ["CW-001", "CW-002", "CW-003"]),
        (RequeuePosition.FIRST, ["CW-001", "CW-002", "CW-003"]),
        (RequeuePosition.LAST, ["CW-002", "CW-003", "CW-001"]),
    ],
)
def test_a_requeued_token_goes_where_it_was_put(
    session: DepartmentSession, position: RequeuePosition, expected: list[str]
) -> None:
    """Back in its own place, before all, or behind all."""
    issue(session, 3)
    move(session, call(session), Verb.REQUEUE, position=position)

    assert [call(session, counter).display for counter in "345"] == expected


def test_first_means_before_those_with_an_older_place(session: DepartmentSession) -> None:
    """'first' puts even a late one before everybody of its class."""
    tokens = issue(session, 3)
    late = calling.call_token(session, CallToken("CW", ANN, "1", tokens[2].token_id, "asked"))
    move(session, late, Verb.REQUEUE, position=RequeuePosition.FIRST)

    assert call(session, "2").display == "CW-003"


def test_a_user_holds_one_live_token_per_department(session: DepartmentSession) -> None:
    """Two tokens for one person are one person too many in line; after serving, a new one is fine."""
    issue(session, user_id=55)

    with refused(ProblemCode.ALREADY_WAITING):
        issue(session, user_id=55)

    calling.serve_next(session, ServeNext("CW", ANN, "1"))
    assert issue(session, user_id=55)[0].display == "CW-002"


def test_a_closed_department_issues_nothing_but_serves_on() -> None:
    """Who is in line when the doors close is still served."""
    session = DepartmentSession(CW, DepartmentHead(date(2026, 11, 22)), NOW, Counters())
    issue(session)
    session.department = replace(CW, is_open=False)

    with refused(ProblemCode.DEPARTMENT_CLOSED):
        issue(session)
    assert call(session).display == "CW-001"


def test_an_empty_queue_is_said_so(session: DepartmentSession) -> None:
    """Nobody there is no failure of the server."""
    with refused(ProblemCode.QUEUE_EMPTY):
        call(session)


def test_a_new_day_starts_at_one_and_closes_the_old(session: DepartmentSession) -> None:
    """Who was not called expires with an event of the old day; seq goes on, numbers start again."""
    left, called = issue(session, 2)
    calling.call_token(session, CallToken("CW", ANN, "1", called.token_id, "asked"))
    tomorrow = DepartmentSession(CW, session.head, NOW + timedelta(days=1), Counters())

    assert tomorrow.day_is_over
    tomorrow.roll_over(session.changed.values())

    assert [(record.event_type, record.token.token_id) for record in tomorrow.records] == [
        (EventType.TOKEN_EXPIRED, left.token_id)
    ]
    assert {record.token.day for record in tomorrow.records} == {left.day}
    assert sum(tomorrow.head.waiting.values()) == 0
    assert issuing.issue(tomorrow, Issue("CW", DESK), 9).display == "CW-001"
    assert [record.seq for record in tomorrow.records] == [4, 5]


def test_who_was_called_is_not_ended_by_the_clock(session: DepartmentSession) -> None:
    """A night ward keeps the people at its counters at four in the morning; parked ones expire as the waiting do."""
    issue(session, 3)
    called, served, parked = (call(session, counter) for counter in ("1", "2", "3"))
    move(session, served, Verb.START)
    move(session, parked, Verb.PARK)
    tomorrow = DepartmentSession(CW, session.head, NOW + timedelta(days=1), Counters())
    tomorrow.load(session.changed.values())
    tomorrow.roll_over(list(session.changed.values()))

    states = {token_id: token.state for token_id, token in tomorrow.tokens.items()}
    assert (states[called.token_id], states[served.token_id], states[parked.token_id]) == (
        TokenState.CALLED,
        TokenState.SERVING,
        TokenState.EXPIRED,
    )
    assert tomorrow.token(served.token_id).display == "CW-002"


def test_a_night_ward_keeps_who_waits_with_number_place_and_class(session: DepartmentSession) -> None:
    first, second = issue(session, 2)
    urgent = issuing.issue(session, Issue("CW", DESK, priority=Priority.URGENT), 55)
    ward = replace(CW, rules=replace(CW.rules, day_end="keep"))
    tomorrow = DepartmentSession(ward, session.head, NOW + timedelta(days=1), Counters())
    tomorrow.load(session.changed.values())
    tomorrow.load_heads(session.changed.values())
    tomorrow.roll_over(list(session.changed.values()))
    tomorrow.load_taken_numbers({token.display for token in (first, second, urgent)})

    assert tomorrow.records == []
    assert tomorrow.head.waiting == session.head.waiting
    assert issuing.issue(tomorrow, Issue("CW", DESK), 99).display == "CW-004"
    assert [call(tomorrow, counter).display for counter in "1234"] == ["CW-003", "CW-001", "CW-002", "CW-004"]


def test_a_number_that_somebody_live_carries_is_left_out(session: DepartmentSession) -> None:
    """No two people have one number: the entry says how many were left out, and the cap does not count them."""
    session.load_taken_numbers({"CW-001", "CW-003"})
    first, second = issue(session, 2)

    assert (first.display, second.display) == ("CW-002", "CW-004")
    assert [record.data.get("skipped") for record in session.records] == [1, 1]
    assert (session.head.last_no, session.head.given) == (4, 2)


def test_the_ticket_s_position_counts_everybody_before_it(session: DepartmentSession) -> None:
    """Two priority people and one normal are ahead of the second normal one at 2:1."""
    issue(session, 1)
    issue(session, 2, priority=Priority.PRIORITY)
    issue(session)

    assert session.records[-1].data["position"] == 4


def test_a_refused_command_leaves_no_trace(session: DepartmentSession) -> None:
    """A batch goes on after a refusal; nothing of the refused command may be written."""
    issue(session)
    before = (session.head, list(session.records), dict(session.changed))

    with refused(ProblemCode.UNKNOWN_TOKEN):
        moving.move(session, MoveToken("CW", ANN, 999, Verb.CANCEL))

    assert (session.head, session.records, session.changed) == before
