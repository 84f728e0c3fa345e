"""Print every call from the topic token-events: calls.py BROKERS GROUP (needs confluent-kafka)."""

import json
import sys

from confluent_kafka import Consumer

brokers, group = sys.argv[1:]
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe(["token-events"])
seen: dict[str, int] = {}  # the last seq of each department
try:
    while True:
        record = consumer.poll(1.0)
        if record is None:
            continue
        if record.error():
            print(record.error(), file=sys.stderr)
            continue
        try:
            event = json.loads(record.value())
            department, seq, kind = event["departmentId"], int(event["seq"]), event["eventType"]
        except (ValueError, TypeError, KeyError):
            print("no event at", record.partition(), record.offset(), file=sys.stderr)
            continue
        if seq > seen.get(department, 0):
            seen[department] = seq
            if kind in ("TOKEN_CALLED", "TOKEN_RECALLED"):
                print(f"{event['displayNumber']}: counter {event['counterId']}", flush=True)
        consumer.commit(message=record)  # after the work, so that a crash repeats it rather than skip it
except KeyboardInterrupt:
    consumer.close()
