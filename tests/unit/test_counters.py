"""Counters: claims, pauses, work profiles, and who is called where."""

from dataclasses import replace
from datetime import timedelta

from tests import people
from tests.unit.sessions import ANN, BEN, NOW, Room, refused
from tokenq.contract.enums import CounterState, Priority, Role
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import Verb
from tokenq_server.domain import calling
from tokenq_server.domain.commands import CallByProfile
from tokenq_server.domain.counters import LEASE, Counter, closed, left, opened, paused, unattended_since
from tokenq_server.domain.policy import Choice, Policy, Waiting
from tokenq_server.domain.profile import first_of_profile
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import Token

DESK = Counter("main", "1", CounterState.OPEN)


def profile(room: Room, *departments: str, counter: str = "1", is_ordered: bool = True) -> Token:
    sessions = [room.sessions[name] for name in departments]
    return calling.call_by_profile(sessions, CallByProfile(departments, people.ANN, counter, is_ordered))


def test_a_counter_is_claimed_by_one_operator_until_the_lease_ends() -> None:
    """Two clerks who type the same desk number call each other's customers."""
    mine = opened(DESK, ANN, NOW, ())
    with refused(ProblemCode.COUNTER_CLAIMED, "ann"):
        opened(mine, BEN, NOW + LEASE - timedelta(seconds=1), ())

    assert opened(mine, ANN, NOW, ()).operator == "ann"
    assert opened(mine, BEN, NOW + LEASE, ()).operator == "ben"
    assert opened(mine, BEN, NOW, (), take_over=True).operator == "ben"


def test_a_claim_is_one_consoles_where_it_says_which_and_one_persons_where_it_does_not() -> None:
    """The same sign-in at two desks is two people, as far as the counter knows."""
    left, right = replace(ANN, console="left"), replace(ANN, console="right")
    mine = opened(DESK, left, NOW, ())
    with refused(ProblemCode.COUNTER_CLAIMED, "ann"):
        opened(mine, right, NOW, ())
    with refused(ProblemCode.COUNTER_CLAIMED, "ann"):
        closed(mine, None, right, NOW)
    assert opened(mine, left, NOW, ()).operator == "ann"
    assert opened(mine, ANN, NOW, ()).operator == "ann", "a command does not say from where"
    assert opened(opened(DESK, ANN, NOW, ()), right, NOW, ()).operator == "ann"
    theirs = opened(mine, right, NOW, (), take_over=True)
    with refused(ProblemCode.COUNTER_CLAIMED, "ann"):
        paused(theirs, left, NOW, None)


def test_only_the_operator_pauses_and_closes() -> None:
    mine = opened(DESK, ANN, NOW, ())
    for change in (paused(mine, ANN, NOW, "lunch"), closed(mine, None, ANN, NOW)):
        assert change.state in (CounterState.PAUSED, CounterState.CLOSED)
    with refused(ProblemCode.COUNTER_CLAIMED):
        paused(mine, BEN, NOW, "prank")
    with refused(ProblemCode.COUNTER_CLAIMED):
        closed(mine, None, BEN, NOW)


def test_nobody_is_left_at_a_closed_counter() -> None:
    room = Room()
    room.issue()
    with refused(ProblemCode.COUNTER_BUSY, "CW-001"):
        closed(DESK, room.call(), ANN, NOW)


def test_who_leaves_is_nobody_and_the_counter_goes_on_as_it_is() -> None:
    mine = paused(opened(DESK, ANN, NOW, ("CW",)), ANN, NOW, "lunch")
    free = left(mine, ANN, NOW)
    assert (free.operator, free.lease_until) == (None, None)
    assert (free.state, free.reason, free.departments) == (CounterState.PAUSED, "lunch", ("CW",))
    assert opened(free, BEN, NOW, None).operator == "ben"
    with refused(ProblemCode.COUNTER_CLAIMED, "ann"):
        left(mine, BEN, NOW)


def test_a_paused_counter_calls_nobody_but_keeps_whom_it_has() -> None:
    """Pressing next by habit during the break must not call a person to an empty desk."""
    room = Room()
    room.issue(), room.issue()
    held = room.call()
    room.counters.load([replace(DESK, state=CounterState.PAUSED, reason="lunch")])

    assert room.call() == held
    room.move(held, Verb.SERVE)
    with refused(ProblemCode.COUNTER_PAUSED, "paused", "Open it"):
        room.call()


