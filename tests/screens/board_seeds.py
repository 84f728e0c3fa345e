"""A hand-written event source for the board, and the logs the tests and pictures are made of."""

import queue
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from tokenq.contract.events import Event
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged

NOON = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)


class FakeStream:
    """Hands out the items put into it; stands in for :class:`tokenq.stream.EventStream`."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: queue.Queue[Item] = queue.Queue()
        self.heard_at: float | None = time.monotonic()
        self.is_closed = False
        self.read_again_times = 0
        for item in items:
            self._items.put(item)

    def put(self, *items: Item) -> None:
        for item in items:
            self._items.put(item)

    def read(self, timeout: float) -> Item | None:
        try:
            return self._items.get(timeout=min(timeout, 0.02)) if timeout > 0 else self._items.get_nowait()
        except queue.Empty:
            return None

    def read_again(self) -> None:
        self.read_again_times += 1

    def close(self) -> None:
        self.is_closed = True


class Log:
    """Writes events of several departments with gapless numbering and a running clock."""

    def __init__(self, start: datetime = NOON, day: str = "2026-08-07") -> None:
        self.now, self.day = start, day
        self.events: list[Event] = []
        self._seqs: dict[str, int] = {}

    def add(self, kind: str, department: str, token_no: int, counter: str | None = None, **fields: object) -> Event:
        seq = self._seqs[department] = self._seqs.get(department, 0) + 1
        self.now += timedelta(seconds=20)
        values: dict[str, object] = {
            "event_type": kind,
            "event_id": f"{department}-{seq}",
            "seq": seq,
            "timestamp": self.now,
            "branch_id": "main",
            "department_id": department,
            "business_day": self.day,
            "token_id": sum(map(ord, department)) * 1000 + token_no,
            "token_no": token_no,
            "display_number": f"{department}-{token_no:03d}",
            "counter_id": counter,
            "email": "person@example.com",
        }
        event = Event(**{**values, **fields})  # type: ignore[arg-type]
        self.events.append(event)
        return event

    def issue(self, department: str, *numbers: int) -> None:
        for number in numbers:
            self.add("TOKEN_GENERATED", department, number)

    def call(self, department: str, number: int, counter: str) -> Event:
        return self.add("TOKEN_CALLED", department, number, counter)

    def serve(self, department: str, number: int, counter: str) -> None:
        self.add("TOKEN_SERVED", department, number, counter)


def replay(log: Log) -> list[Item]:
    """What a stream delivers at its start: the whole log, then the word that this was all."""
    return [LinkChanged(Link.LIVE), *(Arrived(event, 0.1) for event in log.events), CaughtUp()]


def busy_log(start: datetime = NOON) -> Log:
    """A morning in a clinic with three departments."""
    log = Log(start)
    log.issue("CW", *range(1, 26))
    log.issue("LAB", *range(1, 13))
    log.issue("XR", *range(1, 8))
    for number in range(1, 10):
        log.call("CW", number, str(1 + number % 3))
        log.serve("CW", number, str(1 + number % 3))
    log.call("LAB", 1, "Room 4")
    log.serve("LAB", 1, "Room 4")
    log.call("CW", 10, "1")
    log.add("TOKEN_SERVICE_STARTED", "CW", 10, "1")
    log.call("LAB", 2, "Room 4")
    log.call("CW", 11, "2")
    log.call("XR", 1, "X-Ray B")
    log.add("TOKEN_RECALLED", "LAB", 2, "Room 4", data={"call": 2})
    log.call("CW", 12, "3")
    return log


NAMES = {"CW": "Children's Ward", "LAB": "Laboratory", "XR": "Radiology"}


def tell(log: Log, names: Mapping[str, str] = NAMES, **more: object) -> None:
    """Say what the departments are called, and how their branch speaks."""
    for department, name in names.items():
        settings = {"name": name, "open": True, "timezone": "UTC", "branchName": "City Hospital", **more}
        log.add("DEPARTMENT_CHANGED", department, 0, token_id=0, data={"settings": settings})


def named_morning() -> Log:
    """The same morning in departments with names, which ends at noon."""
    log = busy_log(NOON - timedelta(minutes=26))
    tell(log)
    return log
