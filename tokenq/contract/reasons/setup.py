"""Why the set-up of a floor is refused: departments, branches, hours, people and keys."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason


class SetupReason(Reason):
    """About branches, departments and what they are set to."""

    UNKNOWN_BRANCH = ProblemCode.UNKNOWN_BRANCH, "There is no branch {branch}.", Action.LIST_BRANCHES
    BRANCH_NOT_NAMED = (
        ProblemCode.UNKNOWN_BRANCH,
        "There is no branch {branch}.",
        "Name it under 'branches', or create it first.",
    )
    MAIN_BRANCH = ProblemCode.IN_USE, "The main branch stays.", "Give it another name and time zone instead."
    DAY_WOULD_END = (
        ProblemCode.IN_USE,
        "This change would end the business day now, and these people would lose their place: {people}.",
        "Change it when nobody is left, or set endDay to end the day now.",
    )
    NO_ID_IN_NAME = (
        ProblemCode.INVALID,
        "No id can be made from the name {name}.",
        Action.CHOOSE_DEPARTMENT_ID,
    )
    PREFIX_TAKEN = (
        ProblemCode.EXISTS,
        "{other} in the same branch already numbers with {prefix}.",
        "Choose another prefix.",
    )
    PREFIX_AMBIGUOUS = (
        ProblemCode.EXISTS,
        "A number with {prefix} could be read as one of {other}, which numbers with {taken}.",
        "Choose a prefix that is not another one followed by digits.",
    )
    WRONG_FORMAT = (
        ProblemCode.INVALID,
        "A number format holds {{prefix}} and {{number}}, with a dash or a space between, and no letters of its own.",
        "Write {{prefix}}-{{number:03d}} or {{number:03d}}, and set letters with the prefix.",
    )
    WRONG_PREFIX = (
        ProblemCode.INVALID,
        "The prefix is not one to eight capital letters or digits.",
        "Use one such as CW.",
    )
    NO_RATIO = ProblemCode.INVALID, "{text} is not a ratio.", "Write it as priority:normal, such as 2:1."
    NO_ZONE = ProblemCode.INVALID, "{zone} is not a time zone.", "Use an IANA name such as Europe/Berlin."
    NO_WEEKDAY = ProblemCode.INVALID, "'{day}' is not a weekday.", "Use {weekdays}."
    NO_DATE = ProblemCode.INVALID, "'{day}' is not a date.", "Write it as 2026-12-25."
    NO_HOURS = ProblemCode.INVALID, "'{hours}' are not opening hours.", "Write them as 08:00-12:00."
    HOURS_OVERLAP = ProblemCode.INVALID, "{first} and {second} overlap.", "Join them into one."
    TOO_MANY_SETTINGS = ProblemCode.INVALID, "That is {count} settings.", "Ask for {most} or fewer."
    NO_COUNTER_COUNTS = (
        ProblemCode.INVALID,
        "{text} is not a number of counters from 1 to {most}.",
        "Write 4, or 3..6.",
    )


class AccountReason(Reason):
    """About people, their keys and their logins."""

    UNKNOWN_USER = ProblemCode.UNKNOWN_USER, "There is no user {user}.", Action.LIST_USERS
    UNKNOWN_KEY = ProblemCode.UNKNOWN_KEY, "There is no key {key}.", Action.LIST_KEYS
    LAST_ADMIN = ProblemCode.IN_USE, "This is the last admin.", "Make somebody else an admin first."
    LOGIN_NEEDED = ProblemCode.UNAUTHENTICATED, "This needs a login.", Action.LOG_IN
    LOGIN_ENDED = ProblemCode.UNAUTHENTICATED, "This login is not valid, or no longer.", Action.LOG_IN
    WRONG_LOGIN = (
        ProblemCode.UNAUTHENTICATED,
        "The name or the password is wrong.",
        "Try again, or ask an admin.",
    )
    WRONG_OLD_PASSWORD = ProblemCode.FORBIDDEN, "The old password is wrong.", "Try again."
    FIRST_PASSWORD = ProblemCode.FORBIDDEN, "The first password must be changed first.", Action.CHANGE_PASSWORD
    WRONG_ROLE = (
        ProblemCode.FORBIDDEN,
        "The role {role} may not do this.",
        "Ask an admin for another role or department.",
    )
    TOO_MANY_LOGINS = (
        ProblemCode.RATE_LIMITED,
        "There were too many wrong passwords.",
        "Try again in {seconds} seconds.",
    )
