"""Who is next: the policy as a pure function."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenq.contract.enums import Priority
from tokenq_server.domain.policy import Policy, Ratio, Turn, Waiting, choose, in_order, position, rules_by_place

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PATIENT = timedelta(days=1)
RATIOS = st.builds(Ratio, st.integers(1, 4), st.integers(1, 4))


def line_of(classes: list[Priority], *, minutes_apart: int = 1) -> list[Waiting]:
    """People who arrived one after the other."""
    return [
        Waiting(index, priority, index, NOW - timedelta(minutes=minutes_apart * (len(classes) - index)))
        for index, priority in enumerate(classes, 1)
    ]


LINES = st.lists(st.sampled_from(Priority), max_size=40).map(line_of)


def order(line: list[Waiting], policy: Policy, turn: Turn | None = None) -> list[Waiting]:
    return [choice.waiting for choice in in_order(line, turn or Turn(), policy, NOW)]


@given(LINES, RATIOS)
def test_everybody_is_called_exactly_once(line: list[Waiting], ratio: Ratio) -> None:
    """Nobody may be lost or called twice, whatever the mix."""
    called = order(line, Policy(ratio, PATIENT))

    assert sorted(one.token_id for one in called) == [one.token_id for one in line]


@given(LINES, RATIOS)
def test_a_class_is_first_in_first_out(line: list[Waiting], ratio: Ratio) -> None:
    """Inside a class nobody is overtaken."""
    for priority in Priority:
        called = [one.place for one in order(line, Policy(ratio, PATIENT)) if one.priority is priority]

        assert called == sorted(called)


@given(LINES, RATIOS)
def test_urgent_goes_before_everybody(line: list[Waiting], ratio: Ratio) -> None:
    """Urgent is for emergencies: it does not take turns."""
    called = [one.priority for one in order(line, Policy(ratio, PATIENT))]
    urgent = called.count(Priority.URGENT)

    assert called[:urgent] == [Priority.URGENT] * urgent


@given(RATIOS, st.integers(5, 40))
def test_the_ratio_holds_over_every_round(ratio: Ratio, rounds: int) -> None:
    """While both wait, each round has exactly so many of each class, so nobody starves."""
    size = ratio.priority + ratio.normal
    line = line_of([Priority.PRIORITY, Priority.NORMAL] * (rounds * size))
    called = [one.priority for one in order(line, Policy(ratio, PATIENT))][: rounds * size]

    for start in range(0, len(called), size):
        assert called[start : start + size].count(Priority.NORMAL) == ratio.normal


def test_a_latecomer_of_a_better_class_does_not_pass_somebody_overdue() -> None:
    """Past the department's maximum wait, arrival decides."""
    overdue = Waiting(1, Priority.NORMAL, 1, NOW - timedelta(minutes=61))
    fresh = Waiting(2, Priority.PRIORITY, 2, NOW - timedelta(minutes=1))
    heads = {Priority.NORMAL: overdue, Priority.PRIORITY: fresh}

    early = choose(heads, Turn(), Policy(max_wait=timedelta(minutes=90)), NOW)
    late = choose(heads, Turn(), Policy(max_wait=timedelta(minutes=60)), NOW)

    assert early is not None
    assert early.waiting is fresh
    assert late is not None
    assert late.waiting is overdue
    assert "60 minutes" in late.rule


def test_only_the_head_of_the_queue_is_called_first_in_line() -> None:
    """Behind it, the rule names whom somebody comes after."""
    numbers = {1: "CW-001", 2: "CW-002", 3: "CW-003"}
    choices = list(in_order(line_of([Priority.NORMAL] * 3), Turn(), Policy(), NOW))

    assert rules_by_place(choices, numbers) == [
        "first in line",
        "next in line after CW-001",
        "next in line after CW-002",
    ]
    assert rules_by_place([], {}) == []


def test_only_the_head_of_a_class_is_called_the_first_of_it() -> None:
    """Who is behind somebody of their own class is not its first; the last class left is a line like any other."""
    line = line_of([Priority.URGENT, Priority.URGENT, *[Priority.PRIORITY] * 2, Priority.NORMAL, Priority.NORMAL])
    numbers = {waiting.token_id: f"CW-00{waiting.token_id}" for waiting in line}
    ratio = "by the ratio 2:1 of priority to normal"

    assert rules_by_place(list(in_order(line, Turn(), Policy(), NOW)), numbers) == [
        "urgent goes first",
        "urgent goes first",
        f"first of the priority class, {ratio}",
        f"next of the priority class, {ratio}",
        "next in line after CW-004",
        "next in line after CW-005",
    ]


def test_nobody_waits_is_no_choice() -> None:
    """An empty line is an answer, not an error."""
    assert choose({}, Turn(), Policy(), NOW) is None


@settings(max_examples=300)
@given(LINES, RATIOS, st.integers(0, 3), st.integers(0, 3))
def test_a_position_is_where_the_order_puts_it(
    line: list[Waiting], ratio: Ratio, had_priority: int, had_normal: int
) -> None:
    """The number on the ticket is computed without walking the line; it must be the same number."""
    turn = Turn(min(had_priority, ratio.priority), min(had_normal, ratio.normal))
    if turn.priority == ratio.priority and turn.normal == ratio.normal:
        turn = Turn()
    counts = {priority: sum(one.priority is priority for one in line) for priority in Priority}
    seen = dict.fromkeys(Priority, 0)

    for place, one in enumerate(order(line, Policy(ratio, PATIENT), turn), 1):
        seen[one.priority] += 1

        assert position(one.priority, seen[one.priority], counts, turn, ratio) == place
