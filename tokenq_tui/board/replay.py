"""A day played again: it stands where the topic stands, with a clock that runs faster and can be stopped and set.

The screen's thread presses the keys while the tail's thread reads, so every step holds the lock.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tokenq.contract.events import Event
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound
from tokenq.zones import local

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 200.0, 600.0)
"""What the keys change between: seconds of the day in one second."""
STEP = timedelta(minutes=5)
"""How far one key press skips."""

_LONG_AGO = 3600.0
_NAP = 0.02


class Replay:
    """Hands out a day's ``events``, which are in order of time: those before ``begin`` at once, the others in time.

    ``speed`` is how many seconds of the day pass in one second, ``zone`` the time zone in which the day is named.
    """

    def __init__(self, events: Sequence[Event], begin: datetime, speed: float, zone: str = "") -> None:
        self._zone = zone
        self._lock = threading.Lock()
        self._events, self._speed = events, speed
        self._first = min(begin, events[0].timestamp) if events else begin
        self._at, self._since = begin, time.monotonic()
        self._is_paused = False
        self._next = 0
        self._pass = 0
        # What happened before this moment is history: it is shown, but not announced.
        self._history_until = begin
        self._is_caught_up = False
        self._pending: list[Item] = [LinkChanged(Link.LIVE)]

    @property
    def heard_at(self) -> float:
        """The log is always there."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of the day that is played."""
        with self._lock:
            return self._now()

    def status(self) -> str:
        """How it runs, in a few characters."""
        with self._lock:
            is_over = self._next >= len(self._events) and self._is_caught_up
            sign = "paused" if self._is_paused else "the end" if is_over else "▶"
            return f"REPLAY {local(self._now(), self._zone):%Y-%m-%d} {sign} ×{self._speed:g}"

    def toggle(self) -> None:
        """Stop the clock, or let it run on."""
        with self._lock:
            self._set(self._now())
            self._is_paused = not self._is_paused

    def skip(self, by: timedelta) -> None:
        """Set the clock forward, or back if ``by`` is negative; never to before the first event."""
        with self._lock:
            was = self._now()
            self._set(max(was + by, self._first))
            self._history_until = self._at
            if self._at < was:
                self._pending.append(Rewound())
                self._next, self._pass, self._is_caught_up = 0, self._pass + 1, False

    def change_speed(self, by: int) -> None:
        """Run faster by so many steps of :data:`SPEEDS`, or slower if it is negative."""
        with self._lock:
            self._set(self._now())
            place = min(range(len(SPEEDS)), key=lambda each: abs(SPEEDS[each] - self._speed)) + by
            self._speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]

    def read(self, timeout: float) -> Item | None:
        """The next item whose time has come, or ``None`` after ``timeout`` seconds."""
        give_up = time.monotonic() + timeout
        while True:
            with self._lock:
                item = self._take()
            left = give_up - time.monotonic()
            if item is not None or left <= 0:
                return item
            time.sleep(min(left, _NAP))

    def close(self) -> None:
        """Nothing is held."""

    def _now(self) -> datetime:
        if self._is_paused:
            return self._at
        return self._at + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def _set(self, moment: datetime) -> None:
        self._at, self._since = moment, time.monotonic()

    def _take(self) -> Item | None:
        if self._pending:
            return self._pending.pop(0)
        event = self._events[self._next] if self._next < len(self._events) else None
        if event and event.timestamp < self._history_until:
            self._next += 1
            return Arrived(self._named(event), _LONG_AGO)
        if not self._is_caught_up:
            self._is_caught_up = True
            return CaughtUp()
        if event and event.timestamp <= self._now():
            self._next += 1
            return Arrived(self._named(event), 0.0)
        return None

    def _named(self, event: Event) -> Event:
        """In another pass it is another event: a call that was shown before is announced again."""
        return replace(event, event_id=f"{event.event_id}/{self._pass}") if self._pass else event
