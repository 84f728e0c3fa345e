"""The catalogue of what a server refuses, by subject: the queue, its setup, and the system beneath."""

ASK_ADMIN = "Ask an admin for another role or department."
"""The hint for callers whose role or department does not allow what they asked for."""
