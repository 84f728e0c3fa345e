"""Events one after the other at a pace of their own."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from tokenq.contract.events import Event


def paced(events: Iterable[Event], begin: datetime, speed: float) -> Iterator[Event]:
    """The events from ``begin`` on, each in its time; ``speed`` is how many of their seconds pass in one second."""
    started = time.monotonic()
    for event in events:
        due = (event.timestamp - begin).total_seconds() / speed
        if due >= 0:
            time.sleep(max(0.0, started + due - time.monotonic()))
            yield event
