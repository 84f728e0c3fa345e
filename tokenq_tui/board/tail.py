"""The thread that reads the topic, folds it, and keeps the newest picture ready for the screen.

It draws nothing and never waits for the screen: pictures are overwritten, only calls are queued.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from tokenq.board.state import NOTHING, Call, Fold, Picture
from tokenq.contract.events import EventType
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound, Skipped

PICTURE_EVERY = 0.25
"""Seconds between two pictures at most often; a new call is shown without that wait."""
NEWS_WITHIN = 60.0
"""A call published later than this many seconds after it happened is history: it is shown, but not announced."""

_CALL_EVERY = 0.04
_LOOK_AGAIN = 30.0
_REFILLED_WITHIN = 20.0
_POLL = 0.2
_HEARD = 2_000


class Stream(Protocol):
    """Where events come from; :class:`tokenq.stream.EventStream` is the real one."""

    @property
    def heard_at(self) -> float | None:
        """When the other side last answered, as ``time.monotonic()``."""

    def read(self, timeout: float) -> Item | None:
        """The next item, or ``None`` after ``timeout`` seconds without one."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Update:
    """What the screen takes at once: the picture, the link, and the calls that are new since last time.

    Until the log was read once, ``is_complete`` is false and the picture empty. ``heard_at`` is when the
    broker last answered, as ``time.monotonic()``; ``skipped`` counts records that were no events.
    """

    picture: Picture = NOTHING
    link: Link = Link.CONNECTING
    why: str = ""
    heard_at: float | None = None
    news: tuple[Call, ...] = ()
    skipped: int = 0
    is_complete: bool = False


class Tail:
    """Runs in its own thread from :meth:`start` to :meth:`stop`; the screen calls :meth:`take` when told."""

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        departments: Iterable[str],
        notify: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._open_stream, self._clock = open_stream, clock
        self._departments = tuple(departments)
        self._notify = notify
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="token-events", daemon=True)
        self._lock = threading.Lock()
        self._update = Update()
        self._fold = Fold(self._departments)
        self._is_news = False
        self._is_shown = False
        self._is_stale = False
        self._is_urgent = False
        self._blank_at = 0.0
        self._heard: dict[str, None] = {}
        self._link, self._why, self._skipped = Link.CONNECTING, "", 0
        self._news: list[Call] = []

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits at most two seconds for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def take(self) -> Update:
        """The newest state; its news are handed out only once."""
        with self._lock:
            update = self._update
            self._update = replace(update, news=())
        return update

    def _run(self) -> None:
        stream = self._open_stream()
        try:
            self._read(stream)
        finally:
            stream.close()

    def _read(self, stream: Stream) -> None:
        shown_at = 0.0
        while not self._stopping.is_set():
            if not self._update.is_complete and not self._is_urgent:
                # Nothing to show before the log was read: a million events must not cost a million looks at the clock.
                self._take_in(stream.read(_POLL))
                continue
            wait = shown_at + (_CALL_EVERY if self._is_urgent else PICTURE_EVERY) - time.monotonic()
            if wait <= 0 and (self._is_stale or wait < -_LOOK_AGAIN):
                self._publish(stream)
                shown_at = time.monotonic()
            item = stream.read(min(_POLL, max(wait, 0.0)) if self._is_stale else _POLL)
            self._take_in(item)

    def _take_in(self, item: Item | None) -> None:
        match item:
            case None:
                return
            case Arrived():
                self._try(item)
            case Skipped():
                self._skipped += 1
            case LinkChanged():
                self._link, self._why, self._is_urgent = item.link, item.why, True
            case CaughtUp():
                self._is_news = self._is_shown = self._is_urgent = True
            case Rewound():
                # The old picture stays on the screen until the log has been read again.
                self._fold, self._is_news, self._is_shown = Fold(self._departments), False, False
                self._blank_at = time.monotonic() + _REFILLED_WITHIN
        self._is_stale = True

    def _try(self, item: Arrived) -> None:
        """One event that cannot be taken in is no reason to show nothing any more: it counts as unreadable."""
        try:
            self._apply(item)
        except Exception:
            self._skipped += 1

    def _apply(self, item: Arrived) -> None:
        call = self._fold.apply(item.event)
        if call is None:
            return
        is_known = item.event.event_id in self._heard
        self._heard[item.event.event_id] = None
        if len(self._heard) > _HEARD:
            del self._heard[next(iter(self._heard))]
        is_call = item.event.event_type in (EventType.TOKEN_CALLED, EventType.TOKEN_RECALLED)
        if is_call and self._is_news and not is_known and item.delay < NEWS_WITHIN:
            self._news.append(call)
            self._is_urgent = True

    def _publish(self, stream: Stream) -> None:
        picture = self._fold.picture(self._clock())
        with self._lock:
            news = (*self._update.news, *self._news)
            # An emptied log is about to be refilled; only if that takes long, the board goes blank.
            is_shown = self._is_shown and (bool(picture.departments) or time.monotonic() >= self._blank_at)
            shown = picture if is_shown else self._update.picture
            is_complete = self._is_shown or self._update.is_complete
            self._update = Update(shown, self._link, self._why, stream.heard_at, news, self._skipped, is_complete)
        self._news.clear()
        self._is_stale = self._is_urgent = False
        self._notify()
