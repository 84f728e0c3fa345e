"""The thread that reads the items of a source, folds them, and keeps the latest picture ready for the screen.

It never waits for the screen: pictures are overwritten, only calls are queued.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tokenq.board.expected_waits import expected_waits
from tokenq.board.picture import NOTHING, Call, Picture
from tokenq.board.state import Fold
from tokenq.contract.events import EventType
from tokenq.stream import Arrived, Began, CaughtUp, Item, Link, LinkChanged, Rewound, Skipped, Source, WaitsChanged
from tokenq_tui.faults import describe
from tokenq_tui.lasting import start_lasting

PICTURE_EVERY = 0.25
"""Minimum seconds between two pictures; a new call is shown without this delay."""
READ_AGAIN_EVERY = 60.0
"""Minimum seconds between two readings because of missing events: a stranger may make up any number of gaps."""
NEWS_WITHIN = 60.0
"""A call published more than this many seconds after it happened is shown, but not announced."""

_BEGIN_AGAIN = 3.0
"""Seconds between an unexpected failure and another attempt with a new source."""
_CALL_EVERY = 0.04
_LOOK_AGAIN = 30.0
_REFILLED_WITHIN = 20.0
_POLL = 0.2
_HEARD = 2_000


@dataclass(frozen=True, slots=True)
class Update:
    """An update for the screen: the picture, the link, and the calls since the last update.

    Until the log has been read once, ``is_complete`` is false and the picture is empty. ``heard_at`` is when the broker
    or the server last answered, as ``time.monotonic()``; ``skipped`` counts unreadable records. ``todo`` says what
    somebody must do before the link can come back. ``waits`` are the expected ones of new customers, in minutes by
    department.
    """

    picture: Picture = NOTHING
    link: Link = Link.CONNECTING
    why: str = ""
    todo: str = ""
    heard_at: float | None = None
    news: tuple[Call, ...] = ()
    skipped: int = 0
    is_complete: bool = False
    waits: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Tail:
    """Runs in its own thread from :meth:`start` to :meth:`stop`; ``notify`` asks the screen to call :meth:`take`."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        departments: Iterable[str],
        notify: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._open_source, self._clock = open_source, clock
        self._departments = tuple(departments)
        self._notify = notify
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._update = Update()
        self._fold = Fold(self._departments)
        self._has_read = False
        self._is_shown = False
        self._is_stale = False
        self._is_urgent = False
        self._blank_at = 0.0
        self._heard: dict[str, None] = {}
        self._link, self._skipped = LinkChanged(Link.CONNECTING), 0
        self._news: list[Call] = []
        self._has_gap = False
        self._read_again_at = 0.0
        self._waits: Mapping[str, tuple[int, int]] = {}

    def start(self) -> None:
        """Start reading."""
        self._thread = start_lasting("token-events", self._run, self._fail, self._stopping, _BEGIN_AGAIN)

    def stop(self) -> None:
        """Stop the thread; wait at most two seconds for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def take(self) -> Update:
        """Return the latest update; each new call is returned only once."""
        with self._lock:
            update = self._update
            self._update = replace(update, news=())
        return update

    def _run(self) -> None:
        source = self._open_source()
        try:
            self._read(source)
        finally:
            source.close()

    def _fail(self, error: Exception) -> None:
        """Say that what is shown may be old; the next source begins with everything."""
        self._link = LinkChanged(Link.LOST, describe(error))
        self._fold, self._is_shown = Fold(self._departments), False
        with self._lock:
            self._update = replace(self._update, link=self._link.link, why=self._link.why)
        self._notify()

    def _read(self, source: Source) -> None:
        shown_at = 0.0
        while not self._stopping.is_set():
            if not self._update.is_complete and not self._is_urgent:
                # Nothing is shown before the log has been read, so skip the clock for each of its events.
                self._handle(source.read(_POLL))
                continue
            wait = shown_at + (_CALL_EVERY if self._is_urgent else PICTURE_EVERY) - time.monotonic()
            if wait <= 0 and (self._is_stale or wait < -_LOOK_AGAIN):
                self._publish(source)
                shown_at = time.monotonic()
            item = source.read(min(_POLL, max(wait, 0.0)) if self._is_stale else _POLL)
            self._handle(item)
            if self._has_gap and time.monotonic() >= self._read_again_at:
                self._has_gap, self._read_again_at = False, time.monotonic() + READ_AGAIN_EVERY
                source.read_again()

    def _handle(self, item: Item | None) -> None:
        match item:
            case None:
                return
            case Arrived():
                self._apply_safely(item)
            case Skipped():
                self._skipped += 1
            case LinkChanged():
                self._link, self._is_urgent = item, True
            case CaughtUp():
                self._has_read = self._is_shown = self._is_urgent = True
            case Began():
                self._fold = Fold.beginning_with(item.state, self._departments)
                self._waits = expected_waits(item.state)
                self._has_read = self._is_shown = self._is_urgent = True
            case WaitsChanged():
                self._waits = item.waits
            case Rewound():
                # The old picture stays on the screen until the log has been read again.
                self._fold, self._is_shown = Fold(self._departments), False
                self._blank_at = time.monotonic() + _REFILLED_WITHIN
        self._is_stale = True

    def _apply_safely(self, item: Arrived) -> None:
        """Apply an event; count it as unreadable if that fails, so that the board keeps running."""
        try:
            self._apply(item)
        except Exception:
            self._skipped += 1

    def _apply(self, item: Arrived) -> None:
        call = self._fold.apply(item.event)
        if call is None:
            # What was in the log from the beginning would be read in the same way again.
            self._has_gap = self._has_gap or (self._is_shown and self._fold.holds(item.event))
            return
        is_repeat = item.event.event_id in self._heard
        self._heard[item.event.event_id] = None
        if len(self._heard) > _HEARD:
            del self._heard[next(iter(self._heard))]
        is_call = item.event.event_type in (EventType.TOKEN_CALLED, EventType.TOKEN_RECALLED)
        # When the log is read again, a call that was made meanwhile is news, too.
        if is_call and self._has_read and not is_repeat and item.delay < NEWS_WITHIN:
            self._news.append(call)
            self._is_urgent = True

    def _publish(self, source: Source) -> None:
        picture = self._fold.picture(self._clock())
        with self._lock:
            # An emptied log is about to be refilled; go blank only if that takes long.
            is_shown = self._is_shown and (bool(picture.departments) or time.monotonic() >= self._blank_at)
            shown = picture if is_shown else self._update.picture
            # The screen announces what is in its picture: until the log has been read again, calls are kept back.
            news = self._update.news
            if is_shown:
                news, self._news = (*news, *self._news), []
            is_complete = self._is_shown or self._update.is_complete
            link = self._link
            self._update = Update(
                shown, link.link, link.why, link.todo, source.heard_at, news, self._skipped, is_complete, self._waits
            )
        self._is_stale = self._is_urgent = False
        self._notify()
