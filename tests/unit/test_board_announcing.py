import pytest

from tests.screens.board_seeds import NOON, Log
from tokenq.board.announcements import DWELL, FRESH, Announcer, Shown
from tokenq.board.picture import Call, Picture
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


def announced(*calls: Call) -> Announcer:
    announcer = Announcer()
    for call in calls:
        announcer.announce(call)
    return announcer


def numbers(shown: tuple[Shown, ...]) -> list[int]:
    return [int(each.call.number[3:]) for each in shown]


def test_calls_at_once_stand_beside_each_other_in_their_order() -> None:
    fold, calls = morning(1, 2, 3)
    assert announced(*calls).current(fold.picture(NOON), 9.0, 4) == tuple(Shown(call, 0.0) for call in calls)


def test_with_one_place_they_are_shown_one_after_the_other() -> None:
    fold, calls = morning(1, 2)
    picture, announcer = fold.picture(NOON), announced(*calls)
    times = (100.0, 100 + DWELL - 0.1, 100 + DWELL, 100 + 2 * DWELL)
    assert [numbers(announcer.current(picture, now)) for now in times] == [[1], [1], [2], [2]]


def test_of_twelve_at_once_none_is_lost_and_the_last_is_seen_within_two_turns() -> None:
    fold, calls = morning(*range(1, 13))
    picture, announcer = fold.picture(NOON), announced(*calls)
    turns = [numbers(announcer.current(picture, DWELL * turn, 4)) for turn in range(3)]
    assert turns == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert numbers(announcer.current(picture, 2 * DWELL + 4, 4)) == [9, 10, 11, 12]


def test_a_call_that_comes_while_others_are_shown_takes_a_free_place() -> None:
    fold, (first, second) = morning(1, 2)
    picture, announcer = fold.picture(NOON), announced(first)
    announcer.current(picture, 0.0, 2)
    announcer.announce(second)
    assert announcer.current(picture, 1.0, 2) == (Shown(first, 1.0), Shown(second, 0.0))
    assert numbers(announcer.current(picture, FRESH + 0.5, 2)) == [2], "the first one has had its time"


def test_a_repeated_call_is_shown_once() -> None:
    fold, (first, second) = morning(1, 2)
    log = Log()
    log.issue("CW", 98, 99)
    announcer = announced(first, second)
    announcer.current(fold.picture(NOON), 0.0, 4)
    again = fold.apply(log.add("TOKEN_RECALLED", "CW", 1, "1"))
    assert again
    announcer.announce(again)
    assert announcer.current(fold.picture(NOON), 2.0, 4) == (Shown(second, 2.0), Shown(again, 0.0))


def test_a_call_stops_being_new_but_stays() -> None:
    fold, (call,) = morning(1)
    announcer = announced(call)
    assert announcer.current(fold.picture(NOON), 50.0) == (Shown(call, 0.0),)
    assert announcer.current(fold.picture(NOON), 50.0 + FRESH) == (Shown(call),)


def test_without_news_the_newest_call_is_shown_unmarked() -> None:
    fold, calls = morning(1, 2)
    assert Announcer().current(fold.picture(NOON), 0.0, 4) == (Shown(calls[-1]),)


def test_a_call_taken_back_disappears_at_once() -> None:
    fold, (first, second) = morning(1, 2)
    announcer = announced(second)
    announcer.current(fold.picture(NOON), 0.0)
    after(fold, second, "TOKEN_REQUEUED")
    assert announcer.current(fold.picture(NOON), 1.0) == (Shown(first),)


@pytest.mark.parametrize("kind", ["TOKEN_NO_SHOW", "TOKEN_CANCELLED", "TOKEN_REQUEUED"])
def test_a_call_taken_back_before_its_turn_is_never_shown_big(kind: str) -> None:
    fold, (first, second) = morning(1, 2)
    announcer = announced(first, second)
    announcer.current(fold.picture(NOON), 0.0)
    after(fold, second, kind)
    assert [numbers(announcer.current(fold.picture(NOON), now)) for now in (1.0, DWELL, 100.0)] == [[1]] * 3


def test_a_number_served_at_once_is_seen_for_its_time_and_then_leaves_to_one_at_a_counter() -> None:
    """Serving in one step calls and serves in the same moment; the person looks for the number all the same."""
    fold, (first, second) = morning(1, 2)
    announcer = announced(second)
    after(fold, second, "TOKEN_SERVED")
    picture = fold.picture(NOON)
    ages = [announcer.current(picture, now)[0].age for now in (0.0, DWELL - 0.1)]
    assert ages == [0.0, DWELL - 0.1]
    assert announcer.current(picture, DWELL) == (Shown(first),)


def test_with_nobody_at_a_counter_the_number_served_last_stays_as_over() -> None:
    fold, (call,) = morning(1)
    log = Log()
    log.issue("CW", 98)
    fold.apply(log.add("TOKEN_SERVED", "CW", 1, "1"))
    (shown,) = Announcer().current(fold.picture(NOON), 0.0)
    assert (shown.call.number, shown.call.state, shown.age) == (call.number, TokenState.SERVED, None)


def test_after_a_no_show_alone_nothing_is_shown_big() -> None:
    fold, _ = morning(1)
    log = Log()
    log.issue("CW", 98)
    fold.apply(log.add("TOKEN_NO_SHOW", "CW", 1))
    assert Announcer().current(fold.picture(NOON), 0.0) == ()
    assert Announcer().current(Picture(), 0.0) == ()
