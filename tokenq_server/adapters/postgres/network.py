"""How long a connection may be silent: a network that swallows packets must not hold anybody for ever."""

from typing import Any

NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""Parameters for every connection to Postgres; seconds, and milliseconds for the last one."""
