"""The contiguous tail of the topic: only records that follow a department's log without a gap are evidence.

The log is gapless, so what the relay published after a backup is gapless too. A stray or forged record is not. It must
neither stop the system nor mislead a rewind, so it is logged with its offset and ignored.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tokenq.contract.events import Event
from tokenq_server.services.publishing import Cursor, Tail

logger = logging.getLogger(__name__)

MAX_GAP = 100_000
"""Limit for entries that a log may be behind, and for the gap after records that retention removed."""

_LOGGED = 20
"""How many strays are logged individually."""


@dataclass(frozen=True)
class TailRecord:
    """A record of the topic with its offset. ``is_cut``: earlier records of its partition are gone."""

    event: Event
    partition: int
    offset: int
    is_cut: bool = False


@dataclass
class _Run:
    """Consecutive records of one department; ``early`` are those that came before their predecessor."""

    cursor: int
    last: TailRecord | None = None
    early: dict[int, TailRecord] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return self.last.event.seq if self.last else self.cursor


class ContiguousTail:
    """Takes records partition by partition, in order, and determines which of them are evidence.

    ``cursors`` is what the database has recorded as published. For a department without a cursor there is nothing to
    compare with, so its highest seq counts. The events of the departments in ``kept`` are kept.
    """

    def __init__(self, cursors: Mapping[str, Cursor], kept: Collection[str] = ()) -> None:
        self._runs = {name: _Run(cursor.seq) for name, cursor in cursors.items()}
        self._without_cursor: dict[str, TailRecord] = {}
        self._kept = frozenset(kept)
        self.events: list[Event] = []

    def take(self, record: TailRecord, *, is_lost: bool = False) -> None:
        """Take the next record of a partition; ``is_lost``: the partition was recreated and may repeat everything."""
        run, seq = self._runs.get(record.event.department_id), record.event.seq
        if run is None:
            highest = self._without_cursor.get(record.event.department_id)
            if highest is None or seq > highest.event.seq:
                self._without_cursor[record.event.department_id] = record
        elif self._follows(run, record, is_lost=is_lost):
            self._append(run, record)
        elif seq > run.head:
            run.early.setdefault(seq, record)
            if len(run.early) > MAX_GAP:
                run.early.pop(max(run.early))

    def tail(self, lost: Collection[int] = ()) -> Tail:
        """Return the result for all records."""
        for run in self._runs.values():
            # If partitions were added to the topic, a department's records are in two of them.
            while (record := run.early.pop(run.head + 1, None)) is not None:
                self._append(run, record)
        self._log_strays()
        lasts = self._without_cursor | {name: run.last for name, run in self._runs.items() if run.last}
        return Tail(
            {name: record.event.seq for name, record in lasts.items()},
            set(lost),
            {name: record.event.event_id for name, record in lasts.items()},
            {name: (record.partition, record.offset) for name, record in lasts.items()},
        )

    def _follows(self, run: _Run, record: TailRecord, *, is_lost: bool) -> bool:
        seq = record.event.seq
        if run.last is None and (is_lost or record.is_cut):
            return (is_lost or seq > run.cursor) and 0 < seq <= run.cursor + MAX_GAP
        return seq == run.head + 1

    def _append(self, run: _Run, record: TailRecord) -> None:
        run.last = record
        if record.event.department_id in self._kept:
            self.events.append(record.event)

    def _log_strays(self) -> None:
        strays = [stray for run in self._runs.values() for stray in run.early.values() if stray.event.seq > run.head]
        for stray in strays[:_LOGGED]:
            logger.warning(
                "ignored a record that does not follow its department's log",
                extra={
                    "department": stray.event.department_id,
                    "seq": stray.event.seq,
                    "partition": stray.partition,
                    "offset": stray.offset,
                },
            )
        if len(strays) > _LOGGED:
            logger.warning("ignored more such records", extra={"records": len(strays) - _LOGGED})
