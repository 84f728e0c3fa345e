"""The reader of token-events on the real embedded broker, which loses everything when it dies."""

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.servers import Running
from tests.waiting import until
from tokenq.contract import fetching
from tokenq.contract.events import TOPIC, Event, encode, key
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound, Skipped
from tokenq.stream.event_stream import EventStream
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.broker import Broker
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.privileges import choose_run_as


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running[Broker]]:
    """A broker for this test, not yet started."""
    folder = tmp_path_factory.mktemp("broker")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    run_as = choose_run_as()
    binary = locate(run_as, folder / "programs").tansu
    running = Running(Broker(binary, Path(folder / "log"), free_port(), f"stream-{folder.name}", run_as))
    yield running
    running.stop()


@pytest.fixture
def reader(broker: Running[Broker]) -> Iterator["Reader"]:
    stream = EventStream(KafkaAccess(broker.server.bootstrap))
    yield Reader(stream)
    stream.close()


class Reader:
    """Collects a stream's items."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.items: list[Item] = []

    def until(self, holds: Callable[[], object]) -> None:
        def step() -> object:
            item = self.stream.read(0.05)
            if item is not None:
                self.items.append(item)
            return holds()

        until(step, lambda: f"read {self.items}", 20)

    def seqs(self) -> list[int]:
        """The numbers read since the last restart from the beginning."""
        numbers: list[int] = []
        for item in self.items:
            if isinstance(item, Rewound):
                numbers.clear()
            elif isinstance(item, Arrived):
                numbers.append(item.event.seq)
        return numbers

    def links(self) -> list[Link]:
        return [item.link for item in self.items if isinstance(item, LinkChanged)]

    def has(self, kind: type) -> bool:
        return any(isinstance(item, kind) for item in self.items)


def event(seq: int, department: str = "CW") -> Event:
    now = datetime.now(UTC)
    return Event("TOKEN_GENERATED", f"e{seq}", seq, now, "main", department, "2026-08-07", seq, seq, f"CW-{seq:03d}")


def publish(broker: Running[Broker], *values: Event | bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.server.bootstrap, "batch.num.messages": 1})
    for value in values:
        raw, name = (value, b"CW") if isinstance(value, bytes) else (encode(value), key(value))
        producer.produce(TOPIC, value=raw, key=name)
    assert producer.flush(10) == 0


def test_reads_existing_records_then_reports_it_then_follows(broker: Running[Broker], reader: Reader) -> None:
    broker.start()
    publish(broker, *(event(seq) for seq in range(1, 51)))
    reader.until(lambda: reader.has(CaughtUp))
    assert reader.seqs() == list(range(1, 51))
    publish(broker, event(51))
    reader.until(lambda: reader.seqs()[-1] == 51)
    assert isinstance(reader.items[-1], Arrived)
    assert reader.items[-1].delay < 60


def test_a_long_log_is_read_by_long_fetches_and_new_records_by_short_ones(
    broker: Running[Broker], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missed or read twice at the switch between the two."""
    monkeypatch.setattr(fetching, "_RECORDS_A_MILLISECOND", 1)
    broker.start()
    publish(broker, *(event(seq) for seq in range(1, 201)))
    reader.until(lambda: reader.has(CaughtUp))
    assert reader.seqs() == list(range(1, 201))
    publish(broker, *(event(seq) for seq in range(201, 211)))
    reader.until(lambda: reader.seqs()[-1] == 210)
    assert reader.seqs() == list(range(1, 211))
    assert not reader.has(Rewound)


@pytest.mark.parametrize(("records", "wait"), [(0, 20), (2_000, 20), (60_000, 600), (10_000_000, 1_000)])
def test_the_longer_a_log_the_longer_its_fetches(records: int, wait: int) -> None:
    """Between the usual time and one second."""
    assert fetching.fitting_wait(records, 20) == wait


def test_waits_for_a_broker_that_has_not_started(broker: Running[Broker], reader: Reader) -> None:
    reader.until(lambda: reader.links() == [Link.LOST])
    assert reader.stream.heard_at is None
    broker.start()
    reader.until(lambda: reader.links()[-1] is Link.LIVE and reader.has(CaughtUp))
    assert reader.stream.heard_at is not None


def test_invalid_records_are_skipped_and_counted(broker: Running[Broker], reader: Reader) -> None:
    broker.start()
    publish(broker, event(1), b"\xff\x00", b"[]", b'{"eventType":1}', event(2))
    reader.until(lambda: reader.has(CaughtUp))
    assert reader.seqs() == [1, 2]
    assert sum(isinstance(item, Skipped) for item in reader.items) == 3


def test_a_broker_that_comes_back_empty_is_read_from_its_new_start(broker: Running[Broker], reader: Reader) -> None:
    """Its offsets restart below what was read; resuming at the old offset would miss everything."""
    broker.start()
    publish(broker, *(event(seq) for seq in range(1, 11)))
    reader.until(lambda: reader.has(CaughtUp))
    broker.kill()
    reader.until(lambda: reader.links()[-1] is Link.LOST)
    broker.start()
    publish(broker, *(event(seq) for seq in range(9, 13)))
    reader.until(lambda: reader.has(Rewound) and reader.seqs() == [9, 10, 11, 12])
    assert reader.links()[-1] is Link.LIVE


def test_a_very_quick_restart_is_detected(broker: Running[Broker], reader: Reader) -> None:
    """The new log may be longer than the old one; then offsets would not reveal it."""
    broker.start()
    publish(broker, *(event(seq) for seq in range(1, 4)))
    reader.until(lambda: len(reader.seqs()) == 3)
    reader.until(lambda: reader.stream.heard_at)
    broker.kill()
    broker.start()
    publish(broker, *(event(seq) for seq in range(1, 9)))
    reader.until(lambda: reader.has(Rewound) and reader.seqs() == list(range(1, 9)))


def test_a_hanging_broker_is_lost_and_found_again(broker: Running[Broker], reader: Reader) -> None:
    broker.start()
    publish(broker, event(1))
    reader.until(lambda: reader.seqs() == [1])
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    reader.until(lambda: reader.links()[-1] is Link.LOST)
    broker.process.send_signal(signal.SIGCONT)
    reader.until(lambda: reader.links()[-1] is Link.LIVE)
    publish(broker, event(2))
    reader.until(lambda: reader.seqs()[-1] == 2)
