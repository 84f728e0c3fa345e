"""The only place that opens connections: settings in, services out."""

from tokenq_server.bootstrap.followers import (
    monitored,
    open_channels,
    open_consumer,
    open_letter_limit,
    open_notification_queue,
    open_relay,
)
from tokenq_server.bootstrap.production import check_production, database_exposure, exposures
from tokenq_server.bootstrap.recovery import check_at_start, open_recovery
from tokenq_server.bootstrap.services import Services, open_services
from tokenq_server.bootstrap.topic import open_topic
from tokenq_server.bootstrap.upkeep import (
    migrate,
    open_verifying,
    probe_stores,
    refuse_unusable_database,
    unsafe_stores,
)

__all__ = [
    "Services",
    "check_at_start",
    "check_production",
    "database_exposure",
    "exposures",
    "migrate",
    "monitored",
    "open_channels",
    "open_consumer",
    "open_letter_limit",
    "open_notification_queue",
    "open_recovery",
    "open_relay",
    "open_services",
    "open_topic",
    "open_verifying",
    "probe_stores",
    "refuse_unusable_database",
    "unsafe_stores",
]
