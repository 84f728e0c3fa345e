"""Three Apache Kafka brokers that are also controllers, each of which can be killed and started."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka import ElectionType, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka.apache import ApacheKafka, new_cluster_id
from tests.servers import servers_folder
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq_server.embedded.processes import last_log_line, spawn, stop

NODES = (1, 2, 3)
_SECONDS = 60.0


@dataclass
class KafkaCluster:
    """Three brokers: three replicas of everything, two of which must acknowledge a record."""

    nodes: dict[int, ApacheKafka]
    _processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """All brokers, for Kafka clients."""
        return ",".join(node.bootstrap for node in self.nodes.values())

    def start(self, *numbers: int) -> None:
        """Start some nodes, or all; returns when the cluster has them."""
        for number in numbers or NODES:
            self._processes[number] = spawn(self.nodes[number].command())
        until(lambda: set(numbers or NODES) <= self.brokers(), self._explain, _SECONDS)

    def kill(self, *numbers: int) -> None:
        """kill -9."""
        for number in numbers:
            self._processes[number].kill()
            self._processes[number].wait()

    def stop(self) -> None:
        """Kill everything."""
        for number, process in self._processes.items():
            stop(process, self.nodes[number].stop_signal, 0.1)

    def brokers(self) -> set[int]:
        """The brokers that the cluster considers alive."""
        try:
            return set(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return set()

    def leader(self, partition: int) -> int:
        """The leader of a partition of ``token-events``; -1 for none."""
        return self._topic()[partition].leader

    def elect_preferred(self) -> None:
        """Move every partition back to its preferred leader."""
        partitions = [TopicPartition(TOPIC, number) for number in self._topic()]
        admin = self.admin()  # must outlive the response
        admin.elect_leaders(ElectionType.PREFERRED, partitions).result(timeout=20)

    def in_sync(self) -> bool:
        """Whether all brokers are in sync for ``token-events`` and the groups' offsets."""
        topics = self.admin().list_topics(timeout=5).topics
        chosen = [topics[name] for name in (TOPIC, "__consumer_offsets") if name in topics]
        return all(len(partition.isrs) == len(NODES) for topic in chosen for partition in topic.partitions.values())

    def heal(self) -> None:
        """Start stopped brokers, and wait until all are in sync."""
        if down := [number for number, process in self._processes.items() if process.poll() is not None]:
            self.start(*down)
        until(self.in_sync, self._explain, _SECONDS)

    def admin(self) -> AdminClient:
        """A client for other requests."""
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def _topic(self) -> dict[int, Any]:
        found: dict[int, Any] = self.admin().list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
        return found

    def _explain(self) -> str:
        return "; ".join(f"{number}: {last_log_line(node.log)}" for number, node in self.nodes.items())


@contextmanager
def running_cluster() -> Iterator[KafkaCluster]:
    """A new cluster, removed at the end."""
    with servers_folder() as folder:
        cluster = KafkaCluster(_made(folder))
        for node in cluster.nodes.values():
            node.prepare()
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def _made(folder: Path) -> dict[int, ApacheKafka]:
    name = new_cluster_id()
    alone = {
        number: ApacheKafka(
            folder / f"kafka{number}", folder / f"kafka{number}.log", cluster_id=name, node=number, replicas=len(NODES)
        )
        for number in NODES
    }
    voters = ",".join(node.voter for node in alone.values())
    return {number: replace(node, voters=voters) for number, node in alone.items()}
