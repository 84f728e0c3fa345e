"""Read topic ``token-events`` from Kafka directly: no consumer group, no commit, no API.

A log that comes back different (an emptied broker, a topic made anew, a cut connection) is read again
from the start of the window, announced by ``Rewound``; the reader then builds its state afresh.
Watermarks and out-of-range errors of the embedded broker cannot be trusted, so any doubt means re-reading.
This is the only file of the client side that imports the Kafka library.
"""

import time
from datetime import timedelta
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tokenq.contract.events import TOPIC, BadEvent, decode
from tokenq.contract.fetching import UNREADABLE_BATCH, Leaps, fitting_wait
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.kafka_refusals import forbidden
from tokenq.stream.items import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound, Skipped
from tokenq.stream.pulse import Pulse

WINDOW = timedelta(hours=36)
"""How far back a reader starts: the longest business day and a night."""

_SILENT = 3.0
"""Seconds without an answer after which the broker counts as lost."""
_QUIET = 3.0
"""Seconds without a record after which a partition that never said "end" counts as read."""


class EventStream:
    """The topic, item by item. Use it from one thread; it survives every loss of the broker by itself.

    ``fetch_wait_ms`` bounds how long the broker may hold an empty answer back; the embedded broker adds up to that much
    latency to each event. What is there already is read with as long a wait as its length asks for.
    """

    def __init__(self, access: KafkaAccess, *, window: timedelta = WINDOW, fetch_wait_ms: int = 20) -> None:
        self._window = window
        self._access = access
        self._usual_wait = fetch_wait_ms
        self._open(fetch_wait_ms)
        self._said = (Link.CONNECTING, "")
        self._next_offsets: dict[int, int] = {}
        self._unread: set[int] = set()
        self._pending: list[Item] = []
        self._has_read = False
        self._has_record = False
        self._retry_at = 0.0
        self._last_record_at = 0.0
        self._leaps = Leaps()

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

    def read_again(self) -> None:
        """Read from the start of the window again."""
        self._next_offsets = {}
        self._retry_at = time.monotonic()

    def close(self) -> None:
        """Give the connection back; nothing can be read afterwards."""
        self._consumer.close()

    def _open(self, wait_ms: int) -> None:
        self._wait = wait_ms
        self._pulse = Pulse(self._access)
        self._consumer = Consumer(_settings(self._access, wait_ms, self._pulse))

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
        except KafkaException as error:
            self._retry_at = time.monotonic() + 0.5
            self._consumer.poll(0)  # serves the callback that knows why
            self._say(Link.LOST, self._why_lost(error.args[0], "The broker cannot be reached."))
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
        if topic.error is not None and topic.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise KafkaException(topic.error)
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
        if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return  # nothing joins the group, so a kiosk needs no permission for it
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
        elif error.name() in UNREADABLE_BATCH and offset >= 0:
            self._leap(partition, offset)
        else:
            self._pulse.doubt = True

    def _leap(self, partition: int, offset: int) -> None:
        """Go on behind a batch that nobody can unpack: reading again would end at the same place."""
        place = TopicPartition(TOPIC, partition)
        _, end = self._consumer.get_watermark_offsets(place, cached=True)
        place.offset = self._leaps.behind(partition, offset, end)
        try:
            self._consumer.seek(place)
        except KafkaException:
            self._pulse.doubt = True
            return
        self._next_offsets[partition] = place.offset
        self._has_record = True
        self._pending.append(Skipped("The records cannot be unpacked."))

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
            self._say(Link.LOST, self._pulse.why_lost("The broker does not answer."))
        elif self._pulse.doubt:
            self.read_again()
        else:
            self._say(Link.LIVE)
            if self._unread and now - self._last_record_at > _QUIET:
                self._read_to_end(set(self._unread))
            if not self._pulse.partitions <= self._next_offsets.keys():
                self._add_partitions(self._pulse.partitions - self._next_offsets.keys())

    def _add_partitions(self, numbers: set[int]) -> None:
        self._consumer.incremental_assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in numbers])
        self._next_offsets.update(dict.fromkeys(numbers, 0))

    def _why_lost(self, error: Any, otherwise: str) -> str:
        refusal = forbidden(self._access, error.name(), error.str()) if isinstance(error, KafkaError) else None
        return f"{refusal.sentence}." if refusal else self._pulse.why_lost(otherwise)

    def _say(self, link: Link, why: str = "") -> None:
        if link is Link.LIVE:
            self._pulse.live()
        if (link, why) != self._said:
            self._said = (link, why)
            self._pending.append(LinkChanged(link, why))


def _settings(access: KafkaAccess, fetch_wait_ms: int, pulse: Pulse) -> dict[str, Any]:
    return {
        **access.client_settings(),
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
        "error_cb": pulse.on_error,
        "log_level": 0,  # the library logs to stderr, which is the screen
    }


def _item(message: Message) -> Arrived | Skipped:
    try:
        event = decode(message.value())
    except BadEvent as error:
        return Skipped(str(error))
    if message.key() not in (None, event.department_id.encode()):
        return Skipped("The record has the key of another department.")
    return Arrived(event, message.timestamp()[1] / 1000 - event.timestamp.timestamp())
