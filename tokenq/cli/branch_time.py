"""In whose time a command speaks: in that of the branch, which is the time of the people in the building."""

from datetime import UTC, datetime

from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.zones import label


def zone_of(client: Client, branch: str) -> str:
    """The branch's IANA zone; empty, which is this machine's, if the server does not tell."""
    try:
        return client.branch(branch)["timezone"]
    except (Refused, TokenqError):
        return ""


def whose_times(zone: str) -> str:
    """The zone to name beside the times; empty where this machine's clock shows the same."""
    return label(zone, datetime.now(UTC))
