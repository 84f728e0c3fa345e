"""Placeholder."""


async def append(connection, department_id, event_type, actor, data, counter_id=None):
    """Placeholder."""
