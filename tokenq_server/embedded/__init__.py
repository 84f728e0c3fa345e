"""PostgreSQL, Valkey and a Kafka-compatible broker from wheels, and a supervisor that runs tokenq on them.

``up`` runs everything in the foreground, ``start_detached`` in the background; ``status`` and ``down`` find it by its
data folder.
"""

from tokenq_server.embedded.background import down, start_detached, status
from tokenq_server.embedded.backup import back_up, keep_newest, restore
from tokenq_server.embedded.reports import (
    EVERY_NETWORK,
    Endpoints,
    Progress,
    Status,
    UpOptions,
    default_data_dir,
    down_command,
)
from tokenq_server.embedded.supervisor import up

__all__ = [
    "EVERY_NETWORK",
    "Endpoints",
    "Progress",
    "Status",
    "UpOptions",
    "back_up",
    "default_data_dir",
    "down",
    "down_command",
    "keep_newest",
    "restore",
    "start_detached",
    "status",
    "up",
]
