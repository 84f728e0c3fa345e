"""Refusals that several places give in the same words."""

from collections.abc import Mapping

from tokenq.contract.advice import Action, advise
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.domain.token import Token


def database_away() -> Refused:
    """The refusal of a request while Postgres is away."""
    return refuse(ProblemCode.UNAVAILABLE, "The database is away.", "Try again in a few seconds.", retryAfter=2)


def store_away(store: str) -> Refused:
    """The refusal of a command or a program while a store is away that must be asked."""
    return refuse(ProblemCode.UNAVAILABLE, f"The {store} is away.", advise(Action.CHECK_PARTS))


def unknown_department(department_id: str) -> Refused:
    """There is no such department."""
    return refuse(
        ProblemCode.UNKNOWN_DEPARTMENT, f"There is no department {department_id}.", advise(Action.LIST_DEPARTMENTS)
    )


def unknown_token(token_id: int) -> Refused:
    """There is no such token, or none that the caller may see."""
    return refuse(ProblemCode.UNKNOWN_TOKEN, f"There is no token {token_id}.", advise(Action.SHOW_QUEUE))


def moved_on(token: Token) -> Refused:
    """The token has gone to another department since it was looked for."""
    return refuse(ProblemCode.STALE_CLAIM, f"{token.display} has moved on.", "Look at it once more.")


def already_waiting(live: Token) -> Refused:
    """The user holds a token there already."""
    return refuse(
        ProblemCode.ALREADY_WAITING,
        f"User {live.user_id} already holds {live.display} in {live.department_id}.",
        advise(Action.SHOW_TOKEN, number=live.display),
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
        f"This change would end the business day now, and these people would lose their place: {'; '.join(told)}.",
        "Change it when nobody is left, or set endDay to end the day now.",
        ends={name: dict(states) for name, states in ends.items()},
    )


def number_carried(token: Token) -> Refused:
    """Somebody live has the number of a token that would come back."""
    return refuse(
        ProblemCode.EXISTS,
        f"Somebody else has number {token.display} by now.",
        advise(Action.ISSUE_ANOTHER),
    )
