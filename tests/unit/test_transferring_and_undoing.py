"""Transfers and undo: a token goes to another department and back, and every move can be taken back."""

from dataclasses import replace

import pytest

from tests.unit.sessions import ANN, Room, refused, with_rules
from tests.unit.test_moving import in_state
from tokenq.contract.enums import Priority, RequeuePosition, TokenState
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.token import Token


def same(one: Token, other: Token) -> bool:
    """Whether two are the same but for the fence and the way back."""
    return replace(one, claim_version=0, undo=None) == replace(other, claim_version=0, undo=None)


def test_a_transferred_token_keeps_its_number_and_waits_anew() -> None:
    """The person has one number on paper, whatever rooms they are sent through."""
    room = Room("CW", "HR")
    room.issue("HR")
    room.issue()
    room.later(minutes=7)
    moved = room.transfer(room.call(), "HR")

    assert (moved.display, moved.department_id, moved.issued_in) == ("CW-001", "HR", "CW")
    assert (moved.state, moved.counter_id, moved.waiting_since) == (TokenState.WAITING, None, room.session.now)
    assert room.waiting("CW") == {}
    assert room.waiting("HR") == {Priority.NORMAL: 2}
    assert [room.call(str(number), of="HR").display for number in (1, 2)] == ["HR-001", "CW-001"]


def test_both_logs_tell_of_a_transfer() -> None:
    """The board of each department shows it, from its own log alone."""
    room = Room("CW", "HR")
    room.issue()
    room.transfer(room.call("3"), "HR")
    left, came = room.sessions["CW"].records[-1], room.sessions["HR"].records[-1]

    assert (left.token.department_id, left.data, left.token.counter_id) == ("CW", {"from": "CW", "to": "HR"}, "3")
    assert (came.token.department_id, came.data, came.joins) == ("HR", {"from": "CW", "to": "HR"}, True)


def arrivals(room: Room, *departments: str) -> list[Token]:
    """One token after the other, a minute apart."""
    tokens = []
    for department in departments:
        tokens.append(room.issue(department))
        room.later(minutes=1)
    return tokens


def calls(room: Room, of: str) -> list[str]:
    """All who wait, in the order in which they are called."""
    return [room.call(str(number), of=of).display for number in range(sum(room.waiting(of).values()))]


def test_a_transfer_by_arrival_counts_the_wait_before() -> None:
    """Who was sent to the wrong department does not lose the place."""
    room = Room("CW", "HR")
    _, wrong, _ = arrivals(room, "HR", "CW", "HR")
    moved = room.transfer(wrong, "HR", RequeuePosition.ORIGINAL)

    assert moved.waiting_since == wrong.issued_at
    assert room.sessions["HR"].records[-1].data == {"from": "CW", "to": "HR", "position": "original"}
    assert calls(room, "HR") == ["HR-001", "CW-001", "HR-002"]


def test_a_transfer_to_the_first_position_goes_before_everybody_of_the_class() -> None:
    room = Room("CW", "HR")
    *_, last = arrivals(room, "HR", "HR", "CW")
    room.transfer(last, "HR", RequeuePosition.FIRST)

    assert calls(room, "HR") == ["CW-001", "HR-001", "HR-002"]


@pytest.mark.parametrize("position", [RequeuePosition.FIRST, RequeuePosition.ORIGINAL])
def test_an_empty_queue_has_one_position(position: RequeuePosition) -> None:
    room = Room("CW", "HR")
    room.transfer(room.issue(), "HR", position)

    assert calls(room, "HR") == ["CW-001"]


def test_transfers_by_arrival_keep_the_order_among_themselves() -> None:
    """Between the two nothing happened there, so both get the same place."""
    room = Room("CW", "LAB", "HR")
    first, second, _ = arrivals(room, "CW", "LAB", "HR")
    for token in (second, first):
        room.transfer(token, "HR", RequeuePosition.ORIGINAL)

    assert calls(room, "HR") == ["CW-001", "LAB-001", "HR-001"]


def test_who_was_put_last_or_first_there_does_not_count_as_an_arrival() -> None:
    """Early arrivals that were sent to the end must not pull others behind them, nor late ones that were put first."""
    room = Room("CW", "HR")
    early, _, wrong, late, _ = arrivals(room, "HR", "HR", "CW", "HR", "HR")
    room.move(room.pick(early), Verb.REQUEUE, position=RequeuePosition.LAST)
    room.move(room.pick(late), Verb.REQUEUE, position=RequeuePosition.FIRST)
    room.transfer(wrong, "HR", RequeuePosition.ORIGINAL)

    assert calls(room, "HR") == ["HR-003", "HR-002", "CW-001", "HR-004", "HR-001"]


def test_a_later_change_of_class_keeps_the_place_by_arrival() -> None:
    room = Room("CW", "HR")
    *_, wrong, _ = arrivals(room, "HR", "CW", "HR")
    moved = room.transfer(wrong, "HR", RequeuePosition.FIRST)
    urgent = room.move(moved, Verb.PRIORITY, priority=Priority.URGENT)
    room.move(urgent, Verb.PRIORITY, priority=Priority.NORMAL)

    assert calls(room, "HR") == ["HR-001", "CW-001", "HR-002"]


