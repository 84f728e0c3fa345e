"""Replays a day in place of the topic, with a clock that runs faster and can be paused and moved.

The screen's thread handles keys while the tail's thread reads, so every step holds the lock.
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
"""The available speeds, as multiples of real time."""
STEP = timedelta(minutes=5)
"""How far one key press skips."""

_LONG_AGO = 3600.0
_NAP = 0.02


class Replay:
    """Delivers a day's ``events``, in order of time: those before ``begin`` at once, the others when due.

    ``speed`` is a multiple of real time, ``zone`` the time zone in which the date is shown.
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
        # Earlier calls are shown, but not announced.
        self._history_until = begin
        self._is_caught_up = False
        self._pending: list[Item] = [LinkChanged(Link.LIVE)]

    @property
    def heard_at(self) -> float:
        """A replay is never disconnected."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the time of the replayed day."""
        with self._lock:
            return self._now()

    def status(self) -> str:
        """Return date, state and speed in a few characters."""
        with self._lock:
            is_over = self._next >= len(self._events) and self._is_caught_up
            sign = "paused" if self._is_paused else "end" if is_over else "▶"
            return f"REPLAY {local(self._now(), self._zone):%Y-%m-%d} {sign} ×{self._speed:g}"

    def toggle(self) -> None:
        """Pause or resume the clock."""
        with self._lock:
            self._set(self._now())
            self._is_paused = not self._is_paused

    def skip(self, by: timedelta) -> None:
        """Move the clock by ``by``, which may be negative, but not before the first event."""
        with self._lock:
            before = self._now()
            self._set(max(before + by, self._first))
            self._history_until = self._at
            if self._at < before:
                self._pending.append(Rewound())
                self._next, self._pass, self._is_caught_up = 0, self._pass + 1, False

    def change_speed(self, by: int) -> None:
        """Change the speed by a number of steps in :data:`SPEEDS`."""
        with self._lock:
            self._set(self._now())
            index = min(range(len(SPEEDS)), key=lambda each: abs(SPEEDS[each] - self._speed)) + by
            self._speed = SPEEDS[max(0, min(index, len(SPEEDS) - 1))]

    def read(self, timeout: float) -> Item | None:
        """Return the next item that is due, or ``None`` after ``timeout`` seconds."""
        give_up = time.monotonic() + timeout
        while True:
            with self._lock:
                item = self._take()
            left = give_up - time.monotonic()
            if item is not None or left <= 0:
                return item
            time.sleep(min(left, _NAP))

    def read_again(self) -> None:
        """Do nothing: the day is what it is."""

    def close(self) -> None:
        """Nothing to close."""

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
            return Arrived(self._with_new_id(event), _LONG_AGO)
        if not self._is_caught_up:
            self._is_caught_up = True
            return CaughtUp()
        if event and event.timestamp <= self._now():
            self._next += 1
            return Arrived(self._with_new_id(event), 0.0)
        return None

    def _with_new_id(self, event: Event) -> Event:
        """After skipping back, give events new ids, so that calls shown before are announced again."""
        return replace(event, event_id=f"{event.event_id}/{self._pass}") if self._pass else event
