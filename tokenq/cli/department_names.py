"""Names of departments, typed where an id belongs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tokenq.cli.context import connect
from tokenq.cli.next_step import MAKE_A_DEPARTMENT
from tokenq.cli.reasons import CommandReason
from tokenq.contract.problems import Problem, ProblemCode, Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.spelling import all_similar, folded
from tokenq.errors import TokenqError

if TYPE_CHECKING:
    from tokenq.contract.views import DepartmentView

_SUGGESTIONS = 3


def ids_of(typed: Mapping[str, Any], *, attempts: int | None = None) -> dict[str, Any]:
    """Return a command's departments, by parameter, with ids for names.

    Raises:
        Refused: as ``id_of``; or the server lists no departments.
        TokenqError: it cannot be asked.
    """
    departments = connect(attempts=attempts).departments()
    return {parameter: _in_ids(value, departments) for parameter, value in typed.items()}


def ids_after(refusal: Refused, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The same, after one of the departments was refused.

    Raises:
        Refused: as ``id_of``; or ``refusal`` itself if none was given by name, if it says more, or if the departments
            cannot be listed.
    """
    try:
        ids = ids_of(typed, attempts=1)
    except TokenqError:
        raise refusal from None
    except Refused as other:
        code = other.problem.code
        is_unknown = code is ProblemCode.UNKNOWN_DEPARTMENT and not _says_more(refusal.problem)
        raise (other if is_unknown or code is ProblemCode.AMBIGUOUS else refusal) from None
    if ids == typed:
        raise refusal
    return ids


def _says_more(problem: Problem) -> bool:
    """Whether a refusal says more than that there is no such department."""
    return problem.code is not ProblemCode.UNKNOWN_DEPARTMENT or problem.reason == CommandReason.TOKEN_FOR_DEPARTMENT.id


def namesakes(view: "DepartmentView", departments: "Sequence[DepartmentView]") -> list[str]:
    """Return the ids of other departments that have the name of this one, ignoring case and accents."""
    others = (each for each in departments if each["departmentId"] != view["departmentId"])
    return [each["departmentId"] for each in others if folded(each["name"]) == folded(view["name"])]


def _in_ids(value: Any, departments: "Sequence[DepartmentView]") -> Any:
    if isinstance(value, list):
        return [id_of(typed, departments) for typed in value]
    return id_of(value, departments) if value else value


def id_of(typed: str, departments: "Sequence[DepartmentView]") -> str:
    """Return the id of the department with this id or, ignoring case and accents, with this whole name.

    Raises:
        Refused: ``ambiguous``, several have this name; ``unknown_department``, with similar ones.
    """
    if any(view["departmentId"] == typed for view in departments):
        return typed
    found = [view for view in departments if folded(view["name"]) == folded(typed)]
    if len(found) == 1:
        return found[0]["departmentId"]
    if found:
        raise refuse(CommandReason.TWO_DEPARTMENTS, typed=typed, count=len(found), candidates=_candidates(found))
    if not departments:
        raise refuse(CommandReason.NO_DEPARTMENT_YET, typed=typed, command=MAKE_A_DEPARTMENT)
    similar = _similar(typed, departments)
    if not similar:
        raise refuse(DepartmentReason.UNKNOWN, department=typed)
    raise refuse(CommandReason.NO_SUCH_DEPARTMENT, typed=typed, similar=" or ".join(_candidates(similar)))


def _similar(typed: str, departments: "Sequence[DepartmentView]") -> "list[DepartmentView]":
    spellings = {folded(text) for view in departments for text in (view["departmentId"], view["name"])}
    close = all_similar(folded(typed), spellings, _SUGGESTIONS)
    ranked = (
        view for text in close for view in departments if text in (folded(view["departmentId"]), folded(view["name"]))
    )
    return list({view["departmentId"]: view for view in ranked}.values())[:_SUGGESTIONS]


def _candidates(departments: "Sequence[DepartmentView]") -> list[str]:
    return [f"{view['departmentId']} ({view['name']})" for view in departments]


def known_ids(departments: list[str]) -> list[str]:
    """Return the departments' ids; as typed if the server cannot be asked now, since screens wait for it.

    Raises:
        Refused: one of them is unknown or could mean two.
    """
    if not departments:
        return []
    try:
        return list(ids_of({"depts": departments}, attempts=1)["depts"])
    except Refused as refusal:
        if refusal.problem.code in (ProblemCode.UNKNOWN_DEPARTMENT, ProblemCode.AMBIGUOUS):
            raise
    except TokenqError:
        pass
    return departments
