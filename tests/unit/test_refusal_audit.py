"""Folding refusals: what becomes one event, what is bounded, and what happens while the store is unavailable."""

import logging
from collections.abc import Sequence
from itertools import count

import pytest

from tokenq.contract.audit import AuditKind
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.domain.refusals import database_unavailable
from tokenq_server.services.audit import AuditEvent, AuditQuery, Occurrences, Origin, StoredEvent
from tokenq_server.services.refusal_audit import (
    MOST_PER_SOURCE,
    MOST_PER_WINDOW,
    MOST_UNWRITTEN,
    OTHERS,
    WINDOW,
    RefusalAudit,
)


class Store:
    """Keeps how often each refusal was stored."""

    def __init__(self) -> None:
        self.is_available = True
        self.counts: dict[int, int] = {}
        self.events_by_id: dict[int, AuditEvent] = {}
        self._ids = count(1)

    async def write(self, refusals: Sequence[Occurrences]) -> list[int]:
        if not self.is_available:
            raise database_unavailable()
        ids = [next(self._ids) if each.audit_id is None else each.audit_id for each in refusals]
        for audit_id, each in zip(ids, refusals, strict=True):
            self.events_by_id[audit_id] = each.event
            self.counts[audit_id] = self.counts.get(audit_id, 0) + each.count
        return ids

    async def events(self, query: AuditQuery) -> list[StoredEvent]:
        return []

    async def forget(self, days: int) -> bool:
        return False


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def audit(store: Store, clock: Clock) -> RefusalAudit:
    return RefusalAudit(store, clock)


def refusal(target: str = "route:GET /x", source: str = "192.0.2.1", actor: str | None = None) -> AuditEvent:
    return AuditEvent(AuditKind.ACCESS, Origin(actor, actor, source, "r1"), target, ProblemCode.FORBIDDEN)


async def test_repeats_within_a_minute_are_one_event(audit: RefusalAudit, store: Store, clock: Clock) -> None:
    for second in range(60):
        clock.now = second
        audit.note(refusal())
        if second % 7 == 0:
            await audit.write()
    await audit.write()
    assert store.counts == {1: 60}
    clock.now = WINDOW
    audit.note(refusal())
    await audit.write()
    assert store.counts == {1: 60, 2: 1}


async def test_other_people_places_and_addresses_are_other_events(audit: RefusalAudit, store: Store) -> None:
    for event in (refusal(), refusal("route:GET /y"), refusal(source="192.0.2.2"), refusal(actor="ann")):
        audit.note(event)
        audit.note(event)
    await audit.write()
    assert store.counts == {1: 2, 2: 2, 3: 2, 4: 2}


async def test_a_flood_of_different_ones_is_bounded_and_counted(
    audit: RefusalAudit, store: Store, clock: Clock
) -> None:
    """From ten thousand addresses, as from a botnet."""
    for number in range(10_000):
        audit.note(refusal(source=f"2001:db8:0:{number:x}::1"))
    await audit.write()
    assert len(store.counts) == MOST_PER_WINDOW + 1
    assert sum(store.counts.values()) == 10_000
    (others,) = [audit_id for audit_id, event in store.events_by_id.items() if event.target == OTHERS]
    assert store.events_by_id[others].origin == Origin()
    assert store.counts[others] == 10_000 - MOST_PER_WINDOW
    clock.now = WINDOW
    audit.note(refusal(source="198.51.100.1"))
    await audit.write()
    assert store.events_by_id[others + 1].origin.source == "198.51.100.1", "a minute later there is room"


@pytest.mark.parametrize(
    ("many", "network"), [("192.0.2.1", "192.0.2.1"), ("2001:db8::{:x}", "2001:db8::/64")], ids=["IPv4", "IPv6"]
)
async def test_a_source_cannot_hide_what_others_do_behind_its_own_refusals(
    audit: RefusalAudit, store: Store, clock: Clock, many: str, network: str
) -> None:
    """Whoever has an IPv6 network has all addresses of it."""
    for number in range(500):
        audit.note(refusal(f"route:GET /{number}", many.format(number)))
    victim = refusal("department:CW", "198.51.100.1", "eve")
    audit.note(victim)
    await audit.write()
    assert victim in store.events_by_id.values()
    (others,) = [audit_id for audit_id, event in store.events_by_id.items() if event.target == OTHERS]
    assert store.events_by_id[others].origin == Origin(source=network), "who floods is known"
    assert store.counts[others] == 500 - MOST_PER_SOURCE
    assert sum(store.counts.values()) == 501
    clock.now = WINDOW
    again = refusal("route:GET /again", many.format(1))
    audit.note(again)
    await audit.write()
    assert again in store.events_by_id.values(), "a minute later it has its share again"


async def test_nothing_is_lost_while_the_store_is_unavailable(audit: RefusalAudit, store: Store, clock: Clock) -> None:
    store.is_available = False
    for second in (0, 1, 70):
        clock.now = second
        audit.note(refusal())
        with pytest.raises(Refused):
            await audit.write()
    store.is_available = True
    await audit.write()
    await audit.write()
    assert store.counts == {1: 2, 2: 1}


async def test_what_is_too_much_to_remember_is_said(
    audit: RefusalAudit, store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage of hours under attack must not fill the memory."""
    caplog.set_level(logging.INFO)
    minutes = MOST_UNWRITTEN // MOST_PER_WINDOW + 3
    store.is_available = False
    for minute in range(minutes):
        clock.now = minute * WINDOW
        for number in range(MOST_PER_WINDOW):
            audit.note(refusal(source=f"2001:db8:{minute:x}:{number:x}::1"))
    store.is_available = True
    audit.start()
    await audit.close()
    assert len(store.counts) == MOST_UNWRITTEN
    (said,) = [line for line in caplog.records if "missing from the audit" in line.message]
    assert vars(said)["lost"] == minutes * MOST_PER_WINDOW - MOST_UNWRITTEN


async def test_the_log_has_a_line_for_the_first_and_one_for_the_number(
    audit: RefusalAudit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(1000):
        audit.note(refusal())
    clock.now = WINDOW
    audit.note(refusal())
    lines = [(line.message, vars(line)["count"]) for line in caplog.records if line.name == "tokenq_server.audit"]
    assert lines == [("security event", 1), ("security event repeated", 1000), ("security event", 1)]
