"""Find the Kafka broker that the board reads, and test whether it is reachable."""

import socket

from tokenq.cli import launch
from tokenq.cli.context import DEFAULT_URL, identify
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import Refused
from tokenq.errors import BadSettings
from tokenq.settings import Settings

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
_CONNECT_SECONDS = 3.0


def configured_broker(settings: Settings) -> KafkaAccess | None:
    """Return the broker from the settings, the stored login or the local ``up``; ``None`` if there is none.

    Raises:
        Refused: the settings of the broker contradict each other.
    """
    if settings.kafka_bootstrap:
        return KafkaAccess.of(settings.kafka_bootstrap, vars(settings))
    try:
        identity = identify(settings)
        stored, url = identity.stored, identity.url
    except BadSettings:
        # The board needs no login, so it works despite an unsafe credentials file.
        stored, url = None, settings.url or DEFAULT_URL
    bootstrap = (stored.kafka if stored else None) or _local_broker(url)
    return KafkaAccess(bootstrap) if bootstrap else None


def _local_broker(url: str) -> str | None:
    """Return the broker of the local ``up``, unless another server was chosen."""
    try:
        endpoints = launch.endpoints_of_up()
    except Refused:
        return None  # the folder belongs to another user
    return endpoints.kafka if endpoints is not None and url in (endpoints.api, DEFAULT_URL) else None


def why_unreachable(address: str) -> str | None:
    """Return why ``host:port`` cannot be connected to; ``None`` if it can."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
