"""Who is asking, and what that one may do."""

from dataclasses import dataclass

from tokenq.contract.words import Role

MAY: dict[Role, str] = {
    Role.ADMIN: "set up branches, departments, users and keys, and do everything staff may do",
    Role.STAFF: "issue, call, serve and move tokens of their departments",
    Role.DESK: "issue tokens in their departments, cancel who still waits, and look at tokens and queues",
    Role.CUSTOMER: "issue, see and cancel their own tokens",
}
"""Each role in one sentence."""


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

    def may_work_in(self, department_id: str) -> bool:
        """Whether staff's work in a department is this one's to do."""
        if self.role is Role.ADMIN:
            return True
        return self.role is Role.STAFF and self._covers(department_id)

    def may_issue_in(self, department_id: str) -> bool:
        """Whether this one may put somebody in line there."""
        return self.role in (Role.ADMIN, Role.CUSTOMER) or self._covers(department_id)

    def sees_people_of(self, department_id: str) -> bool:
        """Whether names and addresses of a department's tokens are for this one's eyes."""
        return self.may_work_in(department_id)

    def _covers(self, department_id: str) -> bool:
        return not self.departments or department_id in self.departments
