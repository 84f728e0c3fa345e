"""Security events of requests: who sends them, and what of their refusals is audited."""

import logging
import re
from typing import Any

from starlette.types import Scope

from tokenq.contract import names
from tokenq.contract.audit import AuditKind
from tokenq.contract.problems import Problem, ProblemCode
from tokenq.contract.reasons.setup import AccountReason
from tokenq_server.bootstrap import Services
from tokenq_server.logs import request_id
from tokenq_server.services.audit import AuditEvent, Origin, origin_of

logger = logging.getLogger(__name__)

CALLER = "tokenq.caller"
"""The key in a request's scope for the authenticated caller."""

KINDS = {
    ProblemCode.FORBIDDEN: AuditKind.ACCESS,
    ProblemCode.UNAUTHENTICATED: AuditKind.ACCESS,
    ProblemCode.RATE_LIMITED: AuditKind.RATE_LIMIT,
}
"""The refusals that are audited, wherever they come from."""
_AUDITED_ELSEWHERE = frozenset({AccountReason.WRONG_LOGIN.id, AccountReason.WRONG_OLD_PASSWORD.id})
"""They are about an account that the answer must not name."""
_DEPARTMENT = re.compile(names.DEPARTMENT_ID, re.ASCII)


def request_origin(scope: Scope) -> Origin:
    """Return who sends this request, and from where."""
    client = scope.get("client")
    return origin_of(scope.get(CALLER), client[0] if client else None, request_id.get())


def audit_refusal(scope: Scope, problem: Problem) -> None:
    """Audit a refusal that answers a request, if it is a security event. Takes no time and never fails."""
    kind = KINDS.get(problem.code)
    if kind is None or problem.reason in _AUDITED_ELSEWHERE or _is_without_login(scope, problem):
        return
    try:
        services: Services = scope["app"].state.services
        target, detail = _target(scope, problem)
        services.refusals.note(AuditEvent(kind, request_origin(scope), target, problem.code, detail))
    except Exception:
        logger.exception("a refusal could not be audited")


def _is_without_login(scope: Scope, problem: Problem) -> bool:
    """Whether nobody claimed to be anybody: health checks and crawlers do that all the time."""
    return problem.code is ProblemCode.UNAUTHENTICATED and all(name != b"authorization" for name, _ in scope["headers"])


def _target(scope: Scope, problem: Problem) -> tuple[str, str | None]:
    """Return what was requested: a department, as far as one is named, by a route; or the route alone.

    Never the path itself: it contains what anybody likes to type.
    """
    route = f"{scope['method']} {getattr(scope.get('route'), 'path', 'unknown')}"
    for named in (problem.params.get("department"), _path_parameters(scope).get("department_id")):
        if isinstance(named, str) and _DEPARTMENT.fullmatch(named):
            return f"department:{named}", route
    return f"route:{route}", None


def _path_parameters(scope: Scope) -> dict[str, Any]:
    parameters: dict[str, Any] = scope.get("path_params") or {}
    return parameters
