"""Who is taken and who is refused, by the department's setting ``admission``."""

from contextlib import nullcontext
from typing import Any

import pytest

from tests.people import ANN
from tests.unit.sessions import Room, refused, with_rules
from tokenq.contract.advice import Action
from tokenq.contract.enums import Priority
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.domain.admission import check_cap
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.hours import hours_from
from tokenq_server.domain.issuing import issue
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.service_time import ENOUGH

UNTIL_TEN = hours_from({"weekly": {"mon": ["08:00-10:00"]}, "exceptions": {}})
"""An hour is left: six customers of ten minutes at one counter."""


def busy_room(admission: str, learned: int = ENOUGH, **rules: Any) -> Room:
    """A department at nine, with more people waiting than one counter can serve until ten."""
    room = Room(rules=Rules(hours=UNTIL_TEN))
    for _ in range(8):
        room.issue()
    room.session.forecast = Forecast(1, 600.0, {}, learned)
    return with_rules(room, admission=admission, **rules)


@pytest.mark.parametrize(
    ("admission", "learned", "is_refused"),
    [
        ("hours", 500, False),
        ("off", 500, False),
        ("capacity", ENOUGH, True),
        ("capacity", ENOUGH - 1, False),
        ("capacity", 0, False),
    ],
)
def test_capacity_refuses_only_where_it_is_set_and_enough_was_learned(
    admission: str, learned: int, is_refused: bool
) -> None:
    """In the morning, before a counter was opened, nothing is learned yet: nobody is sent away on a guess."""
    room = busy_room(admission, learned)
    if is_refused:
        with refused(ProblemCode.DEPARTMENT_FULL, "before it closes", "Staff can still issue one"):
            room.issue()
    else:
        room.issue()


def test_capacity_never_refuses_an_urgent_customer_nor_staff_who_force_it() -> None:
    room = busy_room("capacity")
    assert room.issue(priority=Priority.URGENT)
    assert issue(room.session, Issue("CW", ANN, is_forced=True), 500)
    with refused(ProblemCode.DEPARTMENT_FULL):
        room.issue(priority=Priority.PRIORITY)


def test_capacity_knows_that_nobody_can_be_sure_without_a_forecast() -> None:
    room = busy_room("capacity")
    room.session.forecast = None
    assert room.issue()


def test_a_refusal_by_capacity_says_who_can_help() -> None:
    with pytest.raises(Refused) as error:
        busy_room("capacity").issue()
    problem = error.value.problem
    assert problem.advice
    assert problem.advice.action is Action.ISSUE_BY_FORCE
    assert problem.advice.params["department"] == "CW"


@pytest.mark.parametrize("admission", ["hours", "capacity", "off"])
@pytest.mark.parametrize(
    ("situation", "code"),
    [
        ("closed by hand", ProblemCode.DEPARTMENT_CLOSED),
        ("cap reached", ProblemCode.DEPARTMENT_FULL),
        ("after hours", ProblemCode.DEPARTMENT_CLOSED),
        ("last token", ProblemCode.DEPARTMENT_FULL),
    ],
)
def test_what_refuses_by_each_setting(admission: str, situation: str, code: ProblemCode) -> None:
    """Closing by hand and the cap always; opening hours and the last token unless admission is off; force never."""
    room = Room(rules=Rules(hours=UNTIL_TEN, admission=admission), is_open=situation != "closed by hand")
    match situation:
        case "cap reached":
            room.issue()
            with_rules(room, daily_cap=1)
        case "after hours":
            room.later(hours=9)
        case "last token":
            with_rules(room, last_token_minutes=90)
    is_taken = admission == "off" and situation in ("after hours", "last token")
    with nullcontext() if is_taken else refused(code):
        room.issue(priority=Priority.URGENT)
    assert issue(room.session, Issue("CW", ANN, is_forced=True), 500)


def test_a_group_above_the_cap_hears_how_many_numbers_are_left() -> None:
    """Numbers that were taken back with the group do not count as issued."""
    room = Room(rules=Rules(daily_cap=5))
    room.issue()
    with refused(ProblemCode.DEPARTMENT_FULL, "issued 1 today", "4 are left, not 6"):
        check_cap(room.session, 6)
    check_cap(room.session, 4)