def test_a_counter_claimed_by_somebody_else_calls_nobody_for_me() -> None:
    room = Room()
    token = room.issue()
    room.counters.load([opened(DESK, BEN, NOW, ())])
    with refused(ProblemCode.COUNTER_CLAIMED, "ben"):
        room.call()
    with refused(ProblemCode.COUNTER_CLAIMED):
        room.pick(token)
    with refused(ProblemCode.COUNTER_CLAIMED):
        room.serve_next()
    assert room.events() == ["TOKEN_GENERATED"]
    assert room.call(caller=people.BEN).token_id == token.token_id


def test_a_call_opens_a_counter_that_is_new() -> None:
    """A script with a counter's name must work on the first morning."""
    room = Room()
    room.issue(), room.issue()
    room.counters.load([DESK])
    for counter in "13":
        room.call(counter)

    assert room.counters.opened == {("main", "3")}


def test_where_counters_are_declared_a_mistyped_one_calls_nobody() -> None:
    """People would be sent to a desk that does not exist."""
    room = Room()
    token = room.issue()
    room.counters.load([replace(DESK, counter_id=name, is_declared=True) for name in ("1", "13", "Reception")])
    for call in (
        lambda: room.call("14"),
        lambda: room.serve_next("14"),
        lambda: room.pick(token, "14"),
        lambda: profile(room, "CW", counter="14"),
    ):
        with refused(ProblemCode.UNKNOWN_COUNTER, "There is no counter 14.", "Did you mean 1, 13?"):
            call()
    with refused(ProblemCode.UNKNOWN_COUNTER, "Declared counters: 1, 13, Reception."):
        room.call("Basement")
    assert (room.events(), room.counters.opened) == (["TOKEN_GENERATED"], set())


def test_a_new_counter_among_declared_ones_is_made_on_purpose_and_then_known() -> None:
    room = Room()
    room.issue()
    held = room.issue()
    room.counters.load([replace(DESK, is_declared=True)])
    room.move(room.call("2", may_create=True), Verb.SERVE)

    assert room.counters.opened == {("main", "2")}
    assert room.call("2").token_id == held.token_id


def test_counters_declared_elsewhere_or_merely_used_refuse_no_new_one() -> None:
    room = Room()
    room.issue()
    room.counters.load([DESK, replace(DESK, branch_id="north", counter_id="5", is_declared=True)])
    assert room.call("4").counter_id == "4"


def test_a_long_list_of_declared_counters_is_cut() -> None:
    room = Room()
    room.issue()
    names = [f"Room {number}" for number in range(30)]
    room.counters.load([replace(DESK, counter_id=name, is_declared=True) for name in names])
    with refused(ProblemCode.UNKNOWN_COUNTER, "Room 0, Room 1,", "Room 9, …."):
        room.call("x")


def test_a_closed_counter_calls_nobody_until_it_is_opened() -> None:
    """Whoever went home has closed it: nobody is sent to an empty desk."""
    room = Room()
    token = room.issue()
    room.counters.load([replace(DESK, state=CounterState.CLOSED)])
    for call in (room.call, room.serve_next, lambda: room.pick(token), lambda: profile(room, "CW")):
        with refused(ProblemCode.COUNTER_CLOSED, "Counter 1 is closed", "Open it"):
            call()
    assert room.events() == ["TOKEN_GENERATED"]


def test_whom_somebody_elses_counter_holds_is_not_my_answer() -> None:
    """Ben would send Ann's customer away."""
    room = Room()
    token = room.issue()
    room.call(caller=people.BEN)
    room.counters.load([opened(DESK, BEN, NOW, ())])
    for call in (room.call, room.serve_next, lambda: room.pick(token), lambda: profile(room, "CW")):
        with refused(ProblemCode.COUNTER_CLAIMED, "ben"):
            call()
    assert room.call(caller=people.BEN).token_id == token.token_id


def test_a_break_keeps_what_a_counter_serves() -> None:
    mine = opened(DESK, ANN, NOW, ("CW", "LAB"))
    for away in (paused(mine, ANN, NOW, "lunch"), closed(mine, None, ANN, NOW)):
        assert opened(away, ANN, NOW, None).departments == ("CW", "LAB")
    assert opened(mine, ANN, NOW, ()).departments == (), "asked for all"


def test_a_declared_counter_serves_nothing_else() -> None:
    """What was silently ignored would be believed."""
    declared = replace(DESK, departments=("CW", "LAB"), is_declared=True)
    with refused(ProblemCode.EXISTS, "CW, LAB", "change what it serves"):
        opened(declared, ANN, NOW, ("CW",))
    for same in (opened(declared, ANN, NOW, None), opened(declared, ANN, NOW, ("CW", "LAB"))):
        assert same.departments == ("CW", "LAB")
    assert opened(declared, ANN, NOW, ("CW",), as_it_is=True).departments == ("CW", "LAB")


