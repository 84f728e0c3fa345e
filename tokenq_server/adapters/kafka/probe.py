"""Looking at a Kafka as the doctor does."""

import asyncio

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq_server.services.findings import Finding


async def probe(bootstrap: str) -> list[Finding]:
    """Whether a broker answers and has the topics."""
    return await asyncio.to_thread(_probe, bootstrap)


def _probe(bootstrap: str) -> list[Finding]:
    admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": 3000, "log_level": 0})
    try:
        found = admin.list_topics(timeout=3)
    except KafkaException:
        hint = "Start it, or correct TOKENQ_KAFKA_BOOTSTRAP. Until then events wait in Postgres."
        return [Finding("kafka", False, f"{bootstrap} does not answer", hint)]
    findings = [Finding("kafka", True, f"{len(found.brokers)} broker(s)")]
    for topic in (TOPIC, DLQ_TOPIC):
        exists = topic in found.topics
        detail = f"{len(found.topics[topic].partitions)} partition(s)" if exists else "is missing"
        findings.append(
            Finding(f"topic {topic}", exists, detail, "" if exists else "Start 'tokenq relay': it creates it.")
        )
    return findings
