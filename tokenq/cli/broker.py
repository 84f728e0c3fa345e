"""Which Kafka broker the board reads, and whether somebody listens there."""

import socket

from tokenq.cli import launch
from tokenq.cli.context import DEFAULT_URL, identify
from tokenq.contract.problems import Refused
from tokenq.errors import BadSettings
from tokenq.settings import Settings

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
_CONNECT_SECONDS = 3.0


def known_bootstrap(settings: Settings) -> str | None:
    """The setting, else what ``up`` left with the login, else what runs on this machine; None when nothing is known."""
    if settings.kafka_bootstrap:
        return settings.kafka_bootstrap
    try:
        identity = identify(settings)
        stored, url = identity.stored, identity.url
    except BadSettings:
        # the board needs no login; an unsafe credentials file is no reason to go dark
        stored, url = None, settings.url or DEFAULT_URL
    return (stored.kafka if stored else None) or _running_here(url)


def _running_here(url: str) -> str | None:
    """The broker of what runs on this machine's folder, unless another server was chosen."""
    try:
        found = launch.endpoints_of_up()
    except Refused:
        return None  # somebody else's folder
    return found.kafka if found is not None and url in (found.api, DEFAULT_URL) else None


def why_unreachable(address: str) -> str | None:
    """Why no connection to ``host:port`` comes about; None when it does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
