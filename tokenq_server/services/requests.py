"""What callers ask of a batch and what they get back, as plain values."""

from dataclasses import dataclass

from tokenq.contract.problems import Refused
from tokenq.contract.views import TokenView
from tokenq_server.domain.commands import Command


@dataclass(frozen=True)
class Request:
    """A command, and where repeating must be harmless, under which key of whom."""

    command: Command
    principal: str = ""
    key: str | None = None
    fingerprint: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the caller gets: the token as it is now, or nothing where no token is concerned.

    ``is_new`` says that the request made it, ``is_repeat`` that the same answer was given before.
    """

    token: TokenView | None = None
    is_new: bool = False
    is_repeat: bool = False


Outcome = Answer | Refused
