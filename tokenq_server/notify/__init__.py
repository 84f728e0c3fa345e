"""Notify: from the topic into the queue, and from the queue to customers, exactly once."""
