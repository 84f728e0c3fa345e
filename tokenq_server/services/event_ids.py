"""Event ids: UUIDs version 7 (RFC 9562, 5.7), which sort by creation time."""

import secrets
from datetime import datetime
from uuid import UUID


def new_event_id(at: datetime) -> str:
    """Return a new id for an event at ``at``."""
    milliseconds = int(at.timestamp() * 1000)
    bits = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    return str(UUID(int=value))
