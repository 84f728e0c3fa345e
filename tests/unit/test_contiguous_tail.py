"""What the topic's tail proves of a department's log: only what follows it without a gap."""

import logging

import pytest

from tokenq.contract.events import from_wire
from tokenq_server.recovery.contiguous_tail import MAX_GAP, ContiguousTail, TailRecord
from tokenq_server.services.publishing import Cursor, Tail


def found(seq: int, partition: int = 0, *, by: str = "told", is_cut: bool = False) -> TailRecord:
    wire = {"eventType": "X", "departmentId": "CW", "tokenId": 1, "seq": seq, "eventId": f"{by} {seq}"}
    return TailRecord(from_wire(wire), partition, 100 + min(seq, 9), is_cut)


def weigh(*records: TailRecord, is_lost: bool = False) -> Tail:
    tail = ContiguousTail({"CW": Cursor(12)})
    for record in records:
        tail.take(record, is_lost=is_lost)
    return tail.tail()


def test_a_stray_record_is_named_with_its_place_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """Twelve are known, thirteen follows; a number from nowhere does not."""
    with caplog.at_level(logging.WARNING):
        tail = weigh(found(13), found(2**62, partition=2), found(12, by="forged"), found(13, by="forged"))

    assert (tail.found, tail.ids) == ({"CW": 13}, {"CW": "told 13"})
    (record,) = caplog.records
    assert (record.__dict__["partition"], record.__dict__["offset"], record.__dict__["seq"]) == (2, 109, 2**62)


def test_a_stray_alone_proves_nothing() -> None:
    """Neither far ahead nor one too far."""
    assert weigh(found(14), found(1_000_000)).found == {}


def test_a_forged_record_ahead_of_its_turn_does_not_stand_in_for_the_true_one() -> None:
    """The one that came when it was due counts."""
    assert weigh(found(14, by="forged"), found(13), found(14)).ids == {"CW": "told 14"}


def test_a_department_s_records_may_lie_in_two_partitions() -> None:
    """The topic was given more partitions since; they are read one after the other."""
    assert weigh(found(15, 0), found(16, 0), found(13, 2), found(14, 2)).found == {"CW": 16}


def test_after_what_retention_took_a_log_goes_on_further_on() -> None:
    """But not out of sight."""
    assert weigh(found(40, is_cut=True), found(41, is_cut=True), found(50, is_cut=True)).found == {"CW": 41}
    assert weigh(found(12 + MAX_GAP + 1, is_cut=True)).found == {}


def test_a_partition_that_began_anew_tells_from_wherever_it_begins() -> None:
    """The relay published again what the log still had."""
    assert weigh(found(5), found(6), found(2**62), is_lost=True).found == {"CW": 6}


def test_only_the_events_of_the_departments_asked_for_are_kept() -> None:
    """And only those that count."""
    kept, others = (ContiguousTail({"CW": Cursor(12)}, names) for names in (["CW"], ["LAB"]))
    for tail in (kept, others):
        for record in (found(12), found(13), found(13, by="forged"), found(2**62)):
            tail.take(record)

    assert [event.event_id for event in kept.events] == ["told 13"]
    assert others.events == []
