"""Rate limits, used by the API and by notify."""

from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.services.rate_limits import RateLimits
from tokenq_server.settings import ServerSettings


def open_limits(settings: ServerSettings) -> RateLimits:
    """Return the limits that all processes share; they connect on first use. Raises Refused: the URL is wrong."""
    redis_url, loader = settings.redis_url.get_secret_value(), settings.redis_functions_url.get_secret_value()
    return RateLimits(open_counts(redis_url, loader))