def test_an_open_counter_without_a_claim_is_unattended_since_its_last_use() -> None:
    mine = opened(DESK, ANN, NOW, ())
    later, hour = NOW + LEASE, timedelta(hours=1)
    held = Room().issue()

    assert unattended_since(mine, None, NOW, NOW) is None
    assert unattended_since(mine, None, NOW, NOW + hour) == later
    assert unattended_since(mine, None, later + LEASE, NOW + hour) == later + LEASE
    assert unattended_since(DESK, None, NOW, NOW + hour) == NOW
    assert unattended_since(mine, held, NOW, NOW + hour) is None
    assert unattended_since(paused(mine, ANN, NOW, None), None, NOW, NOW + hour) is None


def test_a_paused_counter_claimed_as_it_is_stays_paused() -> None:
    """A console that is started during the break ends no break."""
    away = paused(opened(DESK, ANN, NOW, ("CW", "LAB")), ANN, NOW, "lunch")
    mine = opened(away, ANN, NOW, ("CW",), as_it_is=True)

    assert (mine.state, mine.reason, mine.departments) == (CounterState.PAUSED, "lunch", ("CW", "LAB"))
    assert mine.operator == "ann"


def test_a_department_that_lists_its_counters_is_served_there_only() -> None:
    room = Room(rules=Rules(counters=("1", "2")))
    room.issue()
    with refused(ProblemCode.COUNTER_NOT_SERVING, "1, 2"):
        room.call("9")
    assert room.call("2").counter_id == "2"


def test_a_work_profile_is_a_limit_too() -> None:
    room = Room()
    room.issue()
    room.counters.load([replace(DESK, departments=("HR",))])
    with refused(ProblemCode.COUNTER_NOT_SERVING, "HR"):
        room.call()


def test_out_of_order_takes_the_permission_the_department_asks_for() -> None:
    """Staff pick the easy customers when they can."""
    room = Room(rules=Rules(out_of_order_by="admin"))
    room.issue()
    late = room.issue()
    with refused(ProblemCode.FORBIDDEN, "admins"):
        room.pick(late)
    assert room.pick(late, caller=replace(people.ANN, role=Role.ADMIN)).reason == "called out of order"


def test_a_profile_serves_its_departments_in_order() -> None:
    room = Room("CW", "HR")
    room.issue("CW")
    room.later(minutes=1)
    room.issue("HR")
    called = profile(room, "HR", "CW")

    assert called.department_id == "HR"
    assert "HR was next for counter 1" in (called.reason or "")
    assert profile(room, "HR", "CW") == called, "a second press is harmless"
    assert profile(room, "HR", "CW", counter="2").department_id == "CW"
    with refused(ProblemCode.QUEUE_EMPTY, "HR, CW"):
        profile(room, "HR", "CW", counter="3")


def test_without_an_order_who_waited_longest_goes_first() -> None:
    room = Room("CW", "HR")
    room.issue("HR")
    room.later(minutes=1)
    room.issue("CW")

    assert profile(room, "CW", "HR", is_ordered=False).department_id == "HR"


def test_no_profile_makes_anybody_wait_past_the_maximum() -> None:
    """A counter that always finds somebody in its first department must not starve the second."""
    policy = Policy(max_wait=timedelta(minutes=60))

    def choice(minutes: int) -> tuple[Choice, Policy]:
        since = NOW - timedelta(minutes=minutes)
        return Choice(Waiting(minutes, Priority.NORMAL, minutes, since), "first in line"), policy

    assert first_of_profile([choice(5), choice(59)], NOW) == 0
    assert first_of_profile([choice(5), choice(61)], NOW) == 1
    assert first_of_profile([choice(61), choice(90), choice(75)], NOW) == 1


def test_a_counter_busy_with_another_department_calls_nobody_by_profile() -> None:
    room = Room("CW", "HR")
    room.issue("CW"), room.issue("HR")
    room.call("1", of="CW")
    with refused(ProblemCode.COUNTER_BUSY, "CW-001"):
        profile(room, "HR")


def test_a_new_counter_does_not_look_like_another_one() -> None:
    """A board prints both alike, so half of the people go to the wrong desk."""
    room = Room()
    room.issue(), room.issue()
    room.counters.load([replace(DESK, counter_id="G1"), replace(DESK, branch_id="north", counter_id="a")])
    for alike in ("g1", "G 1", "G1 ", "G\u200d1"):
        with refused(ProblemCode.UNKNOWN_COUNTER, "Did you mean G1?"):
            room.call(alike, may_create=True)
    room.call("a")
    with refused(ProblemCode.UNKNOWN_COUNTER, "Did you mean a?"):
        room.call("A")
    assert (room.call("G1").counter_id, room.counters.opened) == ("G1", {("main", "a")})
