"""The doctor's check of Kafka."""

import asyncio
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in the stub
    AdminClient,
    ConfigResource,
    ResourceType,
)

from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq_server.services.findings import Finding


async def probe(bootstrap: str) -> list[Finding]:
    """Check whether a broker answers and has the topics."""
    return await asyncio.to_thread(_probe, bootstrap)


def _probe(bootstrap: str) -> list[Finding]:
    admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": 3000, "log_level": 0})
    try:
        cluster = admin.list_topics(timeout=3)
    except KafkaException:
        hint = "Start it, or correct TOKENQ_KAFKA_BOOTSTRAP. Until then events wait in Postgres."
        return [Finding("kafka", False, f"{bootstrap} does not answer", hint)]
    findings = [Finding("kafka", True, f"{len(cluster.brokers)} broker(s)")]
    for topic in (TOPIC, DLQ_TOPIC):
        exists = topic in cluster.topics
        detail = f"{len(cluster.topics[topic].partitions)} partition(s)" if exists else "is missing"
        findings.append(
            Finding(f"topic {topic}", exists, detail, "" if exists else "Start the relay, which creates it.")
        )
    if len(cluster.brokers) > 1 and TOPIC in cluster.topics:
        findings.append(_check_durability(admin, cluster.topics[TOPIC].partitions))
    return findings


def _check_durability(admin: AdminClient, partitions: dict[int, Any]) -> Finding:
    """Check whether one of several brokers may fail without losing acknowledged records."""
    name = f"topic {TOPIC} durability"
    replicas = min(len(partition.replicas) for partition in partitions.values())
    resource = ConfigResource(ResourceType.TOPIC, TOPIC)
    try:
        settings = admin.describe_configs([resource], request_timeout=3)[resource].result(timeout=4)
    except (KafkaException, TimeoutError):
        return Finding(
            name, False, "its settings cannot be read", "Permit this client to describe the topic's configuration."
        )
    in_sync = int(settings["min.insync.replicas"].value)
    wrong = [
        weakness
        for weakness, holds in (
            (f"{replicas} replica", replicas < 2),
            (f"min.insync.replicas={in_sync}", in_sync < 2),
            ("unclean.leader.election.enable=true", settings["unclean.leader.election.enable"].value == "true"),
        )
        if holds
    ]
    if wrong:
        hint = "Use 3 replicas, min.insync.replicas=2 and no unclean leader election: a failing broker can lose events."
        return Finding(name, False, ", ".join(wrong), hint)
    return Finding(name, True, f"{replicas} replicas, {in_sync} must have a record before it is acknowledged")
