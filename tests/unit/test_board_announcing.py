from tests.screens.board_seeds import NOON, Log
from tokenq_tui.board.announcing import DWELL, FRESH, Announcer
from tokenq_tui.board.state import Call, Fold


def morning(*numbers: int) -> tuple[Fold, list[Call]]:
    fold, log = Fold(), Log()
    calls = [fold.apply(log.call("CW", number, str(number))) for number in numbers]
    return fold, [call for call in calls if call]


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
    log = Log()
    log.issue("CW", 1, 2)
    fold.apply(log.add("TOKEN_REQUEUED", "CW", 2))
    assert announcer.current(fold.picture(NOON), 1.0) == (first, None)
