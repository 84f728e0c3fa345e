"""A department's rules, command by command."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.people import ANN, DESK
from tokenq.contract.events import EventType
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq.contract.words import Priority, RequeuePosition, TokenState
from tokenq_server.domain import calling, issuing, moving
from tokenq_server.domain.commands import CallNext, CallToken, Issue, MoveToken, ServeNext
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Department, Standing
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.token import Token

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CW = Department("CW", "Cash window", prefix="CW")


@pytest.fixture
def floor() -> Floor:
    return Floor(CW, Standing(date(2026, 11, 22)), NOW, Counters())


def issue(floor: Floor, count: int = 1, **more: object) -> list[Token]:
    first = floor.standing.last_no + 1
    return [issuing.issue(floor, Issue("CW", DESK, **more), 100 + first + index) for index in range(count)]  # type: ignore[arg-type]


def call(floor: Floor, counter: str = "1") -> Token:
    return calling.call_next(floor, CallNext("CW", ANN, counter))


def move(floor: Floor, token: Token, verb: Verb, **more: object) -> Token:
    return moving.move(floor, MoveToken("CW", ANN, token.token_id, verb, token.claim_version, **more))  # type: ignore[arg-type]


def refused(code: ProblemCode) -> object:
    return pytest.raises(Refused, check=lambda error: error.problem.code is code)


def test_numbers_count_from_one_and_read_well(floor: Floor) -> None:
    """People compare display numbers with the board."""
    assert [token.display for token in issue(floor, 3)] == ["CW-001", "CW-002", "CW-003"]


def test_first_come_first_called(floor: Floor) -> None:
    """The first implementation called the last one who came."""
    tokens = issue(floor, 3)

    called = [call(floor, counter) for counter in "123"]

    assert [one.token_id for one in called] == [one.token_id for one in tokens]


def test_pressing_next_twice_is_harmless(floor: Floor) -> None:
    """A double press must not send two people to one counter."""
    issue(floor, 2)

    assert call(floor).token_id == call(floor).token_id
    assert len(floor.records) == 3


def test_a_counter_of_another_department_is_busy(floor: Floor) -> None:
    """One desk, one person, whatever department they came from."""
    issue(floor)
    held = replace(call(floor), department_id="HR", display="HR-004", counter_id="9")
    floor.counters.seat(held)

    with refused(ProblemCode.COUNTER_BUSY):
        call(floor, "9")


def test_calling_out_of_order_keeps_its_reason(floor: Floor) -> None:
    """Skipping the line must be explainable, to the staff of the department: the words stand beside the event."""
    tokens = issue(floor, 3)

    called = calling.call_token(floor, CallToken("CW", ANN, "1", tokens[2].token_id, "wheelchair"))

    assert called.display == "CW-003"
    assert called.reason == floor.records[-1].data["reason"] == "called out of order"
    assert floor.records[-1].note == "wheelchair"
    assert call(floor, "2").display == "CW-001"


def test_serve_next_calls_and_serves_in_one_step(floor: Floor) -> None:
    """The seed's one-step serve leaves both events."""
    issue(floor)

    served = calling.serve_next(floor, ServeNext("CW", ANN, "1"))

    assert served.state is TokenState.SERVED
    assert [record.event_type for record in floor.records[1:]] == [EventType.TOKEN_CALLED, EventType.TOKEN_SERVED]
    assert floor.records[-1].token.counter_id == "1"
    assert floor.counters.held("main", "1") is None


def test_serve_next_serves_whom_the_counter_holds(floor: Floor) -> None:
    """Who stands at the counter goes before who waits."""
    issue(floor, 2)
    held = call(floor)

    assert calling.serve_next(floor, ServeNext("CW", ANN, "1")).token_id == held.token_id


def test_a_stale_claim_changes_nothing(floor: Floor) -> None:
    """A slow desk must not finish somebody whom another desk has called meanwhile."""
    issue(floor)
    first = call(floor)
    move(floor, first, Verb.REQUEUE)
    call(floor, "2")
    events = len(floor.records)

    with refused(ProblemCode.STALE_CLAIM):
        move(floor, first, Verb.SERVE)
    assert len(floor.records) == events


def test_the_same_move_twice_by_the_same_claim_is_one_move(floor: Floor) -> None:
    """A retried serve is answered like the first."""
    issue(floor)
    called = call(floor)

    assert move(floor, called, Verb.SERVE) == move(floor, called, Verb.SERVE)
    assert len(floor.records) == 3


def test_a_move_the_table_does_not_know_is_refused(floor: Floor) -> None:
    """A waiting token cannot be served around the call."""
    (token,) = issue(floor)

    with refused(ProblemCode.WRONG_STATE):
        move(floor, token, Verb.NO_SHOW)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (RequeuePosition.ORIGINAL, ["CW-001", "CW-002", "CW-003"]),
        (RequeuePosition.FIRST, ["CW-001", "CW-002", "CW-003"]),
        (RequeuePosition.LAST, ["CW-002", "CW-003", "CW-001"]),
    ],
)
def test_a_requeued_token_goes_where_it_was_put(floor: Floor, position: RequeuePosition, expected: list[str]) -> None:
    """Back in its own place, before all, or behind all."""
    issue(floor, 3)
    move(floor, call(floor), Verb.REQUEUE, position=position)

    assert [call(floor, counter).display for counter in "345"] == expected


