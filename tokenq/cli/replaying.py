"""A day's log played again: events come out when their time has come on a clock that runs faster."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tokenq.contract.events import Event
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged


class Replay:
    """Stands where the topic stands: hands out ``events``, those before ``begin`` at once and the others in time.

    ``speed`` is how many seconds of the day pass in one second.
    """

    def __init__(self, events: Sequence[Event], begin: datetime, speed: float) -> None:
        self._before = [event for event in events if event.timestamp < begin]
        self._events = [event for event in events if event.timestamp >= begin]
        self._begin, self._speed = begin, speed
        self._started: float | None = None
        self._items = self._play()

    @property
    def heard_at(self) -> float:
        """The log is always there."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of the day that is played."""
        passed = 0.0 if self._started is None else time.monotonic() - self._started
        return self._begin + timedelta(seconds=passed * self._speed)

    def read(self, timeout: float) -> Item | None:
        """The next item whose time has come, or ``None`` after ``timeout`` seconds."""
        give_up = time.monotonic() + timeout
        while True:
            item = next(self._items, None)
            left = give_up - time.monotonic()
            if item is not None or left <= 0:
                return item
            time.sleep(min(left, 0.02))

    def close(self) -> None:
        """Nothing is held."""

    def timed(self) -> Iterator[Event]:
        """The events from ``begin`` on, each in its time."""
        self._started = time.monotonic()
        for event in self._events:
            wait = (event.timestamp - self.now()).total_seconds() / self._speed
            if wait > 0:
                time.sleep(wait)
            yield event

    def _play(self) -> Iterator[Item | None]:
        yield LinkChanged(Link.LIVE)
        for event in self._before:
            yield Arrived(event, 3600.0)
        yield CaughtUp()
        self._started = time.monotonic()
        for event in self._events:
            while event.timestamp > self.now():
                yield None
            yield Arrived(event, 0.0)
        while True:
            yield None
