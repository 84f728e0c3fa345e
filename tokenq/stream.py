"""Read topic ``token-events`` from Kafka directly: no consumer group, no commit, no API.

A log that comes back different (an emptied broker, a topic made anew, a cut connection) is read again
from the start of the window, announced by :class:`Rewound`; the reader then builds its state afresh.
Watermarks and out-of-range errors of the embedded broker cannot be trusted, so any doubt means re-reading.
This is the only file of the client side that names the Kafka library.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tokenq.contract.events import TOPIC, BadEvent, Event, decode
from tokenq.contract.fetching import fitting_wait

WINDOW = timedelta(hours=36)
"""How far back a reader starts: the longest business day and a night."""

_SILENT = 3.0
"""Seconds without an answer after which the broker counts as lost."""
_QUIET = 3.0
"""Seconds without a record after which a partition that never said "end" counts as read."""


class Link(StrEnum):
    """How the reader stands to the broker."""

    CONNECTING = "connecting"
    NO_TOPIC = "no topic"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event. ``delay`` is how long after it happened it was published, in seconds of the server's clock."""

    event: Event
    delay: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """One record that is no event; ``why`` is a sentence and may hold hostile text."""

    why: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link is now ``link``; ``why`` is a sentence for a person (may be empty)."""

    link: Link
    why: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was in the log has been read; what comes now is news."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The log is read from the start of the window again: what was read before is void."""


Item = Arrived | Skipped | LinkChanged | CaughtUp | Rewound


class EventStream:
    """The topic, item by item. Use it from one thread; it survives every loss of the broker by itself.

    ``bootstrap`` is ``host:port[,host:port]``. ``fetch_wait_ms`` bounds how long the broker may hold an
    empty answer back; the embedded broker adds up to that much latency to each event. What is there already is
    read with as long a wait as its length asks for.
    """

    def __init__(self, bootstrap: str, *, window: timedelta = WINDOW, fetch_wait_ms: int = 20) -> None:
        self._window = window
        self._bootstrap = bootstrap
        self._usual_wait = fetch_wait_ms
        self._open(fetch_wait_ms)
        self._link = Link.CONNECTING
        self._next_offsets: dict[int, int] = {}
        self._unread: set[int] = set()
        self._pending: list[Item] = []
        self._has_read = False
        self._has_record = False
        self._retry_at = 0.0
        self._last_record_at = 0.0

    @property
    def heard_at(self) -> float | None:
        """When the broker last answered, as ``time.monotonic()``; ``None`` before the first time."""
        return self._pulse.heard_at

    def read(self, timeout: float) -> Item | None:
        """The next item, or ``None`` when nothing came within ``timeout`` seconds."""
        if self._pending:
            return self._pending.pop(0)
        if not self._next_offsets:
            return self._begin(timeout)
        message = self._consumer.poll(timeout)
        if message is not None:
            self._take(message)
        if message is None or self._pulse.is_new:
            self._pulse.is_new = False
            self._look_after_link()
        return self._pending.pop(0) if self._pending else None

    def close(self) -> None:
        """Give the connection back; nothing can be read afterwards."""
        self._consumer.close()

    def _open(self, wait_ms: int) -> None:
        self._wait = wait_ms
        self._pulse = _Pulse()
        self._consumer = Consumer(_settings(self._bootstrap, wait_ms, self._pulse))

    def _open_again(self, wait_ms: int) -> None:
        heard_at = self._pulse.heard_at
        self._consumer.close()
        self._open(wait_ms)
        self._pulse.heard_at = heard_at

    def _begin(self, timeout: float) -> Item | None:
        self._consumer.poll(max(0.0, min(timeout, self._retry_at - time.monotonic())))
        if time.monotonic() < self._retry_at:
            return None
        try:
            starts = self._starts()
            wait = fitting_wait(self._longest(starts), self._usual_wait)
        except KafkaException:
            self._retry_at = time.monotonic() + 0.5
            self._say(Link.LOST, "The broker cannot be reached.")
        else:
            if starts:
                if wait != self._wait:
                    self._open_again(wait)
                self._assign(starts)
            else:
                self._retry_at = time.monotonic() + 0.5
                self._say(Link.NO_TOPIC, f"The broker has no topic {TOPIC} yet.")
        return self._pending.pop(0) if self._pending else None

    def _starts(self) -> list[TopicPartition]:
        topic = self._consumer.list_topics(TOPIC, timeout=1.0).topics[TOPIC]
        self._pulse.heard_at = time.monotonic()
        since = int((time.time() - self._window.total_seconds()) * 1000)
        if topic.error is not None or not topic.partitions:
            return []
        asked = [TopicPartition(TOPIC, number, since) for number in topic.partitions]
        starts = self._consumer.offsets_for_times(asked, timeout=2.0)
        for start in starts:
            if start.error is not None:
                raise KafkaException(start.error)
            if start.offset < 0:
                # Nothing is that young: begin at the end, by number, so that a record arriving meanwhile is not missed.
                start.offset = self._consumer.get_watermark_offsets(start, timeout=2.0)[1]
        return starts

    def _longest(self, starts: list[TopicPartition]) -> int:
        """How many records the longest partition has had."""
        ends = [self._consumer.get_watermark_offsets(start, timeout=2.0)[1] for start in starts]
        return max(ends, default=0)

    def _assign(self, starts: list[TopicPartition]) -> None:
        self._consumer.assign(starts)
        self._next_offsets = {start.partition: start.offset for start in starts}
        self._unread = set(self._next_offsets)
        self._pulse.doubt = False
        self._pulse.high.clear()
        self._last_record_at = time.monotonic()
        if self._has_read:
            self._pending.append(Rewound())
        self._has_read = True
        self._say(Link.LIVE)

    def _take(self, message: Message) -> None:
        partition, offset, error = message.partition(), message.offset(), message.error()
        if partition is None or offset is None:
            self._pulse.doubt = True
        elif error is None:
            if offset < self._next_offsets.get(partition, 0):
                self._pulse.doubt = True
                return
            self._next_offsets[partition] = offset + 1
            self._has_record = True
            self._pending.append(_item(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._read_to_end({partition})
        else:
            self._pulse.doubt = True

    def _read_to_end(self, partitions: set[int]) -> None:
        if self._unread and not self._unread - partitions:
            self._pending.append(CaughtUp())
            if self._wait > self._usual_wait:
                self._open_again(self._usual_wait)
                self._consumer.assign([TopicPartition(TOPIC, *place) for place in self._next_offsets.items()])
        self._unread -= partitions

    def _look_after_link(self) -> None:
        heard = self._pulse.heard_at
        now = time.monotonic()
        if self._has_record:
            self._last_record_at, self._has_record = now, False
        if self._pulse.down or (heard is not None and now - heard > _SILENT):
            self._say(Link.LOST, "The broker does not answer.")
        elif self._pulse.doubt:
            self._next_offsets = {}
            self._retry_at = now
        else:
            self._say(Link.LIVE)
            if self._unread and now - self._last_record_at > _QUIET:
                self._read_to_end(set(self._unread))
            if not self._pulse.partitions <= self._next_offsets.keys():
                self._add_partitions(self._pulse.partitions - self._next_offsets.keys())

    def _add_partitions(self, numbers: set[int]) -> None:
        self._consumer.incremental_assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in numbers])
        self._next_offsets.update(dict.fromkeys(numbers, 0))

    def _say(self, link: Link, why: str = "") -> None:
        if link is not self._link:
            self._link = link
            self._pending.append(LinkChanged(link, why))


