"""Reasons to refuse a report: days and ranges."""

from tokenq.contract.problems import ProblemCode, Reason


class ReportReason(Reason):
    """About the days of reports, simulations and replays."""

    NO_DAY = (
        ProblemCode.INVALID,
        "{day} is not a valid day.",
        "Write today, yesterday or a date such as 2026-11-23.",
    )
    SEVEN_DAYS = (
        ProblemCode.INVALID,
        "last-week is seven days; one day is needed here.",
        "Write today, yesterday or a date such as 2026-11-23.",
    )
    BEFORE_ITS_START = (
        ProblemCode.INVALID,
        "The range ends on {last}, before it begins on {first}.",
        "Swap the two dates.",
    )
    TOO_MANY_DAYS = (
        ProblemCode.INVALID,
        "A report covers at most {most} days, not {days}.",
        "Ask for a shorter range.",
    )
    NO_START = (ProblemCode.INVALID, "The range has an end but no start.", "Give its first day, too.")
    DELETED = (
        ProblemCode.INVALID,
        "The log of {day} has been deleted, or part of it; it is complete from {first} on.",
        "Ask for days from {first} on.",
    )
    DAY_AND_RANGE = (ProblemCode.INVALID, "A report covers a day or a range, not both.", "Leave one of them out.")
