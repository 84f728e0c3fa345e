"""The caller of a request."""

from dataclasses import dataclass

from tokenq.contract.enums import Role
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason

CUSTOMER = "customer"
"""The actor of what customers do themselves."""
SYSTEM = "tokenq"
"""The actor of what nobody asked for: time did it, or a command of an operator of the servers."""


@dataclass(frozen=True)
class Principal:
    """A user session or an API key. Empty ``departments`` means all of them."""

    kind: str
    credential_id: int
    name: str
    role: Role
    departments: frozenset[str] = frozenset()
    user_id: int | None = None
    must_change_password: bool = False

    @property
    def actor(self) -> str:
        """The caller's name in events: the user name for staff, the role for customers."""
        return CUSTOMER if self.role is Role.CUSTOMER else self.name

    @property
    def identity(self) -> str:
        """The owner of idempotency keys: the same for all sessions of a user."""
        return f"user:{self.user_id}" if self.user_id is not None else f"key:{self.credential_id}"


def check_actor(name: str) -> None:
    """Refuse a user name, or a key's label, that events would confuse with an actor. Raises Refused (``invalid``)."""
    if name in (CUSTOMER, SYSTEM):
        raise refuse(AccountReason.NAME_RESERVED, name=name)
