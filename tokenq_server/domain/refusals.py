"""Refusals that several places give in the same words."""

from tokenq.contract.problems import ProblemCode, Refused, refuse


def unknown_department(department_id: str) -> Refused:
    """There is no such department."""
    return refuse(
        ProblemCode.UNKNOWN_DEPARTMENT, f"There is no department {department_id}.", "'tokenq dept list' shows them all."
    )


def unknown_token(token_id: int) -> Refused:
    """There is no such token, or none that the caller may see."""
    return refuse(ProblemCode.UNKNOWN_TOKEN, f"There is no token {token_id}.", "'tokenq queue DEPT' shows who waits.")
