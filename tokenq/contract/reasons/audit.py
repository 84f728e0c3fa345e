"""Reasons to refuse a question about the audit."""

from tokenq.contract.problems import ProblemCode, Reason


class AuditReason(Reason):
    """About the period of the events."""

    NO_MOMENT = (
        ProblemCode.INVALID,
        "{text} is neither a date nor a time with its offset from UTC.",
        "Write 2026-11-23 or 2026-11-23T08:00:00Z.",
    )
