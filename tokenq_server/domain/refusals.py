"""Refusals shared by several modules."""

from collections.abc import Mapping

from tokenq.contract import notices
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason, TokenReason
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.domain.token import Token


def database_unavailable() -> Refused:
    """The refusal of a request while Postgres is unavailable."""
    return refuse(StoreReason.DATABASE_UNAVAILABLE, {"retryAfter": 2})


def unknown_department(department_id: str) -> Refused:
    """There is no such department."""
    return refuse(DepartmentReason.UNKNOWN, department=department_id)


def unknown_token(token_id: int) -> Refused:
    """There is no such token, or the caller may not see it."""
    return refuse(TokenReason.UNKNOWN, token=token_id)


def moved_on(token: Token) -> Refused:
    """The token has been transferred since it was looked up."""
    return refuse(TokenReason.MOVED_ON, number=token.display)


def already_waiting(live: Token) -> Refused:
    """The user already holds a token there."""
    extra = {"tokenId": live.token_id, "displayNumber": live.display}
    return refuse(TokenReason.USER_WAITS, extra, user=live.user_id, number=live.display, department=live.department_id)


def day_would_end(ends: Mapping[str, Mapping[str, int]]) -> Refused:
    """A branch change would end the business day of departments; ``ends`` counts tokens per department and state."""
    counts = {name: dict(states) for name, states in ends.items()}
    return refuse(SetupReason.DAY_WOULD_END, {"ends": counts}, people=notices.counted(ends))


def number_taken(token: Token) -> Refused:
    """A live token carries the number of a token that would return to the queue."""
    return refuse(TokenReason.NUMBER_TAKEN, number=token.display)
