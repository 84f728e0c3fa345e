"""The verbs inside one department, and their guards."""

from datetime import timedelta

import pytest

from tests.unit.sessions import NOW, Room, refused
from tokenq.contract.enums import Priority, RequeuePosition, TokenState
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import MarkNearTurn
from tokenq_server.domain.moving import mark_near_turn, resume_if_due
from tokenq_server.domain.policy import Policy
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import Token


def test_parking_frees_the_counter_and_resuming_gives_the_old_place_back() -> None:
    """Who fetches a paper does not lose the place, and nobody waits for them at the counter."""
    room = Room()
    first, second = room.issue(), room.issue()
    parked = room.move(room.call(), Verb.PARK, reason="fetches a form")
    assert (parked.state, parked.counter_id) == (TokenState.PARKED, None)

    assert room.call().token_id == second.token_id
    room.move(room.session.tokens[second.token_id], Verb.SERVE)
    room.move(parked, Verb.RESUME)

    assert room.call().token_id == first.token_id


def test_time_parked_is_not_time_waited() -> None:
    """Half an hour at the copy shop must not make somebody overdue."""
    room = Room()
    room.issue()
    room.later(minutes=10)
    parked = room.move(room.call(), Verb.PARK)
    room.later(minutes=30)

    resumed = room.move(parked, Verb.RESUME)

    assert room.session.now - resumed.waiting_since == timedelta(minutes=10)


def test_the_parked_come_back_when_their_time_comes_and_not_before() -> None:
    room = Room()
    room.issue()
    parked = room.move(room.call(), Verb.PARK, until=NOW + timedelta(minutes=5))
    room.later(minutes=4)
    resume_if_due(room.session, room.session.tokens[parked.token_id])
    assert room.session.tokens[parked.token_id].state is TokenState.PARKED

    room.later(minutes=1)
    resume_if_due(room.session, room.session.tokens[parked.token_id])

    assert room.session.tokens[parked.token_id].state is TokenState.WAITING
    assert room.session.records[-1].actor == "tokenq"
    assert room.waiting() == {Priority.NORMAL: 1}


def test_nobody_is_parked_until_the_past() -> None:
    room = Room()
    room.issue()
    with refused(ProblemCode.INVALID, "past"):
        room.move(room.call(), Verb.PARK, until=NOW - timedelta(minutes=5))


def test_a_missed_one_is_reinstated_at_the_old_place_or_the_last() -> None:
    """Late by a minute or by an hour: staff decide where they come in again."""
    for position, expected in ((RequeuePosition.ORIGINAL, "CW-001"), (RequeuePosition.LAST, "CW-002")):
        room = Room()
        room.issue(), room.issue()
        missed = room.move(room.call(), Verb.NO_SHOW)

        back = room.move(missed, Verb.REINSTATE, position=position)

        assert (back.state, back.calls, back.counter_id) == (TokenState.WAITING, 0, None)
        assert room.call().display == expected


def test_nobody_comes_back_from_another_day_or_beside_oneself() -> None:
    room = Room()
    old = room.move(room.issue(user_id=7), Verb.CANCEL)
    room.issue(user_id=7)
    with refused(ProblemCode.ALREADY_WAITING, "CW-002"):
        room.move(old, Verb.REINSTATE)

    room.session.head = type(room.session.head)(old.day + timedelta(days=1), waiting=room.session.head.waiting)
    with refused(ProblemCode.WRONG_STATE, "another business day"):
        room.move(old, Verb.REINSTATE)


def test_whoever_expired_comes_back_until_the_next_day_ends() -> None:
    room = Room()
    late = room.issue()
    tomorrow = (room.session.now + timedelta(days=1)).replace(hour=4)
    room.later(seconds=(tomorrow - room.session.now).total_seconds())
    room.session.roll_over([late])
    room.session.load([late])
    expired = room.session.tokens[late.token_id]
    assert expired.state is TokenState.EXPIRED

    back = room.move(expired, Verb.REINSTATE)
    assert (back.state, back.display, back.day) == (TokenState.WAITING, "CW-001", late.day)
    assert room.call().token_id == late.token_id
    room.later(days=1)
    room.session.roll_over([])
    room.session.tokens[late.token_id] = expired
    with refused(ProblemCode.WRONG_STATE, "another business day"):
        room.move(expired, Verb.REINSTATE)


def test_a_night_in_which_nobody_waited_passes_no_urgent_customer() -> None:
    room = Room(policy=Policy(max_wait=timedelta(minutes=60)))
    late = room.issue()
    tomorrow = (room.session.now + timedelta(days=1)).replace(hour=4)
    room.later(seconds=(tomorrow - room.session.now).total_seconds())
    room.session.roll_over([late])
    room.later(hours=5)
    urgent = room.issue(priority=Priority.URGENT)

    back = room.move(room.session.tokens[late.token_id], Verb.REINSTATE)
    assert (back.waiting_since, back.place) == (room.session.now, late.place)
    assert room.call().token_id == urgent.token_id


