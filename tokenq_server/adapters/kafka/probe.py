"""The doctor's check of Kafka."""

import asyncio
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in the stub
    AdminClient,
    ConfigResource,
    ResourceType,
)

from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.clients import Clients
from tokenq_server.services.findings import Finding


async def probe(access: KafkaAccess) -> list[Finding]:
    """Check whether a broker answers and has the topics."""
    return await asyncio.to_thread(_probe, access)


def _probe(access: KafkaAccess) -> list[Finding]:
    clients = Clients(access)
    admin = clients.admin({"socket.timeout.ms": 3000, "log_level": 0})
    try:
        cluster = admin.list_topics(timeout=3)
    except KafkaException:
        if refusal := clients.refusal(admin):
            return [Finding("kafka", False, *refusal)]
        hint = "Start it, or correct TOKENQ_KAFKA_BOOTSTRAP. Until then events wait in Postgres."
        return [Finding("kafka", False, f"{access.bootstrap} does not answer", hint)]
    findings = [Finding("kafka", True, f"{len(cluster.brokers)} broker(s)")]
    findings += [_check_topic(clients, name, cluster.topics.get(name)) for name in (TOPIC, DLQ_TOPIC)]
    if TOPIC in cluster.topics and (permitted := _permitted(admin)) is not None:
        findings.append(_check_access(permitted))
    if len(cluster.brokers) > 1 and TOPIC in cluster.topics:
        findings.append(_check_durability(admin, cluster.topics[TOPIC].partitions))
    return findings


def _check_topic(clients: Clients, name: str, found: Any) -> Finding:
    """Check whether the topic exists; ``found`` is ``None`` also if it is hidden from this client."""
    if found is not None:
        return Finding(f"topic {name}", True, f"{len(found.partitions)} partition(s)")
    # An administrator's client would create the topic by asking for it.
    consumer = clients.consumer("tokenq-doctor")
    try:
        error = consumer.list_topics(name, timeout=3).topics[name].error
        refusal = clients.refusal(consumer, error)
    except KafkaException:
        refusal = None
    finally:
        consumer.close()
    if refusal is not None:
        return Finding(f"topic {name}", False, *refusal)
    return Finding(f"topic {name}", False, "is missing", "Start the relay, which creates it.")


def _permitted(admin: AdminClient) -> set[str] | None:
    """Return what the brokers permit this client on the topic; ``None`` if they do not say."""
    topics = TopicCollection([TOPIC])
    try:
        answer = admin.describe_topics(topics, request_timeout=3, include_authorized_operations=True)[TOPIC]
        operations = answer.result(timeout=4).authorized_operations
    except (KafkaException, TimeoutError):
        return None
    return {operation.name for operation in operations} if operations else None


def _check_access(permitted: set[str]) -> Finding:
    name = f"topic {TOPIC} access"
    can = [verb for verb, operation in (("read", "READ"), ("write", "WRITE")) if operation in permitted]
    if not can:
        return Finding(name, False, "neither read nor write", "Give this user its permissions: deploy/kafka/acls.sh.")
    only = "" if len(can) > 1 else "; the relay needs write" if "READ" in permitted else "; all but the relay need read"
    return Finding(name, True, f"{' and '.join(can)}{only}")


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
