"""Rate limits, used by the API and by notify."""

from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.services.rate_limits import RateLimits
from tokenq_server.settings import ServerSettings


def open_limits(settings: ServerSettings) -> RateLimits:
    """Return the limits that all processes share; they connect on first use. Raises Refused: the URL is wrong."""
    return RateLimits(open_counts(settings.redis_url.get_secret_value()))
