"""``tokenq relay``: events from the database to Kafka."""

from tokenq.cli import launch


def command() -> int:
    """Carry events from the database to Kafka until told to stop. Several may run; one is active."""
    return launch.program("relay")
