"""The caller of a request."""

from dataclasses import dataclass

from tokenq.contract.enums import Role


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
        return "customer" if self.role is Role.CUSTOMER else self.name

    @property
    def identity(self) -> str:
        """The owner of idempotency keys: the same for all sessions of a user."""
        return f"user:{self.user_id}" if self.user_id is not None else f"key:{self.credential_id}"
