"""Refusals in the audit: written in the background, repeats folded, so that a flood neither slows nor fills anything.

The same refusal within a minute is one event with a count. Of different ones, at most :data:`MOST_PER_SOURCE` of a
source begin within a minute, so that none can hide the others' behind its own; the rest are folded by kind, with the
source alone. Altogether at most :data:`MOST_PER_WINDOW` begin; what is more than that has not even the source.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tokenq_server.proxy_networks import network_of
from tokenq_server.services.audit import AuditEvent, AuditStore, Occurrences, Origin, log_event
from tokenq_server.services.periodic import Periodic

logger = logging.getLogger(__name__)

WINDOW = 60.0
"""Seconds from the first of a refusal on, in which its repeats are counted with it."""
MOST_PER_SOURCE = 60
"""A source is the network that one client controls: an IPv4 address, or a /64 of IPv6."""
MOST_PER_WINDOW = 240
MOST_UNWRITTEN = 1000
"""How many may wait for the store; further ones are lost, but counted."""
OTHERS = "others"
"""The object of refusals that are too many to be told apart."""
_PAUSE = 0.25
"""Seconds between writing repeats; a new refusal is written at once."""
_RETRY_PAUSE = 5.0
_IDLE = 3600.0


@dataclass(eq=False)
class _Fold:
    """A refusal and its repeats; ``written`` of ``count`` are stored."""

    event: AuditEvent
    began: float
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    count: int = 1
    written: int = 0
    audit_id: int | None = None


class RefusalAudit:
    """Takes refusals without waiting, and writes them."""

    def __init__(self, store: AuditStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._open: dict[Hashable, _Fold] = {}
        self._unwritten: dict[_Fold, None] = {}
        self._began: deque[tuple[float, str]] = deque()
        self._began_by_source: Counter[str] = Counter()
        self._lost = 0
        self._is_failing = False
        self._periodic = Periodic("audit", self._round, self._pause)

    def start(self) -> None:
        """Begin to write."""
        self._periodic.start()

    async def close(self) -> None:
        """Write what is left, if the store is available."""
        await self._periodic.close()
        self._report_lost()
        try:
            await self.write()
        except Exception:
            logger.exception("security events could not be written", extra={"lost": len(self._unwritten)})

    def note(self, event: AuditEvent) -> None:
        """Take a refusal. Returns at once."""
        now = self._clock()
        self._forget_began(now)
        source = network_of(event.origin.source or "")
        fold = self._fold_of(event, now)
        if fold is None and self._began_by_source[source] >= MOST_PER_SOURCE:
            event = _without_particulars(event, source)
            fold = self._fold_of(event, now)
        if fold is None and len(self._began) >= MOST_PER_WINDOW:
            event = _without_particulars(event, None)
            fold = self._fold_of(event, now)
        if fold is not None:
            fold.count += 1
            self._unwritten[fold] = None
        elif len(self._unwritten) < MOST_UNWRITTEN:
            self._begin(event, source, now)
        else:
            self._lost += 1

    async def write(self) -> None:
        """Store what is not stored yet. Raises Refused (``unavailable``)."""
        folds = list(self._unwritten)
        counts = [fold.count for fold in folds]
        ids = await self._store.write(
            [
                Occurrences(fold.event, fold.at, count - fold.written, fold.audit_id)
                for fold, count in zip(folds, counts, strict=True)
            ]
        )
        for fold, count, audit_id in zip(folds, counts, ids, strict=True):
            fold.written, fold.audit_id = count, audit_id
            if fold.count == count:
                del self._unwritten[fold]

    def _begin(self, event: AuditEvent, source: str, now: float) -> None:
        fold = self._open[_key(event)] = _Fold(event, now)
        self._unwritten[fold] = None
        self._began.append((now, source))
        self._began_by_source[source] += 1
        log_event(event)
        self._periodic.wake()

    def _fold_of(self, event: AuditEvent, now: float) -> _Fold | None:
        """Return what the event repeats."""
        key = _key(event)
        fold = self._open.get(key)
        if fold is not None and now - fold.began >= WINDOW:
            self._end(key)
            return None
        return fold

    def _forget_began(self, now: float) -> None:
        while self._began and now - self._began[0][0] >= WINDOW:
            _, source = self._began.popleft()
            self._began_by_source[source] -= 1
            if not self._began_by_source[source]:
                del self._began_by_source[source]

    def _end(self, key: Hashable) -> None:
        fold = self._open.pop(key)
        if fold.count > 1:
            log_event(fold.event, fold.count)

    def _report_lost(self) -> None:
        if self._lost:
            logger.error("too many security events; some are missing from the audit", extra={"lost": self._lost})
            self._lost = 0

    async def _round(self) -> None:
        now = self._clock()
        for key in [key for key, fold in self._open.items() if now - fold.began >= WINDOW]:
            self._end(key)
        self._report_lost()
        self._is_failing = True
        if self._unwritten:
            await self.write()
        self._is_failing = False

    def _pause(self) -> float:
        if self._is_failing:
            return _RETRY_PAUSE
        return _PAUSE if self._unwritten or self._open else _IDLE


def _without_particulars(event: AuditEvent, source: str | None) -> AuditEvent:
    return replace(event, origin=Origin(source=source or None), target=OTHERS, detail=None)


def _key(event: AuditEvent) -> Hashable:
    origin = event.origin
    return event.kind, event.code, event.target, event.detail, origin.actor_id, origin.source