def test_first_means_before_those_with_an_older_place(floor: Floor) -> None:
    """'first' puts even a late one before everybody of its class."""
    tokens = issue(floor, 3)
    late = calling.call_token(floor, CallToken("CW", ANN, "1", tokens[2].token_id, "asked"))
    move(floor, late, Verb.REQUEUE, position=RequeuePosition.FIRST)

    assert call(floor, "2").display == "CW-003"


def test_a_user_holds_one_live_token_per_department(floor: Floor) -> None:
    """Two tokens for one person are one person too many in line; after serving, a new one is fine."""
    issue(floor, user_id=55)

    with refused(ProblemCode.ALREADY_WAITING):
        issue(floor, user_id=55)

    calling.serve_next(floor, ServeNext("CW", ANN, "1"))
    assert issue(floor, user_id=55)[0].display == "CW-002"


def test_a_closed_department_issues_nothing_but_serves_on() -> None:
    """Who is in line when the doors close is still served."""
    floor = Floor(CW, Standing(date(2026, 11, 22)), NOW, Counters())
    issue(floor)
    floor.department = replace(CW, is_open=False)

    with refused(ProblemCode.DEPARTMENT_CLOSED):
        issue(floor)
    assert call(floor).display == "CW-001"


def test_an_empty_queue_is_said_so(floor: Floor) -> None:
    """Nobody there is no failure of the server."""
    with refused(ProblemCode.QUEUE_EMPTY):
        call(floor)


def test_a_new_day_starts_at_one_and_closes_the_old(floor: Floor) -> None:
    """Who was not called expires with an event of the old day; seq goes on, numbers start again."""
    left, called = issue(floor, 2)
    calling.call_token(floor, CallToken("CW", ANN, "1", called.token_id, "asked"))
    tomorrow = Floor(CW, floor.standing, NOW + timedelta(days=1), Counters())

    assert tomorrow.day_is_over
    tomorrow.turn_day(floor.changed.values())

    assert [(record.event_type, record.token.token_id) for record in tomorrow.records] == [
        (EventType.TOKEN_EXPIRED, left.token_id)
    ]
    assert {record.token.day for record in tomorrow.records} == {left.day}
    assert sum(tomorrow.standing.waiting.values()) == 0
    assert issuing.issue(tomorrow, Issue("CW", DESK), 9).display == "CW-001"
    assert [record.seq for record in tomorrow.records] == [4, 5]


def test_who_was_called_is_not_ended_by_the_clock(floor: Floor) -> None:
    """A night ward keeps the people at its counters at four in the morning; parked ones expire as the waiting do."""
    issue(floor, 3)
    called, served, parked = (call(floor, counter) for counter in ("1", "2", "3"))
    move(floor, served, Verb.START)
    move(floor, parked, Verb.PARK)
    tomorrow = Floor(CW, floor.standing, NOW + timedelta(days=1), Counters())
    tomorrow.know(floor.changed.values())
    tomorrow.turn_day(list(floor.changed.values()))

    states = {token_id: token.state for token_id, token in tomorrow.tokens.items()}
    assert (states[called.token_id], states[served.token_id], states[parked.token_id]) == (
        TokenState.CALLED,
        TokenState.SERVING,
        TokenState.EXPIRED,
    )
    assert tomorrow.token(served.token_id).display == "CW-002"


def test_a_number_that_somebody_live_carries_is_left_out(floor: Floor) -> None:
    """No two people have one number: the entry says how many were left out, and the cap does not count them."""
    floor.know_carried({"CW-001", "CW-003"})
    first, second = issue(floor, 2)

    assert (first.display, second.display) == ("CW-002", "CW-004")
    assert [record.data.get("skipped") for record in floor.records] == [1, 1]
    assert (floor.standing.last_no, floor.standing.given) == (4, 2)


def test_the_ticket_s_position_counts_everybody_before_it(floor: Floor) -> None:
    """Two priority people and one normal are ahead of the second normal one at 2:1."""
    issue(floor, 1)
    issue(floor, 2, priority=Priority.PRIORITY)
    issue(floor)

    assert floor.records[-1].data["position"] == 4


def test_a_refused_command_leaves_no_trace(floor: Floor) -> None:
    """A batch goes on after a refusal; nothing of the refused command may be written."""
    issue(floor)
    before = (floor.standing, list(floor.records), dict(floor.changed))

    with refused(ProblemCode.UNKNOWN_TOKEN):
        moving.move(floor, MoveToken("CW", ANN, 999, Verb.CANCEL))

    assert (floor.standing, floor.records, floor.changed) == before
