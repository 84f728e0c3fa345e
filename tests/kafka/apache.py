"""Apache Kafka for the tests: jars by Maven, KRaft brokers on loopback, each its own controller."""

import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.kept import kept_folder
from tokenq_server.embedded.broker import TOPICS, cluster_id, create_topics
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import Command, run

_POM = Path(__file__).with_name("pom.xml")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

_PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
log.dirs={folder}/kraft
num.partitions=1
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={insync}
unclean.leader.election.enable=false
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
replica.lag.time.max.ms=3000
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
log.segment.delete.delay.ms=500
"""

_OPEN = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""


def jars() -> Path:
    """The folder of jars: ``TOKENQ_TEST_KAFKA_JARS``, else a cache that Maven fills once per ``pom.xml``."""
    if named := os.environ.get("TOKENQ_TEST_KAFKA_JARS"):
        return Path(named)
    pom = _POM.read_text()
    version = re.search(r"<kafka.version>(.*)</kafka.version>", pom)
    assert version is not None
    with kept_folder() as cache:
        home = cache / f"kafka-{version[1]}-{hashlib.sha256(pom.encode()).hexdigest()[:8]}"
        if not home.exists():
            _resolve(home)
    return home


def _resolve(home: Path) -> None:
    unfinished = home.with_name(f"{home.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    maven: list[str | Path] = [
        "mvn",
        "-B",
        "-q",
        "-f",
        _POM,
        _COPY,
        f"-DoutputDirectory={unfinished}",
        "-DincludeScope=runtime",
    ]
    done = subprocess.run(maven, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Maven could not fetch Apache Kafka:\n{done.stdout}{done.stderr}"
    unfinished.rename(home)


@dataclass
class ApacheKafka:
    """A broker and controller, with the same interface as the embedded broker.

    ``voters`` are all nodes of a cluster in Kafka's notation; empty for a single node.
    """

    folder: Path
    log: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    cluster_id: str = field(default_factory=lambda: new_cluster_id())
    node: int = 1
    voters: str = ""
    replicas: int = 1

    title = "Apache Kafka"
    stop_signal = signal.SIGTERM
    patience = 20.0

    @property
    def bootstrap(self) -> str:
        """For Kafka clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def voter(self) -> str:
        """This node in the list of voters."""
        return f"{self.node}@127.0.0.1:{self.controller_port}"

    def prepare(self) -> None:
        """Write its configuration and format its log folder."""
        self.folder.mkdir(exist_ok=True)
        settings = _PROPERTIES.format(
            folder=self.folder,
            node=self.node,
            voters=self.voters or self.voter,
            replicas=self.replicas,
            insync=self.replicas // 2 + 1,
        )
        self._settings.write_text(settings + self._listeners())
        storage = ["kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", str(self._settings)]
        done = run([*java(), *storage, *self._first_users()], environment=os.environ)
        assert done.returncode == 0, done.stdout.decode()

    def command(self) -> Command:
        """The command that starts the broker."""
        argv = [*java(), "kafka.Kafka", str(self._settings)]
        return Command(argv, self.log, signal.SIGKILL, environment=dict(os.environ))

    def is_ready(self) -> bool:
        """Whether the broker responds and leads every partition of the topics; creates them if needed."""
        try:
            if cluster_id(self.bootstrap) != self.cluster_id or not create_topics(self.bootstrap):
                return False
            for topic, partitions in TOPICS.items():
                for partition in range(partitions):
                    watermark(self.bootstrap, topic, partition)
        except KafkaException:
            return False
        return True

    def _listeners(self) -> str:
        """The settings that say who may connect, and how."""
        return _OPEN.format(port=self.port, controller=self.controller_port)

    def _first_users(self) -> list[str]:
        """Arguments for the tool that formats the log folder."""
        return []

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"


def watermark(bootstrap: str, topic: str, partition: int = 0) -> int:
    """Return the next offset of a partition. Raises ``KafkaException`` while it has no leader."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "watermark", "log_level": 0})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1])
    finally:
        consumer.close()


def java() -> list[str]:
    """The start of a command that runs one of Kafka's classes."""
    small = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *small, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars()}/*"]


def new_cluster_id() -> str:
    """A random cluster id in the format of Kafka's own tool."""
    made = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return made if not made.startswith("-") else new_cluster_id()
