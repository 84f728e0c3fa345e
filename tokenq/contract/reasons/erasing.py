"""Reasons not to erase a person."""

from tokenq.contract.problems import ProblemCode, Reason


class ErasingReason(Reason):
    """About whom to erase, and when."""

    NOT_ONE_PERSON = (
        ProblemCode.INVALID,
        "Exactly one of userId, email and tokenId says who is meant.",
        "Send one of them.",
    )
    LIVE_TOKENS = (
        ProblemCode.IN_USE,
        "These numbers are still in use: {numbers}.",
        "Serve or cancel them first; then erase.",
    )
    ADDRESS_OF_USERS = (
        ProblemCode.IN_USE,
        "This is the address of a user: {users}.",
        "Erase the user instead: that includes the address.",
    )
    MOVING = (
        ProblemCode.UNAVAILABLE,
        "The tokens are being moved to other departments at the moment.",
        "Try again in a few seconds.",
    )
