"""Kafka, which tells the story."""
