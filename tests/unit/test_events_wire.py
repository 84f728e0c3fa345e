"""The event on the wire: the golden bytes, and readers that survive anything."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenq.contract.events import BadEvent, Event, EventType, decode, encode, from_wire, key

GOLDENS = Path(__file__).with_name("goldens")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def event(event_type: EventType) -> Event:
    return Event(
        event_type=event_type,
        event_id="01990000-0000-7000-8000-000000000001",
        seq=17,
        timestamp=datetime(2026, 8, 7, 10, 23, 45, 999_000, tzinfo=UTC),
        branch_id="main",
        department_id="CW",
        business_day="2026-08-07",
        token_id=101,
        token_no=12,
        display_number="CW-012",
        user_id=55,
        email="user@example.com",
        counter_id="3",
        actor="frontdesk",
        data={"reason": "first in line", "name": "Zoë"},
    )


@pytest.mark.parametrize("event_type", [EventType.TOKEN_GENERATED, EventType.TOKEN_CALLED, EventType.TOKEN_SERVED])
def test_the_wire_format_is_what_it_was(event_type: EventType) -> None:
    """Others read this topic: a change of these bytes breaks them. Old goldens are never edited."""
    golden = GOLDENS / f"{event_type.lower()}.v1.json"

    assert encode(event(event_type)) == golden.read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("golden", sorted(GOLDENS.glob("*.v1.json")), ids=lambda path: path.stem)
def test_what_was_written_is_read_again(golden: Path) -> None:
    """Every field comes back, whole seconds apart."""
    read = decode(golden.read_bytes())

    assert encode(read) == golden.read_bytes().rstrip(b"\n")
    assert key(read) == b"CW"


def test_the_seed_s_own_records_are_read() -> None:
    """Both spellings of the type, and the fields the first implementation had."""
    seed = {
        "eventType": "TOKEN_GENERATED",
        "tokenId": 101,
        "departmentId": "CW",
        "tokenNo": 12,
        "userId": 55,
        "email": "user@example.com",
        "timestamp": "2025-08-07T10:23:45Z",
    }
    other = {("event" if name == "eventType" else name): value for name, value in seed.items()}

    assert from_wire(seed) == from_wire(other)
    assert from_wire(seed).display_number == "CW-012"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        None,
        b"null",
        b"[]",
        b'""',
        b"123",
        b"\xff\xfe{\x00",
        b"{",
        b'{"event":"TOKEN_SERVED","tokenId":101}',
        b'{"eventType":"X","departmentId":"CW","tokenId":"12"}',
        b'{"eventType":"X","departmentId":"CW","tokenId":-1}',
        b'{"eventType":"X","departmentId":"CW","tokenId":1.5}',
        b'{"eventType":"X","departmentId":"CW","tokenId":1e309}',
        b'{"eventType":"X","departmentId":"CW","tokenId":true}',
        b'{"eventType":"X","departmentId":7,"tokenId":1}',
        b'{"eventType":"X","departmentId":"CW","tokenId":1,"timestamp":"yesterday"}',
        b"[" * 100_000,
        b'{"a":"' + b"x" * 300_000 + b'"}',
    ],
    ids=lambda raw: repr(raw)[:30],
)
def test_poison_is_told_apart(raw: bytes | None) -> None:
    """Whatever lies in the topic, a reader gets BadEvent and nothing else."""
    with pytest.raises(BadEvent):
        decode(raw)


@given(JSON)
def test_any_json_is_an_event_or_bad(value: object) -> None:
    """No other exception may come out of a reader."""
    try:
        decode(json.dumps(value))
    except BadEvent:
        return


@given(st.fixed_dictionaries({"eventType": st.text(min_size=1), "departmentId": st.text(min_size=1), "tokenId": JSON}))
def test_nearly_events_are_events_or_bad(value: dict[str, object]) -> None:
    """The same for what looks almost right, unknown types included."""
    try:
        read = from_wire(value)
    except BadEvent:
        return
    assert read.event_type == value["eventType"]
