"""Why the command line refuses by itself what it could see without a server, or in the server's answer."""

from tokenq.contract.advice import Action
from tokenq.contract.problems import ProblemCode, Reason


class CommandReason(Reason):
    """About what was typed, or a file that was named."""

    OTHER_COUNTER = (
        ProblemCode.WRONG_STATE,
        "{number} is at counter {here}, not at {counter}.",
        "Nothing was changed. Name that counter, or none.",
    )
    PARKED_ALREADY = ProblemCode.WRONG_STATE, "{number} is parked already{until}.", Action.RESUME
    TOKEN_OR_DEPARTMENT = (
        ProblemCode.AMBIGUOUS,
        "'{typed}' is the department {department}, and can also mean the token {number}.",
        Action.CALL_FIRST,
    )
    TOKEN_FOR_DEPARTMENT = ProblemCode.UNKNOWN_DEPARTMENT, "There is no department {name}.", Action.CALL_TOKEN
    NOT_TOML = (
        ProblemCode.INVALID,
        "{file}, line {line}: this is not TOML: {fault}.",
        "Correct it.",
    )
    NOT_PLAIN = ProblemCode.INVALID, "{path} is {value}.", "Write dates and times in quotes."
    NO_HOURS_OF_ITS_OWN = ProblemCode.NOT_FOUND, "{day} has no hours of its own.", "It is as usual already."
