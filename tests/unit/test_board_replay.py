"""A day played again: history at once, the rest in its time, and a clock that obeys."""

import itertools
import time
from datetime import datetime, timedelta

import pytest

from tests.screens.board_seeds import NOON, Log
from tokenq.stream import Arrived, CaughtUp, Item, Rewound
from tokenq_tui.board.replay import SPEEDS, Replay

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The steady clock of the replay, to be set by hand."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def day(*minutes: int) -> Log:
    """Somebody comes at each of these minutes after noon."""
    log = Log()
    for number, minute in enumerate(minutes, 1):
        log.now = NOON + minute * MINUTE - timedelta(seconds=20)
        log.issue("CW", number)
    return log


def taken(replay: Replay) -> list[Item]:
    """All that is there to read now."""
    return list(itertools.takewhile(lambda item: item is not None, (replay.read(0) for _ in itertools.count())))  # type: ignore[arg-type]


def told(items: list[Item]) -> list[tuple[int, bool] | str]:
    """Each item in short: a token's number and whether it is news."""
    return [
        (item.event.token_no, item.delay < 60) if isinstance(item, Arrived) else type(item).__name__ for item in items
    ]


def after(moment: datetime) -> float:
    return (moment - NOON) / MINUTE


def test_what_was_before_is_history_and_the_rest_comes_in_its_time(clock: list[float]) -> None:
    replay = Replay(day(0, 10, 20).events, NOON + 5 * MINUTE, speed=60)
    assert told(taken(replay)) == ["LinkChanged", (1, False), "CaughtUp"]
    clock[0] += 4.9
    assert taken(replay) == []
    clock[0] += 0.1
    assert told(taken(replay)) == [(2, True)]
    assert after(replay.now()) == pytest.approx(10)
    assert replay.read(10.5) is not None, "it waits for the next one"


def test_a_stopped_clock_stands_and_runs_on_from_there(clock: list[float]) -> None:
    replay = Replay(day(0, 10).events, NOON, speed=60)
    clock[0] += 3
    replay.toggle()
    clock[0] += 3600
    assert after(replay.now()) == pytest.approx(3)
    assert "paused" in replay.status()
    replay.toggle()
    clock[0] += 1
    assert after(replay.now()) == pytest.approx(4)


def test_skipping_forward_shows_what_lies_between_without_announcing_it(clock: list[float]) -> None:
    replay = Replay(day(0, 10, 20).events, NOON, speed=60)
    taken(replay)
    replay.skip(15 * MINUTE)
    assert told(taken(replay)) == [(2, False)]
    clock[0] += 5
    assert told(taken(replay)) == [(3, True)]
    assert "end" in replay.status()


def test_skipping_back_begins_anew_and_announces_again_what_comes_again(clock: list[float]) -> None:
    replay = Replay(day(0, 10, 20).events, NOON - MINUTE, speed=60)
    clock[0] += 30
    first = taken(replay)
    replay.skip(-15 * MINUTE)
    again = taken(replay)
    assert told(again) == ["Rewound", (1, False), (2, False), "CaughtUp"]
    clock[0] += 6
    (third,) = taken(replay)
    assert told([third]) == [(3, True)]
    assert isinstance(third, Arrived)
    assert third.event.event_id not in {item.event.event_id for item in first if isinstance(item, Arrived)}
    assert isinstance(again[0], Rewound)
    assert isinstance(again[-1], CaughtUp)


def test_nobody_skips_to_before_the_day(clock: list[float]) -> None:
    replay = Replay(day(0, 10).events, NOON, speed=60)
    replay.skip(-60 * MINUTE)
    assert after(replay.now()) == pytest.approx(0)


def test_the_speed_changes_in_steps_and_the_clock_does_not_jump(clock: list[float]) -> None:
    replay = Replay(day(0, 10).events, NOON, speed=20)
    clock[0] += 3
    replay.change_speed(1)
    assert after(replay.now()) == pytest.approx(1)
    assert "×60" in replay.status()
    replay.change_speed(-100)
    assert f"×{SPEEDS[0]:g}" in replay.status()
    replay.change_speed(100)
    assert f"×{SPEEDS[-1]:g}" in replay.status()