class _Pulse:
    """What the library's statistics tell, once a second: is the broker there, and is it the log we know?"""

    def __init__(self) -> None:
        self.is_new = False
        self.heard_at: float | None = None
        self.down = False
        self.doubt = False
        self.partitions: set[int] = set()
        self.high: dict[int, int] = {}
        self._disconnects: dict[str, int] = {}

    def on_statistics(self, text: str) -> None:
        report = json.loads(text)
        self.is_new = True
        self._look_at_brokers(report["brokers"])
        partitions = report["topics"].get(TOPIC, {}).get("partitions", {})
        known = {int(number): values for number, values in partitions.items() if int(number) >= 0}
        self.partitions = {number for number, values in known.items() if not values.get("unknown")}
        for number, values in known.items():
            high = values["hi_offset"]
            if 0 <= high < self.high.get(number, 0):
                self.doubt = True
            self.high[number] = max(high, self.high.get(number, 0))

    def _look_at_brokers(self, brokers: Mapping[str, Any]) -> None:
        used = {name: broker for name, broker in brokers.items() if broker["nodeid"] >= 0 and broker["connects"]}
        up = [broker for broker in used.values() if broker["state"] == "UP"]
        if up:
            idle = min(broker["rxidle"] for broker in up)
            self.heard_at = time.monotonic() - max(idle, 0) / 1e6
        self.down = not up
        disconnects = {name: broker["disconnects"] for name, broker in used.items()}
        is_gone = not self._disconnects.keys() <= disconnects.keys()
        was_cut = any(count > self._disconnects.get(name, 0) for name, count in disconnects.items())
        # It may have come back as another log; a killed broker needs milliseconds to restart.
        self.doubt = self.doubt or self.down or is_gone or was_cut
        self._disconnects = disconnects


def _settings(bootstrap: str, fetch_wait_ms: int, pulse: _Pulse) -> dict[str, Any]:
    return {
        "bootstrap.servers": bootstrap,
        "client.id": "tokenq-board",
        "group.id": "tokenq-board",  # demanded by the library; nothing ever joins it
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_uncommitted",  # a stranger's open transaction must not stop us
        "enable.partition.eof": True,
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": fetch_wait_ms,
        "fetch.error.backoff.ms": 100,
        "queued.max.messages.kbytes": 8192,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.refresh.interval.ms": 10_000,
        "statistics.interval.ms": 1000,
        "stats_cb": pulse.on_statistics,
        "error_cb": _heed_statistics_instead,
        "log_level": 0,  # the library logs to stderr, which is the screen
    }


def _heed_statistics_instead(_error: KafkaError) -> None:
    """Drop the library's error events: it reports brokers down when it only renames a connection."""


def _item(message: Message) -> Arrived | Skipped:
    try:
        event = decode(message.value())
    except BadEvent as error:
        return Skipped(str(error))
    return Arrived(event, message.timestamp()[1] / 1000 - event.timestamp.timestamp())
