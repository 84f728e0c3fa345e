"""What may lie in the topic: everything once and in order for a reader that drops what it has seen."""

from collections.abc import Iterable

import pytest

from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.invariants.topic import Published, TopicRecord


def read(seqs: Iterable[int], *, cursor: int = 3, partitions: Iterable[int] = (), allowed: int | None = None) -> Tally:
    tally = Tally()
    published = Published("CW", tally, cursor)
    places = list(partitions) or [0] * 99
    for offset, seq in enumerate(seqs):
        payload = str(seq).encode()
        published.take(TopicRecord(places[offset], offset, payload, "CW", seq), payload)
    published.end(allowed)
    return tally


@pytest.mark.parametrize("seqs", [[1, 2, 3], [1, 2, 1, 2, 3], [1, 2, 3, 4, 2, 3, 4, 5]])
def test_repetitions_are_harmless_and_what_is_ahead_of_the_cursor_is_too(seqs: list[int]) -> None:
    assert read(seqs).is_well


@pytest.mark.parametrize(
    ("seqs", "codes"),
    [
        ([1, 2], {"K1"}),
        ([], {"K1"}),
        ([2, 3], {"K1"}),
        ([1, 3], {"K1", "K3"}),
        ([1, 3, 2], {"K2", "K3"}),
        ([1, 2, 3, 2], set()),
    ],
)
def test_holes_and_disorder_are_seen(seqs: list[int], codes: set[str]) -> None:
    assert set(read(seqs).found) == codes


def test_more_repetitions_than_can_be_explained_are_seen() -> None:
    assert set(read([1, 2, 3, 2], allowed=0).found) == {"K4"}
    assert read([1, 2, 3, 2], allowed=1).is_well


def test_a_department_stays_in_its_partition() -> None:
    assert set(read([1, 2, 3], partitions=[0, 1, 0]).found) == {"K5"}


def test_a_topic_that_was_refilled_need_not_have_the_beginning() -> None:
    tally = Tally()
    published = Published("CW", tally, 9, refilled_from=6)
    for seq in (7, 8, 9):
        published.take(TopicRecord(0, seq, b"x", "CW", seq), b"x")
    published.end()
    assert tally.is_well


def test_of_a_quiet_department_a_refill_repeats_nothing() -> None:
    """After a restart of `tokenq up`, weeks after its last event."""
    tally = Tally()
    Published("CW", tally, 9, refilled_from=9).end()
    assert tally.is_well


def test_a_record_that_is_not_the_logs_is_seen() -> None:
    tally = Tally()
    Published("CW", tally, 0).take(TopicRecord(0, 0, b"forged", "CW", 1), b"true")
    assert set(tally.found) == {"K4"}


@pytest.mark.parametrize(("is_whole", "codes"), [(False, set()), (True, {"K1"})])
def test_retention_may_have_emptied_a_quiet_department(is_whole: bool, codes: set[str]) -> None:
    """Nothing of it is left, so nothing can be said, as long as the topic no longer has its beginning."""
    tally = Tally()
    Published("CW", tally, 500, is_whole).end()
    assert set(tally.found) == codes


def test_the_end_of_a_department_of_which_something_is_left_must_be_there() -> None:
    """Retention takes the oldest, never the newest."""
    tally = Tally()
    published = Published("CW", tally, 9, is_whole=False)
    published.take(TopicRecord(0, 0, b"x", "CW", 7), b"x")
    published.end()
    assert set(tally.found) == {"K1"}
