"""Notify: from the topic into the queue, and from the queue to people, without losing or doubling anything."""
