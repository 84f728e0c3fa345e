"""Which events a board believes. Rows 61 and 62: replayed, forged and swapped records."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.screens.board_seeds import NOON, Log, busy_log
from tokenq.board.numbering import BELIEVED_AFTER
from tokenq.board.picture import Picture
from tokenq.board.state import Fold
from tokenq.contract.events import Event

END = 2**63 - 1


def fold_of(events: Iterable[Event]) -> Fold:
    fold = Fold()
    for event in events:
        fold.apply(event)
    return fold


def shown(fold: Fold) -> Picture:
    return fold.picture(NOON)


def forged(event: Event, seq: int, **more: object) -> Event:
    return replace(event, seq=seq, event_id=f"forged-{seq}", display_number="CW-666", token_id=666, **more)  # type: ignore[arg-type]


@pytest.fixture
def log() -> Log:
    written = Log()
    written.issue("CW", *range(1, 10))
    for number in (1, 2, 3):
        written.call("CW", number, "1")
        written.serve("CW", number, "1")
    return written


@pytest.mark.parametrize("at", [END, END - 1, 1000, 17])
@pytest.mark.parametrize("kind", ["TOKEN_CALLED", "LOG_REWOUND", "DEPARTMENT_CHANGED"])
def test_a_number_far_ahead_is_not_believed_and_the_real_calls_still_appear(log: Log, at: int, kind: str) -> None:
    """Row 61. The alarm is on until the next real number shows that it was a lie."""
    fold = fold_of(log.events)
    before = shown(fold)
    lie = forged(log.events[-1], at, event_type=kind, counter_id="9")
    assert fold.apply(lie) is None
    assert fold.holds(lie)
    assert shown(fold) == replace(before, doubtful=("CW",))

    call = fold.apply(log.call("CW", 4, "2"))
    assert call is not None
    assert call.number == "CW-004"
    assert shown(fold) == shown(fold_of(log.events))
    assert shown(fold).doubtful == ()


def test_a_lie_that_comes_first_hides_nothing(log: Log) -> None:
    """A board that has just been started knows no number of the department."""
    lie = forged(log.events[0], END)
    fold = fold_of([lie, *log.events])
    assert shown(fold) == shown(fold_of(log.events))


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(20, END)), max_size=8))
@example([(0, 20), (1, 21)])
def test_lies_between_real_records_change_nothing(lies: list[tuple[int, int]]) -> None:
    """Wherever they stand, unless they go on where the log does, or one after the other."""
    log = Log()
    log.issue("CW", *range(1, 10))
    for number in (1, 2, 3):
        log.call("CW", number, "1")
        log.serve("CW", number, "1")
    told: list[Event] = []
    for place, event in enumerate(log.events):
        between = sorted((seq for at, seq in lies if at == place), reverse=True)
        told += [forged(event, seq, event_type="TOKEN_CALLED") for seq in between]
        told.append(event)
    assert shown(fold_of(told)) == shown(fold_of(log.events))


def test_a_few_in_a_row_are_a_lie_too_once_the_real_log_goes_on(log: Log) -> None:
    fold = fold_of(log.events)
    for seq in range(1000, 1000 + BELIEVED_AFTER + 5):
        fold.apply(forged(log.events[-1], seq, event_type="TOKEN_CALLED"))
    assert shown(fold).calls[0].number == "CW-666", "nobody but a permission on the topic could tell"
    fold.apply(log.call("CW", 4, "2"))
    assert shown(fold) == replace(shown(fold_of(log.events)), gaps=1)


def test_replayed_old_records_change_nothing(log: Log) -> None:
    """Row 61. Also those from before the board began to read."""
    begun = log.events[6:]
    fold = fold_of([*begun, *log.events, *reversed(log.events)])
    assert shown(fold) == shown(fold_of(begun))


def test_events_that_are_really_lost_are_given_up_and_the_board_goes_on_and_says_so(log: Log) -> None:
    fold = fold_of(log.events)
    log.call("CW", 4, "2")  # lost
    assert fold.apply(log.call("CW", 5, "3")) is None
    call = fold.apply(log.call("CW", 6, "4"))
    assert call is not None
    assert call.number == "CW-006"
    picture = shown(fold)
    assert [call.number for call in picture.calls][:2] == ["CW-006", "CW-005"]
    assert (picture.doubtful, picture.gaps) == (("CW",), 1)

    log.day = "2026-08-08"
    fold.apply(log.call("CW", 7, "1"))
    assert shown(fold).doubtful == (), "a new day begins with all of its events"


def test_events_that_come_late_after_all_are_taken_in_order(log: Log) -> None:
    """A relay that starts again publishes again from where it is sure."""
    fold = fold_of(log.events)
    late = [log.call("CW", number, str(number)) for number in (4, 5, 6, 7)]
    for event in (*late[2:], *late):
        fold.apply(event)
    assert shown(fold) == replace(shown(fold_of(log.events)), gaps=1)


def test_the_first_number_of_a_window_is_no_gap(log: Log) -> None:
    """Retention has removed what was before, or it is older than the window."""
    fold = fold_of(log.events[5:])
    assert shown(fold).doubtful == ()
    assert shown(fold).calls


def test_a_rewound_log_goes_on_without_a_gap(log: Log) -> None:
    """Its entries take the numbers behind what was published."""
    log.add("LOG_REWOUND", "CW", 0, token_id=0, data={"from": 3, "to": 15})
    log.call("CW", 4, "2")
    picture = shown(fold_of(log.events))
    assert (picture.calls[0].number, picture.doubtful) == ("CW-004", ())


def test_records_without_a_number_are_no_events_of_a_log(log: Log) -> None:
    """Row 61: sequence number 0, as in the first implementation's records."""
    fold = fold_of([*log.events, forged(log.events[-1], 0)])
    assert shown(fold) == shown(fold_of(log.events))
    assert shown(fold_of([forged(log.events[-1], 0)])) == Picture()


def test_the_departments_of_swapped_partitions_are_read_as_they_are() -> None:
    """Row 62. What counts is the department in the record, and its own numbers."""
    log = busy_log()
    by_department = sorted(log.events, key=lambda event: (event.department_id != "XR", event.department_id))
    assert shown(fold_of(by_department)) == shown(fold_of(log.events))


def test_what_is_kept_aside_is_bounded(log: Log) -> None:
    fold = fold_of(log.events)
    for seq in range(1000, 100_000, 10):
        fold.apply(forged(log.events[-1], seq))
    (numbered,) = fold._logs.values()
    assert sum(map(len, numbered._ahead)) <= 4 * BELIEVED_AFTER


def test_one_department_s_gap_is_not_another_s() -> None:
    log = busy_log(NOON - timedelta(minutes=30))
    fold = fold_of(log.events)
    fold.apply(forged(next(event for event in log.events if event.department_id == "LAB"), END))
    assert shown(fold).doubtful == ("LAB",)
