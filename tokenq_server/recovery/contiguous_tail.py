"""The contiguous tail of the topic: only records that follow a department's log without a gap prove anything.

The log is gapless, so what the relay published after a back-up is so too. A stray or forged record is not, and must
neither stop the system nor lead a rewind astray: it is named with its place, and ignored.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tokenq.contract.events import Event
from tokenq_server.services.publishing import Cursor, Tail

logger = logging.getLogger(__name__)

MAX_GAP = 100_000
"""How many entries a log may be behind; and how far on a department may go on after records that retention took."""

_NAMED = 20
"""How many strays are named one by one."""


@dataclass(frozen=True)
class Found:
    """A record of the topic and where it lies. ``is_cut``: records before it, in its partition, are gone."""

    event: Event
    partition: int
    offset: int
    is_cut: bool = False


@dataclass
class _Run:
    """One department's records that follow each other; ``early`` are those that came before their predecessor."""

    known: int
    last: Found | None = None
    early: dict[int, Found] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return self.last.event.seq if self.last else self.known


class ContiguousTail:
    """Takes records partition by partition, each in order, and tells what they prove.

    ``cursors`` is what the database knows as published. Of a department it does not know there is nothing to compare
    with, so the highest seq counts. The events of the departments in ``kept`` are kept.
    """

    def __init__(self, cursors: Mapping[str, Cursor], kept: Collection[str] = ()) -> None:
        self._runs = {name: _Run(cursor.seq) for name, cursor in cursors.items()}
        self._strangers: dict[str, Found] = {}
        self._kept = frozenset(kept)
        self.events: list[Event] = []

    def take(self, found: Found, *, is_lost: bool = False) -> None:
        """Weigh the next record of a partition; ``is_lost``: that partition began anew and may tell all again."""
        run, seq = self._runs.get(found.event.department_id), found.event.seq
        if run is None:
            known = self._strangers.get(found.event.department_id)
            if known is None or seq > known.event.seq:
                self._strangers[found.event.department_id] = found
        elif self._follows(run, found, is_lost=is_lost):
            self._go_on(run, found)
        elif seq > run.head:
            run.early.setdefault(seq, found)
            if len(run.early) > MAX_GAP:
                run.early.pop(max(run.early))

    def tail(self, lost: Collection[int] = ()) -> Tail:
        """What all records together prove."""
        for run in self._runs.values():
            # A topic that was given more partitions has a department's records in two of them.
            while (found := run.early.pop(run.head + 1, None)) is not None:
                self._go_on(run, found)
        self._name_strays()
        lasts = self._strangers | {name: run.last for name, run in self._runs.items() if run.last}
        return Tail(
            {name: found.event.seq for name, found in lasts.items()},
            set(lost),
            {name: found.event.event_id for name, found in lasts.items()},
            {name: (found.partition, found.offset) for name, found in lasts.items()},
        )

    def _follows(self, run: _Run, found: Found, *, is_lost: bool) -> bool:
        seq = found.event.seq
        if run.last is None and (is_lost or found.is_cut):
            return (is_lost or seq > run.known) and 0 < seq <= run.known + MAX_GAP
        return seq == run.head + 1

    def _go_on(self, run: _Run, found: Found) -> None:
        run.last = found
        if found.event.department_id in self._kept:
            self.events.append(found.event)

    def _name_strays(self) -> None:
        strays = [one for run in self._runs.values() for one in run.early.values() if one.event.seq > run.head]
        for one in strays[:_NAMED]:
            logger.warning(
                "a record that does not follow its department's log is ignored",
                extra={
                    "department": one.event.department_id,
                    "seq": one.event.seq,
                    "partition": one.partition,
                    "offset": one.offset,
                },
            )
        if len(strays) > _NAMED:
            logger.warning("more such records are ignored", extra={"records": len(strays) - _NAMED})
