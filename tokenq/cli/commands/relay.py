"""``tokenq relay``: publish events from the database to Kafka."""

from tokenq.cli import launch


def command() -> int:
    """Publish events from the database to Kafka until stopped. Several may run; one is active."""
    return launch.program("relay")
