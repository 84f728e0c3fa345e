"""The Kafka-compatible broker (Tansu) as a child process: on loopback, in memory only."""

import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq_server.embedded.privileges import RunAs
from tokenq_server.embedded.processes import QUIET_ENVIRONMENT, Command

if TYPE_CHECKING:  # imported at run time where it is used, while the servers are starting anyway
    from confluent_kafka.admin import AdminClient

TOPICS = {TOPIC: 3, DLQ_TOPIC: 1}
"""The number of partitions per topic."""

_SECONDS = 2.0


@dataclass
class Broker:
    """A broker. It loses everything when it stops: topics are created and events republished after each start."""

    binary: Path
    log: Path
    port: int
    cluster_id: str
    run_as: RunAs | None = None
    keep_open: Sequence[int] = ()
    """File descriptors that it inherits."""

    title = "The broker"
    stop_signal = signal.SIGKILL
    """It has nothing to save, and would wait seconds for its clients."""
    patience = 2.0

    @property
    def bootstrap(self) -> str:
        """The bootstrap address for Kafka clients."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Nothing to do: it stores nothing on disk."""

    def command(self) -> Command:
        """The command that starts the broker; by default it would listen on every address."""
        address = f"tcp://{self.bootstrap}"
        argv = [str(self.binary), "broker", "--cluster-id", self.cluster_id, "--storage-engine", "memory://tansu/"]
        argv += ["--listener-url", address, "--advertised-listener-url", address]
        environment = {**QUIET_ENVIRONMENT, "RUST_LOG": "warn"}
        return Command(
            argv, self.log, signal.SIGKILL, environment=environment, run_as=self.run_as, keep_open=self.keep_open
        )

    def is_ready(self) -> bool:
        """Whether our broker answers and has the topics, which are created if missing.

        The cluster id identifies our broker: if the port was taken, ours would end without an error.
        """
        if not _is_listening(self.port):
            return False
        from confluent_kafka import KafkaException

        try:
            return cluster_id(self.bootstrap) == self.cluster_id and create_topics(self.bootstrap)
        except KafkaException:
            return False


def cluster_id(bootstrap: str) -> str | None:
    """Return a broker's cluster id.

    Raises:
        KafkaException: it does not answer.
    """
    admin = _admin(bootstrap)  # must outlive the answer
    broker_id: str | None = admin.describe_cluster(request_timeout=_SECONDS).result().cluster_id
    return broker_id


def create_topics(bootstrap: str) -> bool:
    """Create tokenq's missing topics; return True if all exist afterwards.

    Raises:
        KafkaException: the broker refuses or does not answer.
    """
    from confluent_kafka.cimpl import NewTopic

    admin = _admin(bootstrap)
    existing = admin.list_topics(timeout=_SECONDS).topics
    missing = [NewTopic(name, partitions, 1) for name, partitions in TOPICS.items() if name not in existing]
    if missing:
        for made in admin.create_topics(missing, request_timeout=_SECONDS).values():
            made.result()
    return True


def _admin(bootstrap: str) -> "AdminClient":
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
