"""Everything that can be refused: one stable code, one sentence, one hint."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ProblemCode(StrEnum):
    """The stable name of a failure; scripts compare these."""

    QUEUE_EMPTY = "queue_empty"
    AMBIGUOUS = "ambiguous"
    DEPARTMENT_CLOSED = "department_closed"
    WRONG_STATE = "wrong_state"
    STALE_CLAIM = "stale_claim"
    COUNTER_BUSY = "counter_busy"
    COUNTER_PAUSED = "counter_paused"
    COUNTER_CLOSED = "counter_closed"
    COUNTER_NOT_SERVING = "counter_not_serving"
    COUNTER_CLAIMED = "counter_claimed"
    DEPARTMENT_FULL = "department_full"
    TOO_EARLY = "too_early"
    LIMIT_REACHED = "limit_reached"
    NOTHING_TO_UNDO = "nothing_to_undo"
    ALREADY_WAITING = "already_waiting"
    EXISTS = "exists"
    IN_USE = "in_use"
    UNKNOWN_DEPARTMENT = "unknown_department"
    UNKNOWN_BRANCH = "unknown_branch"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_COUNTER = "unknown_counter"
    UNKNOWN_TOKEN = "unknown_token"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    LOG_BEHIND = "log_behind"
    SCHEMA_BEHIND = "schema_behind"
    SCHEMA_AHEAD = "schema_ahead"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


STATUS: dict[ProblemCode, int] = {
    ProblemCode.QUEUE_EMPTY: 409,
    ProblemCode.AMBIGUOUS: 409,
    ProblemCode.DEPARTMENT_CLOSED: 409,
    ProblemCode.WRONG_STATE: 409,
    ProblemCode.STALE_CLAIM: 409,
    ProblemCode.COUNTER_BUSY: 409,
    ProblemCode.COUNTER_PAUSED: 409,
    ProblemCode.COUNTER_CLOSED: 409,
    ProblemCode.COUNTER_NOT_SERVING: 409,
    ProblemCode.COUNTER_CLAIMED: 409,
    ProblemCode.DEPARTMENT_FULL: 409,
    ProblemCode.TOO_EARLY: 409,
    ProblemCode.LIMIT_REACHED: 409,
    ProblemCode.NOTHING_TO_UNDO: 409,
    ProblemCode.ALREADY_WAITING: 409,
    ProblemCode.EXISTS: 409,
    ProblemCode.IN_USE: 409,
    ProblemCode.UNKNOWN_DEPARTMENT: 404,
    ProblemCode.UNKNOWN_BRANCH: 404,
    ProblemCode.UNKNOWN_USER: 404,
    ProblemCode.UNKNOWN_KEY: 404,
    ProblemCode.UNKNOWN_COUNTER: 404,
    ProblemCode.UNKNOWN_TOKEN: 404,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.IDEMPOTENCY_MISMATCH: 422,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.RATE_LIMITED: 429,
    ProblemCode.OVERLOADED: 503,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.LOG_BEHIND: 503,
    ProblemCode.SCHEMA_BEHIND: 503,
    ProblemCode.SCHEMA_AHEAD: 503,
    ProblemCode.INVALID: 422,
    ProblemCode.TOO_LARGE: 413,
    ProblemCode.INTERNAL: 500,
}
"""The HTTP status that carries each code."""

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One failure, ready to be shown to a person or to a script.

    ``detail`` is one sentence that says what is wrong, ``hint`` one that says what to do next
    (may be empty). ``extra`` holds machine-readable particulars such as ``retryAfter`` in seconds.
    """

    code: ProblemCode
    detail: str
    hint: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The RFC 9457 body."""
        return {
            "type": f"urn:tokenq:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": STATUS[self.code],
            "code": str(self.code),
            "detail": self.detail,
            "hint": self.hint,
            **self.extra,
        }

    @classmethod
    def from_wire(cls, body: Any, status: int) -> "Problem":
        """Read a problem body from any server; what is missing is filled in from the HTTP status."""
        body = body if isinstance(body, dict) else {}
        known = {"type", "title", "status", "code", "detail", "hint"}
        try:
            code = ProblemCode(body.get("code", ""))
        except ValueError:
            code = next((code for code, number in STATUS.items() if number == status), ProblemCode.INTERNAL)
        detail = str(body.get("detail") or f"The server answered {status}.")
        return cls(code, detail, str(body.get("hint") or ""), {k: v for k, v in body.items() if k not in known})


class Refused(Exception):
    """Something was asked for and not done; nothing has changed. Carries the :class:`Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refuse(code: ProblemCode, detail: str, hint: str = "", **extra: Any) -> Refused:
    """Make the exception for one failure; the caller raises it."""
    return Refused(Problem(code, detail, hint, extra))
