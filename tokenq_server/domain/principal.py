"""The caller of a request."""

from dataclasses import dataclass

from tokenq.contract.enums import Role
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason

CUSTOMER = "customer"
"""The actor of what customers do themselves."""
SYSTEM = "tokenq"
"""The actor of what nobody asked for: time did it, or a command of an operator of the servers."""

_VISITOR = "visitor"


@dataclass(frozen=True)
class Principal:
    """A user session, an API key, or somebody in the lobby. Empty ``departments`` means all of them.

    ``token_id`` is the only token of a caller who has the link of its ticket. ``source`` is where a visitor's requests
    come from, who has nothing yet and may take a number.
    """

    kind: str
    credential_id: int
    name: str
    role: Role
    departments: frozenset[str] = frozenset()
    user_id: int | None = None
    must_change_password: bool = False
    token_id: int | None = None
    source: str = ""

    @property
    def is_visitor(self) -> bool:
        """Whether nothing is known of the caller."""
        return self.kind == _VISITOR

    @property
    def actor(self) -> str:
        """The caller's name in events: the user name for staff, the role for customers."""
        return CUSTOMER if self.role is Role.CUSTOMER else self.name

    @property
    def identity(self) -> str:
        """The owner of idempotency keys: the same for all sessions of a user."""
        if self.token_id is not None:
            return f"ticket:{self.token_id}"
        if self.is_visitor:
            return f"visitor:{self.source}"
        return f"user:{self.user_id}" if self.user_id is not None else f"key:{self.credential_id}"


def visitor(source: str) -> Principal:
    """Return somebody in the lobby who wants to take a number."""
    return Principal(_VISITOR, 0, CUSTOMER, Role.CUSTOMER, source=source)


def holder_of(token_id: int) -> Principal:
    """Return whoever has the link of a token's ticket."""
    return Principal("ticket", 0, CUSTOMER, Role.CUSTOMER, token_id=token_id)


def check_actor(name: str) -> None:
    """Refuse a user name, or a key's label, that events would confuse with an actor. Raises Refused (``invalid``)."""
    if name in (CUSTOMER, SYSTEM):
        raise refuse(AccountReason.NAME_RESERVED, name=name)
