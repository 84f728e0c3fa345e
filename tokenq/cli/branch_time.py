"""Commands show times in the branch's time zone."""

from datetime import UTC, datetime

from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.zones import label


def zone_of(client: Client, branch: str) -> str:
    """Return the branch's IANA zone; empty, meaning this machine's, if the server does not provide it."""
    try:
        return client.branch(branch)["timezone"]
    except (Refused, TokenqError):
        return ""


def zone_label(zone: str) -> str:
    """Return the zone to name beside times; empty if this machine's clock shows the same."""
    return label(zone, datetime.now(UTC))
