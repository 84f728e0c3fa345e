"""A group of numbers is issued as a whole: a refused one leaves no trace of those before it."""

from tests.unit.sessions import Room, refused, with_rules
from tokenq.contract.problems import ProblemCode


def test_a_refused_group_leaves_no_trace_in_a_batch_that_goes_on() -> None:
    room = with_rules(Room(), daily_cap=3)
    session, first = room.session, room.issue()
    before = (session.head, dict(session.tokens), dict(session.changed), set(session.created), list(session.records))
    with refused(ProblemCode.DEPARTMENT_FULL), session.all_or_none():
        room.issue(user_id=7), room.issue(), room.issue()

    after = (session.head, session.tokens, session.changed, session.created, session.records)
    assert after == before
    assert session.live_token_of(7) is None
    assert room.issue(user_id=7).display == "CW-002"
    assert [room.call("1").token_id, room.call("2").display] == [first.token_id, "CW-002"]


def test_a_group_without_a_refusal_is_issued() -> None:
    room = Room()
    with room.session.all_or_none():
        room.issue(), room.issue()
    assert room.events() == ["TOKEN_GENERATED"] * 2
