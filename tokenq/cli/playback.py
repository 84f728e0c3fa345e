"""Play back events at a given speed."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from tokenq.contract.events import Event


def paced(events: Iterable[Event], begin: datetime, speed: float) -> Iterator[Event]:
    """Yield the events from ``begin`` on, each at its time, ``speed`` times faster than they happened."""
    started = time.monotonic()
    for event in events:
        due = (event.timestamp - begin).total_seconds() / speed
        if due >= 0:
            time.sleep(max(0.0, started + due - time.monotonic()))
            yield event
