import pytest

from tests.screens.board_seeds import NOON, Log
from tokenq.board.announcements import DWELL, FRESH, Announcer
from tokenq.board.picture import Call
from tokenq.board.state import Fold
from tokenq.contract.enums import TokenState


def morning(*numbers: int) -> tuple[Fold, list[Call]]:
    fold, log = Fold(), Log()
    calls = [fold.apply(log.call("CW", number, str(number))) for number in numbers]
    return fold, [call for call in calls if call]


def after(fold: Fold, call: Call, kind: str) -> None:
    """One more event of the called number's department, which had two before."""
    log = Log()
    log.issue("CW", 98, 99)
    fold.apply(log.add(kind, "CW", int(call.number[3:]), call.counter))


def test_two_calls_at_once_are_shown_one_after_the_other() -> None:
    fold, (first, second) = morning(1, 2)
    picture, announcer = fold.picture(NOON), Announcer()
    announcer.announce(first)
    announcer.announce(second)
    shown = [announcer.current(picture, now)[0] for now in (100.0, 100 + DWELL - 0.1, 100 + DWELL, 100 + 2 * DWELL)]
    assert shown == [first, first, second, second]


def test_a_call_stops_being_new_but_stays() -> None:
    fold, (call,) = morning(1)
    announcer = Announcer()
    announcer.announce(call)
    assert announcer.current(fold.picture(NOON), 50.0) == (call, 0.0)
    assert announcer.current(fold.picture(NOON), 50.0 + FRESH) == (call, None)


def test_without_news_the_newest_call_is_shown_unmarked() -> None:
    fold, calls = morning(1, 2)
    assert Announcer().current(fold.picture(NOON), 0.0) == (calls[-1], None)


def test_a_call_taken_back_disappears_at_once() -> None:
    fold, (first, second) = morning(1, 2)
    announcer = Announcer()
    announcer.announce(second)
    announcer.current(fold.picture(NOON), 0.0)
    after(fold, second, "TOKEN_REQUEUED")
    assert announcer.current(fold.picture(NOON), 1.0) == (first, None)


@pytest.mark.parametrize("kind", ["TOKEN_NO_SHOW", "TOKEN_CANCELLED", "TOKEN_REQUEUED"])
def test_a_call_taken_back_before_its_turn_is_never_shown_big(kind: str) -> None:
    fold, (first, second) = morning(1, 2)
    announcer = Announcer()
    announcer.announce(first)
    announcer.announce(second)
    announcer.current(fold.picture(NOON), 0.0)
    after(fold, second, kind)
    assert [announcer.current(fold.picture(NOON), now)[0] for now in (1.0, DWELL, 100.0)] == [first] * 3


def test_a_number_served_at_once_is_seen_for_its_time_and_then_leaves_to_one_at_a_counter() -> None:
    """Serving in one step calls and serves in the same moment; the person looks for the number all the same."""
    fold, (first, second) = morning(1, 2)
    announcer = Announcer()
    announcer.announce(second)
    after(fold, second, "TOKEN_SERVED")
    picture = fold.picture(NOON)
    shown = [announcer.current(picture, now) for now in (0.0, DWELL - 0.1, DWELL)]
    assert [(call and call.number, age) for call, age in shown] == [
        ("CW-002", 0.0),
        ("CW-002", DWELL - 0.1),
        (first.number, None),
    ]


def test_with_nobody_at_a_counter_the_number_served_last_stays_as_over() -> None:
    fold, (call,) = morning(1)
    log = Log()
    log.issue("CW", 98)
    fold.apply(log.add("TOKEN_SERVED", "CW", 1, "1"))
    shown, age = Announcer().current(fold.picture(NOON), 0.0)
    assert (shown and (shown.number, shown.state), age) == ((call.number, TokenState.SERVED), None)


def test_after_a_no_show_alone_nothing_is_shown_big() -> None:
    fold, _ = morning(1)
    log = Log()
    log.issue("CW", 98)
    fold.apply(log.add("TOKEN_NO_SHOW", "CW", 1))
    assert Announcer().current(fold.picture(NOON), 0.0) == (None, None)
