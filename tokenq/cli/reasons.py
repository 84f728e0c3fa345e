"""Reasons to refuse a command on the client side."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason


class CommandReason(Reason):
    """About what was typed or the file that was given."""

    KEY_HAS_NO_PASSWORD = (
        ProblemCode.FORBIDDEN,
        "You are signed in by the key '{name}', which has no password.",
        "Sign in as a user to change your own: 'tokenq login --user NAME'. An admin, or a key with the role admin, "
        "sets another user's: 'tokenq user update NAME --password'.",
    )
    OTHER_COUNTER = (
        ProblemCode.WRONG_STATE,
        "{number} is at counter {actual}, not at {counter}.",
        "Nothing was changed. Use that counter, or leave --counter out.",
    )
    PARKED_ALREADY = ProblemCode.WRONG_STATE, "{number} is already parked{until}.", Action.RESUME
    NO_TICKET = ProblemCode.WRONG_STATE, "{number} is {state}: its ticket is no longer valid.", "Issue a new number."
    TOKEN_OR_DEPARTMENT = (
        ProblemCode.AMBIGUOUS,
        "'{typed}' is a department, but can also mean the token {number}.",
        Action.CALL_FIRST,
    )
    TOKEN_FOR_DEPARTMENT = ProblemCode.UNKNOWN_DEPARTMENT, "There is no department {name}.", Action.CALL_TOKEN
    NO_SUCH_DEPARTMENT = ProblemCode.UNKNOWN_DEPARTMENT, "There is no department {typed}.", "Did you mean {similar}?"
    NO_DEPARTMENT_YET = (
        ProblemCode.UNKNOWN_DEPARTMENT,
        "There is no department {typed}: there is none at all yet.",
        "An admin makes the first one: {command}",
    )
    TWO_DEPARTMENTS = (
        ProblemCode.AMBIGUOUS,
        "{count} departments are called {typed}: {candidates}.",
        "Type the id of the right one.",
    )
    NO_DATABASE = (
        ProblemCode.UNAVAILABLE,
        "No database is configured here, and no 'tokenq up' runs on {folder}.",
        "Set TOKENQ_DATABASE_URL, or TOKENQ_DATA_DIR to the folder on which 'tokenq up' runs.",
    )
    NOT_TOML = (
        ProblemCode.INVALID,
        "{file}, line {line}: not valid TOML: {fault}.",
        "Correct the file.",
    )
    NOT_PLAIN = ProblemCode.INVALID, "{path} has the unsupported value {value}.", "Write dates and times in quotes."
    SPELT_TWICE = ProblemCode.INVALID, "{path} is given twice, in two spellings.", "Keep one of them."
    NO_HOURS_OF_ITS_OWN = (
        ProblemCode.NOT_FOUND,
        "{day} has no hours of its own.",
        "It already follows the regular hours.",
    )
