"""Reasons to refuse a configuration change: departments, branches, hours, users and keys."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason
from tokenq.contract.reasons import ASK_ADMIN


class SetupReason(Reason):
    """About branches, departments and their settings."""

    UNKNOWN_BRANCH = ProblemCode.UNKNOWN_BRANCH, "There is no branch {branch}.", Action.LIST_BRANCHES
    BRANCH_NOT_NAMED = (
        ProblemCode.UNKNOWN_BRANCH,
        "There is no branch {branch}.",
        "Add it under 'branches', or create it first.",
    )
    MAIN_BRANCH = ProblemCode.IN_USE, "The main branch cannot be deleted.", "Change its name and time zone instead."
    BRANCH_HAS_DEPARTMENTS = (
        ProblemCode.IN_USE,
        "Branch {branch} still has departments: {departments}.",
        "Delete them or move them to another branch first.",
    )
    DAY_WOULD_END = (
        ProblemCode.IN_USE,
        "This change would end the business day now, and these customers would lose their place: {people}.",
        "Wait until the queues are empty, or set endDay to end the day now.",
    )
    NO_ID_IN_NAME = (ProblemCode.INVALID, "No id can be derived from the name {name}.", Action.CHOOSE_DEPARTMENT_ID)
    ID_TAKEN = (
        ProblemCode.EXISTS,
        "The id {department} is in use: department {name}.",
        "Choose another id, or change that department.",
    )
    PREFIX_TAKEN = (
        ProblemCode.EXISTS,
        "{other} in the same branch already uses the prefix {prefix}.",
        "Choose another prefix.",
    )
    PREFIX_AMBIGUOUS = (
        ProblemCode.EXISTS,
        "A number with {prefix} could be read as one of {other}, which uses the prefix {taken}.",
        "Choose a prefix that is not another prefix plus digits.",
    )
    DIGITS_AMBIGUOUS = (
        ProblemCode.EXISTS,
        "Numbers of {department} and {other} look alike: one prints plain numbers, the other a prefix of digits.",
        "Use a prefix with a letter.",
    )
    WRONG_FORMAT = (
        ProblemCode.INVALID,
        "A number format consists of {{prefix}} and {{number}}, joined by a dash or a space, without other letters.",
        "Write {{prefix}}-{{number:03d}} or {{number:03d}}, and set letters with the prefix.",
    )
    WRONG_PREFIX = (
        ProblemCode.INVALID,
        "A prefix is one to eight capital letters or digits.",
        "Use, for example, CW. For plain numbers, set the number format to {{number}}.",
    )
    NO_RATIO = ProblemCode.INVALID, "{text} is not a ratio.", "Write it as priority:normal, such as 2:1."
    NO_ZONE = ProblemCode.INVALID, "{zone} is not a time zone.", "Use an IANA name, such as Europe/Berlin."
    NO_WEEKDAY = ProblemCode.INVALID, "'{day}' is not a weekday.", "Use {weekdays}."
    NO_DATE = ProblemCode.INVALID, "'{day}' is not a date.", "Write it as 2026-12-25."
    NO_HOURS = ProblemCode.INVALID, "'{hours}' is not an interval.", "Write it as 08:00-12:00."
    HOURS_OVERLAP = ProblemCode.INVALID, "{first} and {second} overlap.", "Merge them."
    TOO_MANY_SETTINGS = ProblemCode.INVALID, "{count} combinations are too many.", "Ask for at most {most}."
    NO_COUNTER_COUNTS = (
        ProblemCode.INVALID,
        "{text} is not a number of counters from 1 to {most}.",
        "Write 4 or 3..6.",
    )


class AccountReason(Reason):
    """About users, keys and logins."""

    UNKNOWN_USER = ProblemCode.UNKNOWN_USER, "There is no user {user}.", Action.LIST_USERS
    UNKNOWN_KEY = ProblemCode.UNKNOWN_KEY, "There is no key {key}.", Action.LIST_KEYS
    LAST_ADMIN = ProblemCode.IN_USE, "This is the last admin.", "Give another user the admin role first."
    LOGIN_NEEDED = ProblemCode.UNAUTHENTICATED, "You are not logged in.", Action.LOG_IN
    LOGIN_ENDED = ProblemCode.UNAUTHENTICATED, "This login is invalid or has expired.", Action.LOG_IN
    WRONG_LOGIN = (
        ProblemCode.UNAUTHENTICATED,
        "The user name or the password is wrong.",
        "Try again, or ask an admin.",
    )
    WRONG_OLD_PASSWORD = ProblemCode.FORBIDDEN, "The old password is wrong.", "Try again."
    KEY_HAS_NO_PASSWORD = (
        ProblemCode.FORBIDDEN,
        "You are signed in by a key, which has no password.",
        "Users change their own after they have logged in. An admin, or a key with the role admin, sets another "
        "user's.",
    )
    SAME_PASSWORD = ProblemCode.INVALID, "The new password is the old one.", "Choose another one."
    FIRST_PASSWORD = ProblemCode.FORBIDDEN, "The initial password must be changed first.", Action.CHANGE_PASSWORD
    NAME_RESERVED = (
        ProblemCode.INVALID,
        "The name '{name}' is reserved: in the log it stands for customers or for the system.",
        "Choose another name.",
    )
    WRONG_ROLE = (ProblemCode.FORBIDDEN, "The role {role} may not do this.", ASK_ADMIN)
    TOO_MANY_LOGINS = (ProblemCode.RATE_LIMITED, "Too many wrong passwords.", "Try again in {seconds} s.")
