from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.screens.board_seeds import FakeStream, busy_log, replay
from tests.waiting import until
from tokenq.board.picture import Call
from tokenq.stream import Arrived, CaughtUp, Link, LinkChanged, Rewound, Skipped
from tokenq_tui.board import tail as tail_module
from tokenq_tui.board.tail import NEWS_WITHIN, Tail

START = datetime.now(UTC) - timedelta(minutes=30)


@contextmanager
def tailing(stream: FakeStream) -> Iterator[Tail]:
    tail = Tail(lambda: stream, (), lambda: None)
    tail.start()
    try:
        yield tail
    finally:
        tail.stop()


def news_of(tail: Tail, wanted: int) -> list[Call]:
    heard: list[Call] = []

    def enough() -> bool:
        heard.extend(tail.take().news)
        return len(heard) >= wanted

    until(enough, lambda: f"heard only {heard}")
    return heard


def test_the_replay_at_the_start_announces_nothing_and_a_later_call_is_news() -> None:
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        stream.put(Arrived(log.call("CW", 13, "1"), 0.2))
        assert [call.number for call in news_of(tail, 1)] == ["CW-013"]


def test_a_call_published_long_after_it_happened_is_shown_but_not_announced() -> None:
    """When the relay comes back after an hour, the lobby is not to hear an hour of calls."""
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        stream.put(Arrived(log.call("CW", 13, "1"), NEWS_WITHIN + 1), Arrived(log.call("CW", 14, "2"), 0.0))
        assert [call.number for call in news_of(tail, 1)] == ["CW-014"]
        assert "CW-013" in [call.number for call in tail.take().picture.calls]


def test_a_log_read_again_keeps_the_old_picture_until_it_is_complete_and_announces_nothing_twice() -> None:
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        before = tail.take().picture
        stream.put(Rewound(), *(Arrived(event, 0.1) for event in log.events[:40]))
        stream.put(Skipped("noise"))
        until(lambda: tail.take().skipped == 1)
        assert tail.take().picture == before
        missed = log.call("CW", 13, "1")
        stream.put(*(Arrived(event, 0.1) for event in log.events[40:-1]), CaughtUp(), Arrived(missed, 0.1))
        assert [call.number for call in news_of(tail, 1)] == ["CW-013"]


def test_a_call_made_while_the_log_was_away_is_announced_once_it_is_shown() -> None:
    """It is read again with all the others, and nobody has heard of it."""
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        before = list(log.events)
        missed = log.call("CW", 13, "1")
        stream.put(Rewound(), *(Arrived(event, 0.1) for event in before), Arrived(missed, 0.1), Skipped("noise"))
        until(lambda: (update := tail.take()).skipped == 1 and not update.news)
        stream.put(CaughtUp())
        heard: list[str] = []

        def is_heard() -> bool:
            update = tail.take()
            heard.extend(call.number for call in update.news)
            shown = [call.number for call in update.picture.calls]
            assert all(number in shown for number in heard)
            return bool(heard)

        until(is_heard)
        assert heard == ["CW-013"]


def test_an_emptied_log_does_not_blank_the_board_while_it_is_refilled() -> None:
    """The embedded broker forgets everything when it dies; the relay needs a moment to tell it again."""
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        stream.put(Rewound(), CaughtUp(), Skipped("noise"))
        until(lambda: tail.take().skipped == 1)
        assert tail.take().picture.calls
        stream.put(*(Arrived(event, 0.1) for event in log.events), Arrived(log.call("CW", 13, "1"), 0.1))
        assert [call.number for call in news_of(tail, 1)] == ["CW-013"]


def test_repeated_deliveries_are_not_announced_again() -> None:
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        call = log.call("CW", 13, "1")
        stream.put(Arrived(call, 0.1), Arrived(call, 0.1), Arrived(replace(call, seq=call.seq + 1), 0.1))
        stream.put(Arrived(log.call("CW", 14, "1"), 0.1), Arrived(log.call("CW", 15, "1"), 0.1))
        assert [call.number for call in news_of(tail, 2)] == ["CW-013", "CW-015"]


def test_the_link_is_told_with_the_picture_and_stopping_closes_the_stream() -> None:
    stream = FakeStream([LinkChanged(Link.LIVE), LinkChanged(Link.LOST, "The broker does not answer.")])
    with tailing(stream) as tail:
        until(lambda: tail.take().link is Link.LOST)
        assert tail.take().why == "The broker does not answer."
    assert stream.is_closed


def test_after_an_unexpected_failure_the_board_says_that_it_may_be_old_and_begins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail_module, "_BEGIN_AGAIN", 0.1)
    log = busy_log(START)
    first, second = FakeStream(replay(log)), FakeStream([])
    streams = [first, second]
    tail = Tail(lambda: streams.pop(0), (), lambda: None)
    tail.start()
    try:
        until(lambda: tail.take().picture.calls)
        before = tail.take().picture
        monkeypatch.setattr(first, "read", broken)
        until(lambda: tail.take().link is Link.LOST)
        assert tail.take().why == "RuntimeError: broken"
        assert tail.take().picture == before
        assert first.is_closed
        missed = log.call("CW", 13, "1")
        second.put(*replay(log))
        assert [call.number for call in news_of(tail, 1)] == [missed.display_number]
        until(lambda: tail.take().link is Link.LIVE)
    finally:
        tail.stop()


def broken(_: float) -> None:
    raise RuntimeError("broken")


def test_a_gap_makes_the_board_read_again_and_not_for_every_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 61. A stranger may make up any number of jumps; reading a day's log takes seconds."""
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        lies = [replace(log.events[0], seq=2**63 - number, event_id=f"lie-{number}") for number in range(1, 40, 2)]
        stream.put(*(Arrived(lie, 0.1) for lie in lies))
        until(lambda: tail.take().picture.doubtful == ("CW",))
        stream.put(Rewound(), *(Arrived(event, 0.1) for event in [*log.events, *lies]), CaughtUp())
        stream.put(Arrived(log.call("CW", 13, "1"), 0.1))
        assert [call.number for call in news_of(tail, 1)] == ["CW-013"]
        until(lambda: tail.take().picture.doubtful == ())
        assert stream.read_again_times == 1


def test_later_gaps_are_read_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "READ_AGAIN_EVERY", 0.3)
    log = busy_log(START)
    stream = FakeStream(replay(log))
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.calls)
        for number in (1, 3, 5):
            stream.put(Arrived(replace(log.events[0], seq=2**63 - number, event_id=f"lie-{number}"), 0.1))
            until(lambda number=number: stream.read_again_times == (number + 1) // 2)


def test_what_was_in_the_log_from_the_beginning_is_not_read_again() -> None:
    log = busy_log(START)
    lie = replace(log.events[0], seq=2**63 - 1)
    stream = FakeStream([LinkChanged(Link.LIVE), *(Arrived(event, 0.1) for event in [*log.events, lie]), CaughtUp()])
    with tailing(stream) as tail:
        until(lambda: tail.take().picture.doubtful == ("CW",))
        assert stream.read_again_times == 0
