"""What the handlers of commands get and return."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tokenq.contract.problems import Refused
from tokenq.contract.views import EstimateView
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token
from tokenq_server.services.ports import Contact


@dataclass(frozen=True)
class Work:
    """Input of the handlers: the locked sessions, contacts of registered users, and ids for new tokens.

    ``taken_numbers`` are those of the requested printed numbers that live tokens carry, each with its issuing
    department. ``tokens`` are all loaded tokens, including those of departments that are not locked.
    ``places_by_arrival`` are the sort keys that departments would have given to tokens at their arrival.
    """

    sessions: Mapping[str, DepartmentSession]
    contacts: Mapping[int, Contact]
    new_ids: Iterator[int]
    taken_numbers: Collection[tuple[str, str] | None] = ()
    tokens: Mapping[int, Token] = field(default_factory=dict)
    places_by_arrival: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def token(self, token_id: int) -> Token:
        """Return a token in its current state, in any department. Raises Refused (``unknown_token``)."""
        loaded = (session.tokens[token_id] for session in self.sessions.values() if token_id in session.tokens)
        token = next(loaded, self.tokens.get(token_id))
        if token is None:
            raise unknown_token(token_id)
        return token


@dataclass(frozen=True)
class Handled:
    """The result of a command: its token, if any, and the position of a new one; or those of a group."""

    token: Token | None = None
    position: int | None = None
    estimate: EstimateView | None = None
    is_new: bool = False
    is_call: bool = False
    group: tuple["Handled", ...] = ()


@contextmanager
def at_item(index: int) -> Iterator[None]:
    """Add to a refusal which item of a group it concerns, counted from 0."""
    try:
        yield
    except Refused as refusal:
        problem = refusal.problem
        raise Refused(replace(problem, extra={**problem.extra, "index": index})) from None