def test_a_transfer_by_arrival_can_be_taken_back() -> None:
    room = Room("CW", "HR")
    wrong, *_ = arrivals(room, "CW", "CW", "HR")
    room.undo(room.transfer(wrong, "HR", RequeuePosition.ORIGINAL))

    assert calls(room, "CW") == ["CW-001", "CW-002"]


def test_a_waiting_one_leaves_the_old_line() -> None:
    room = Room("CW", "HR")
    room.transfer(room.issue(), "HR")

    assert room.sessions["CW"].records[-1].joins is False
    with refused(ProblemCode.QUEUE_EMPTY):
        room.call()


@pytest.mark.parametrize(
    ("to", "code"),
    [("CW", ProblemCode.WRONG_STATE), ("HR", ProblemCode.DEPARTMENT_CLOSED), ("FAR", ProblemCode.INVALID)],
)
def test_where_nobody_can_be_sent(to: str, code: ProblemCode) -> None:
    """The same department, a closed one, one in another town."""
    room = Room("CW", "HR", "FAR")
    room.sessions["HR"].department = replace(room.sessions["HR"].department, is_open=False)
    room.sessions["FAR"].department = replace(room.sessions["FAR"].department, branch_id="far")
    token = room.issue()
    with refused(code):
        room.transfer(token, to)
    assert room.events() == ["TOKEN_GENERATED"]


def test_nobody_waits_twice_in_one_department_by_a_transfer() -> None:
    room = Room("CW", "HR")
    room.issue("HR", user_id=7)
    with refused(ProblemCode.ALREADY_WAITING, "HR-001"):
        room.transfer(room.issue(user_id=7), "HR")


@pytest.mark.parametrize("verb", [verb for verb, move in VERBS.items() if move.has_undo])
def test_every_move_can_be_taken_back(verb: Verb) -> None:
    """From each state that the table allows: after undo all is as before, and the log tells both."""
    for state in sorted(VERBS[verb].sources):
        room = Room("CW", "HR")
        before = in_state(room, state)
        waiting = room.waiting(), room.waiting("HR")
        if verb is Verb.CALL:
            after = room.call()
        elif verb is Verb.TRANSFER:
            after = room.transfer(before, "HR")
        else:
            after = room.move(before, verb, priority=Priority.URGENT)

        again = room.undo(after)

        assert same(again, before)
        assert again.claim_version > after.claim_version
        assert (room.waiting(), room.waiting("HR")) == waiting
        assert room.events()[-1] == "TOKEN_REVERTED"
        assert room.session.records[-1].data["undone"] == verb
        held = room.counters.held("main", "1")
        assert (held == again) if again.is_at_counter else (held is None)


def test_an_undone_call_puts_the_person_first_again() -> None:
    room = Room()
    first, second = room.issue(), room.issue()
    room.undo(room.call())

    assert [room.call("1").token_id, room.call("2").token_id] == [first.token_id, second.token_id]


def test_there_is_no_undo_of_an_undo_and_none_after_the_time() -> None:
    """Undo is for a slip of the finger, not for rewriting the day."""
    room = with_rules(Room(), undo_minutes=5)
    room.issue(), room.issue()
    with refused(ProblemCode.NOTHING_TO_UNDO):
        room.undo(room.undo(room.call()))
    called = room.call("2")
    room.later(minutes=5)
    with refused(ProblemCode.NOTHING_TO_UNDO, "5 minutes"):
        room.undo(called)


def test_undo_does_not_push_anybody_from_a_counter() -> None:
    """The slip is noticed after the next one was called: one of both must give way first."""
    room = Room()
    room.issue(), room.issue()
    served = room.move(room.call(), Verb.SERVE)
    room.call()
    with refused(ProblemCode.COUNTER_BUSY, "CW-002"):
        room.undo(served)


def test_undo_is_fenced() -> None:
    room = Room()
    room.issue()
    called = room.call()
    room.undo(called)
    with refused(ProblemCode.STALE_CLAIM):
        room.move(called, Verb.SERVE)


def test_undo_of_a_cancellation_does_not_make_one_person_two() -> None:
    room = Room()
    gone = room.move(room.issue(user_id=7), Verb.CANCEL)
    room.issue(user_id=7)
    with refused(ProblemCode.ALREADY_WAITING):
        room.undo(gone)


def test_what_happens_by_itself_is_not_undone() -> None:
    """The end of the day is nobody's slip."""
    room = Room()
    expired = in_state(room, TokenState.EXPIRED)
    with refused(ProblemCode.NOTHING_TO_UNDO):
        room.undo(expired)
    assert ANN.name


def test_who_is_sent_on_stands_behind_everybody_there() -> None:
    """The two departments count their entries by themselves: a short log must not put anybody ahead in a long one."""
    room = Room("CW", "HR")
    for _ in range(5):
        room.issue("HR")
    room.transfer(room.issue(), "HR")

    assert [room.call(str(number), of="HR").display for number in range(6)][-1] == "CW-001"
