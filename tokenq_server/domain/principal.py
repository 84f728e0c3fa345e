"""Who is asking."""

from dataclasses import dataclass

from tokenq.contract.enums import Role


@dataclass(frozen=True)
class Principal:
    """A person's session or a key. Empty ``departments`` means all of them."""

    kind: str
    credential_id: int
    name: str
    role: Role
    departments: frozenset[str] = frozenset()
    user_id: int | None = None
    must_change_password: bool = False

    @property
    def actor(self) -> str:
        """How events name this one: staff by name, customers as what they are."""
        return "customer" if self.role is Role.CUSTOMER else self.name

    @property
    def identity(self) -> str:
        """The owner of idempotency keys: the same person keeps them over a new login."""
        return f"user:{self.user_id}" if self.user_id is not None else f"key:{self.credential_id}"
