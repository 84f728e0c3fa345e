"""Refusals that several places give in the same words."""

from collections.abc import Mapping

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.domain.token import Token


def database_away() -> Refused:
    """The refusal of a request while Postgres is away."""
    return refuse(ProblemCode.UNAVAILABLE, "The database is away.", "Try again in a few seconds.", retryAfter=2)


def store_away(store: str) -> Refused:
    """The refusal of a command or a program while a store is away that must be asked."""
    return refuse(ProblemCode.UNAVAILABLE, f"The {store} is away.", "Start it and try again; 'tokenq doctor' helps.")


def unknown_department(department_id: str) -> Refused:
    """There is no such department."""
    return refuse(
        ProblemCode.UNKNOWN_DEPARTMENT, f"There is no department {department_id}.", "'tokenq dept list' shows them all."
    )


def unknown_token(token_id: int) -> Refused:
    """There is no such token, or none that the caller may see."""
    return refuse(ProblemCode.UNKNOWN_TOKEN, f"There is no token {token_id}.", "'tokenq queue DEPT' shows who waits.")


def already_waiting(live: Token) -> Refused:
    """The user holds a token there already."""
    return refuse(
        ProblemCode.ALREADY_WAITING,
        f"User {live.user_id} already holds {live.display} in {live.department_id}.",
        f"See 'tokenq status {live.display}', or cancel it first.",
        tokenId=live.token_id,
        displayNumber=live.display,
    )


def day_would_end(ends: Mapping[str, Mapping[str, int]]) -> Refused:
    """A change of a branch would end the business day of departments: per department how many are in which state."""
    told = (
        f"in {name} " + ", ".join(f"{number} {state.lower()}" for state, number in states.items())
        for name, states in ends.items()
    )
    return refuse(
        ProblemCode.IN_USE,
        f"That would end the business day at once, and these people would lose their place: {'; '.join(told)}.",
        "Change it when nobody is left, or say endDay if the day shall end now.",
        ends={name: dict(states) for name, states in ends.items()},
    )
