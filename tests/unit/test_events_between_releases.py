"""Events between releases: an old reader on what is sent today, today's readers on what comes later."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_events_wire import GOLDENS, event
from tokenq.board.state import Fold
from tokenq.contract.events import EventType, decode, encode, to_wire
from tokenq_server.domain.notification_rules import kind_for
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import RawRecord

OLD_READER: dict[str, str] = json.loads((GOLDENS / "reader_of_v1.json").read_text())
"""What the readers of schemaVersion 1 relied on. Added to by a new version under a new name, never edited."""


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind


_SHAPES: dict[str, Callable[[Any], bool]] = {
    "string": _is(str),
    "integer": _is(int),
    "object": _is(dict),
    "integer or null": lambda value: value is None or type(value) is int,
    "string or null": lambda value: value is None or type(value) is str,
    "instant": lambda value: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None,
    "day": lambda value: re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None,
    "department": lambda value: re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", value) is not None,
}


def misses(wire: dict[str, Any]) -> list[str]:
    """The fields in which an old reader would be disappointed."""
    return [name for name, shape in OLD_READER.items() if name not in wire or not _SHAPES[shape](wire[name])]


@pytest.mark.parametrize("event_type", list(EventType))
def test_an_old_reader_finds_what_it_relied_on(event_type: EventType) -> None:
    """In events of every type, the newest too, full and as empty as they come."""
    full = event(event_type)
    empty = replace(full, token_id=0, token_no=0, display_number="", user_id=None, email=None, counter_id=None, data={})

    assert misses(json.loads(encode(full))) == misses(json.loads(encode(empty))) == []
    assert to_wire(full)["schemaVersion"] == 1


@pytest.mark.parametrize("golden", sorted(GOLDENS.glob("token_*.v1.json")), ids=lambda path: path.stem)
def test_the_frozen_reader_reads_the_old_goldens(golden: Path) -> None:
    """It is what it claims to be: the one that was satisfied then."""
    assert misses(json.loads(golden.read_bytes())) == []


@pytest.mark.parametrize("event_type", [*EventType, "TOKEN_OF_TOMORROW"])
def test_readers_of_today_survive_tomorrow(event_type: str) -> None:
    """A later release adds types and fields, and raises the version: it is read, or passed over in silence."""
    wire = to_wire(replace(event(EventType.TOKEN_CALLED), event_type=event_type, timestamp=datetime.now(UTC)))
    raw = json.dumps(wire | {"schemaVersion": 2, "lane": 7, "data": {**wire["data"], "more": [1]}}).encode()
    read = decode(raw)
    fold = Fold()
    fold.apply(read)
    jobs, bad = sort_out([RawRecord("token-events", 0, 0, raw)])

    assert (read.event_type, read.schema_version, bad) == (event_type, 2, [])
    assert len(jobs) == (kind_for(read) is not None)
    if event_type not in EventType.__members__:
        assert jobs == []
        assert fold.gaps == 0