def test_what_ended_today_may_return_today_whenever_its_number_was_issued() -> None:
    room = Room(rules=Rules(day_end="keep"))
    kept = room.issue()
    room.later(days=2)
    room.session.roll_over([kept])
    missed = room.move(room.call(), Verb.NO_SHOW)
    assert missed.last_day == room.session.head.day > missed.day

    back = room.move(missed, Verb.REINSTATE)
    assert (back.state, back.ended_on) == (TokenState.WAITING, None)
    missed = room.move(room.call(), Verb.NO_SHOW)
    assert room.undo(missed).ended_on is None


def test_another_class_keeps_the_arrival() -> None:
    """An edit never changes who came first."""
    room = Room()
    early, late = room.issue(), room.issue(priority=Priority.PRIORITY)
    raised = room.move(early, Verb.PRIORITY, priority=Priority.PRIORITY, reason="pregnant")

    assert room.waiting() == {Priority.PRIORITY: 2}
    assert room.session.records[-1].data == {"from": "normal", "to": "priority"}
    assert room.session.records[-1].note == "pregnant"
    assert room.call().token_id == raised.token_id
    with refused(ProblemCode.WRONG_STATE, "already"):
        room.move(late, Verb.PRIORITY, priority=Priority.PRIORITY)


def test_a_no_show_takes_as_many_calls_and_as_long_as_the_department_says() -> None:
    """People complain about being struck off after one quiet call."""
    room = Room(rules=Rules(min_calls=2, no_show_grace_seconds=60))
    room.issue()
    called = room.call()
    with refused(ProblemCode.TOO_EARLY, "1 of 2"):
        room.move(called, Verb.NO_SHOW)
    called = room.move(called, Verb.RECALL)
    with refused(ProblemCode.TOO_EARLY, "60 seconds"):
        room.move(called, Verb.NO_SHOW)

    room.later(seconds=60)

    assert room.move(called, Verb.NO_SHOW).state is TokenState.NO_SHOW


def test_recalls_have_a_pause_and_an_end() -> None:
    room = Room(rules=Rules(recall_cooldown_seconds=30, max_calls=2))
    room.issue()
    called = room.call()
    with refused(ProblemCode.TOO_EARLY, "30 seconds"):
        room.move(called, Verb.RECALL)
    room.later(seconds=30)
    called = room.move(called, Verb.RECALL)
    room.later(seconds=30)
    with refused(ProblemCode.LIMIT_REACHED, "2 times"):
        room.move(called, Verb.RECALL)


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in (Verb.CALL, Verb.TRANSFER, Verb.UNDO, Verb.EXPIRE)]
)
@pytest.mark.parametrize("state", list(TokenState))
def test_the_table_alone_decides_what_is_possible(verb: Verb, state: TokenState) -> None:
    """Each verb from each state: done if the table has it (or it is done already), refused in words otherwise."""
    room = Room()
    token = in_state(room, state)
    is_done = token.state is VERBS[verb].target and token.state not in (TokenState.WAITING, TokenState.CALLED)
    before = len(room.session.records)
    if state in VERBS[verb].sources:
        moved = room.move(token, verb, priority=Priority.URGENT)
        assert moved.state is (VERBS[verb].target or state)
        assert len(room.session.records) == before + 1
    elif is_done:
        assert room.move(token, verb) == token
        assert len(room.session.records) == before
    else:
        with refused(ProblemCode.WRONG_STATE, str(state)):
            room.move(token, verb)
        assert len(room.session.records) == before


def in_state(room: Room, state: TokenState) -> Token:
    """The first token of a room, in this state; at counter 1 where that makes sense."""
    token = room.issue()
    if state is TokenState.WAITING:
        return token
    if state is TokenState.CANCELLED:
        return room.move(token, Verb.CANCEL)
    if state is TokenState.EXPIRED:
        room.later(days=1)
        room.session.roll_over([token])
        return room.session.tokens[token.token_id]
    called = room.call()
    way = {
        TokenState.SERVING: Verb.START,
        TokenState.PARKED: Verb.PARK,
        TokenState.SERVED: Verb.SERVE,
        TokenState.NO_SHOW: Verb.NO_SHOW,
    }
    return room.move(called, way[state]) if state in way else called


def test_near_turns_are_told_once_and_only_to_who_still_waits() -> None:
    room = Room()
    first, second, third = (room.issue(email="a@example.org", near_turn=1) for _ in range(3))
    room.call()

    for _ in range(2):
        mark_near_turn(room.session, MarkNearTurn("CW", ((first.token_id, 1), (second.token_id, 1), (999, 1))))

    told = [record.token.token_id for record in room.session.records if record.event_type == "TOKEN_TURN_NEAR"]
    assert told == [second.token_id]
    assert not room.session.tokens[third.token_id].is_near_told


def test_who_hears_the_place_with_the_number_is_not_told_again() -> None:
    """The first letter says 'you are second': a second one at once would be noise."""
    room = Room()
    assert room.issue(email="a@example.org", near_turn=2).is_near_told
    assert room.issue(email="a@example.org", near_turn=2).is_near_told
    assert not room.issue(email="a@example.org", near_turn=2).is_near_told
    assert room.issue(near_turn=2).near_turn == 0, "nobody to write to"
