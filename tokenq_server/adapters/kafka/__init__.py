"""Kafka adapters: the topic of events."""
