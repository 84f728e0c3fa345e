"""Rate limits, used by the API and by notify."""

from typing import NamedTuple

from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.issue_limits import IssueBudgets, IssueLimits
from tokenq_server.services.login_limit import LoginLimit
from tokenq_server.services.people import People
from tokenq_server.services.public_limit import PublicLimit
from tokenq_server.services.rate_limits import RateLimits
from tokenq_server.settings import ServerSettings


class ApiLimits(NamedTuple):
    """The limits of the API, as the settings say."""

    login: LoginLimit
    public: PublicLimit
    issuing: IssueLimits


def open_limits(settings: ServerSettings) -> RateLimits:
    """Return the limits that all processes share; they connect on first use. Raises Refused: the URL is wrong."""
    redis_url, loader = settings.redis_url.get_secret_value(), settings.redis_functions_url.get_secret_value()
    return RateLimits(open_counts(redis_url, loader))


def api_limits(settings: ServerSettings, limits: RateLimits, people: People, commit: GroupCommit) -> ApiLimits:
    """Return the limits of the API, which are counted in ``limits``."""
    budgets = IssueBudgets.of(
        settings.limit_staff_issues,
        settings.limit_customer_issues,
        settings.limit_visitor_issues,
        settings.limit_customer_requests,
    )
    return ApiLimits(
        LoginLimit(limits, settings.limit_logins, settings.limit_logins_per_source, settings.limit_logins_per_account),
        PublicLimit(limits, people, settings.limit_public_requests),
        IssueLimits(commit, limits, budgets),
    )
