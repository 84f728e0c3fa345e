"""Edges of the domain's rules that the coverage report named."""

import json

import pytest

from tests.unit.sessions import Room, refused
from tokenq.contract.problems import ProblemCode
from tokenq_server.domain.free_text import is_same_event, with_note
from tokenq_server.domain.numbering import check_format


def test_a_counter_that_holds_somebody_is_answered_with_that_one_or_refuses() -> None:
    """Calling the one who is there again, after a lost answer, is no second call."""
    room = Room()
    first, second = room.issue(), room.issue()
    called = room.pick(first)

    assert room.pick(called) == called
    with refused(ProblemCode.COUNTER_BUSY):
        room.pick(second)


@pytest.mark.parametrize(
    ("event_type", "reason", "shown"),
    [("TOKEN_CALLED", "called out of order", "called out of order: in pain"), ("TOKEN_PARKED", None, "in pain")],
)
def test_a_note_is_shown_behind_the_rule_of_a_call(event_type: str, reason: str | None, shown: str) -> None:
    event = {"eventType": event_type, "data": {"reason": reason}}

    assert with_note(event, "in pain")["data"]["reason"] == shown
    assert with_note(event, None) is event


def test_words_are_not_compared_where_the_log_was_rewritten() -> None:
    """And nothing else is passed over, nor what cannot be read."""
    old, new, other = (json.dumps(event).encode() for event in (
        {"seq": 1, "data": {"reason": "in pain"}}, {"seq": 1, "data": {}}, {"seq": 2, "data": {}},
    ))  # fmt: skip

    assert is_same_event(old, new, may_be_rewritten=True)
    assert not is_same_event(old, new, may_be_rewritten=False)
    assert not is_same_event(old, other, may_be_rewritten=True)
    assert not is_same_event(b"{", new, may_be_rewritten=True)


@pytest.mark.parametrize(("template", "prefix"), [("W{number:03d}", "CW"), ("{number}", "cw")])
def test_a_number_that_nobody_could_type_is_refused(template: str, prefix: str) -> None:
    with refused(ProblemCode.INVALID):
        check_format(template, prefix)
