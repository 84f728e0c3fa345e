"""tokenq: queues for places where people take a number and wait."""
