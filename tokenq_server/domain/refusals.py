"""Refusals that several places give in the same words."""

from collections.abc import Mapping

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
    """There is no such token, or none that the caller may see."""
    return refuse(TokenReason.UNKNOWN, token=token_id)


def moved_on(token: Token) -> Refused:
    """The token has gone to another department since it was looked for."""
    return refuse(TokenReason.MOVED_ON, number=token.display)


def already_waiting(live: Token) -> Refused:
    """The user holds a token there already."""
    extra = {"tokenId": live.token_id, "displayNumber": live.display}
    return refuse(TokenReason.USER_WAITS, extra, user=live.user_id, number=live.display, department=live.department_id)


def day_would_end(ends: Mapping[str, Mapping[str, int]]) -> Refused:
    """A change of a branch would end the business day of departments: per department how many are in which state."""
    people = "; ".join(
        f"in {name} " + ", ".join(f"{number} {state.lower()}" for state, number in states.items())
        for name, states in ends.items()
    )
    return refuse(
        SetupReason.DAY_WOULD_END, {"ends": {name: dict(states) for name, states in ends.items()}}, people=people
    )


def number_carried(token: Token) -> Refused:
    """Somebody live has the number of a token that would come back."""
    return refuse(TokenReason.NUMBER_TAKEN, number=token.display)
