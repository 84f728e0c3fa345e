"""The server's words about a field of a request, as they fit what a person typed."""

import re

from tokenq.contract.problems import Problem, ProblemCode

_TYPED = {
    "counterId": "The counter's name",
    "maxWaitMinutes": "--max-wait",
    "numberFormat": "--number-format",
    "prefix": "--prefix",
    "branchId": "The branch's id",
    "departmentId": "The department's id",
    "untilMinutes": "--for",
    "username": "The user name",
    "name": "The name",
    "label": "The label",
    "email": "The e-mail address",
    "reason": "--reason",
    "userId": "--user",
    "nearTurn": "--near",
    "rolloverHour": "--rollover-hour",
}


def as_typed(problem: Problem) -> str:
    """The sentence of a problem, with the field it names in the words of the command line."""
    field = str(problem.extra.get("field") or "")
    if problem.code is not ProblemCode.INVALID or not problem.detail.startswith(f"{field} "):
        return problem.detail
    typed = _TYPED.get(field) or _setting(field)
    return f"{typed}{problem.detail.removeprefix(field)}"


def _setting(field: str) -> str:
    """``dailyCap`` is typed ``daily-cap``, and so are all settings of a department; a test holds them to it."""
    return re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", field)
