"""Administration: departments, branches, users, keys, roles and the audit. Bodies are the API's camelCase objects."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, segment
from tokenq.contract.paths import AUDIT, BRANCHES, DEPARTMENTS, ERASURES, KEYS, PERSONAL_DATA, ROLES, USERS

_MOST_PER_PAGE = 500
_LONG = 600.0
"""Seconds to wait for what may read the whole log."""

if TYPE_CHECKING:
    from tokenq.contract.audit_views import AuditView
    from tokenq.contract.personal_views import ErasureView, PersonalDataView
    from tokenq.contract.views import BranchView, DepartmentView, KeyView, RoleView, UserView


class PlaceCalls(Calls):
    """Departments and branches. Every method raises ``Refused`` or a ``TokenqError``."""

    def departments(self) -> "list[DepartmentView]":
        """All departments."""
        return self.all_of(DEPARTMENTS)

    def department(self, department: str) -> "DepartmentView":
        """One department."""
        view: DepartmentView = self.get(f"{DEPARTMENTS}/{segment(department)}")
        return view

    def create_department(self, body: Mapping[str, Any]) -> "DepartmentView":
        """Add a department; only ``name`` must be given."""
        view: DepartmentView = self.post(DEPARTMENTS, body)
        return view

    def change_department(self, department: str, body: Mapping[str, Any]) -> "DepartmentView":
        """Change the given fields of a department."""
        view: DepartmentView = self.patch(f"{DEPARTMENTS}/{segment(department)}", body)
        return view

    def delete_department(self, department: str) -> None:
        """Remove a department."""
        self.delete(f"{DEPARTMENTS}/{segment(department)}")

    def open_department(self, department: str) -> "DepartmentView":
        """Let the department issue tokens."""
        view: DepartmentView = self.post(f"{DEPARTMENTS}/{segment(department)}/open")
        return view

    def close_department(self, department: str) -> "DepartmentView":
        """Stop issuing tokens in the department; waiting customers are still served."""
        view: DepartmentView = self.post(f"{DEPARTMENTS}/{segment(department)}/close")
        return view

    def branches(self) -> "list[BranchView]":
        """All branches."""
        return self.all_of(BRANCHES)

    def branch(self, branch: str) -> "BranchView":
        """One branch."""
        view: BranchView = self.get(f"{BRANCHES}/{segment(branch)}")
        return view

    def create_branch(self, body: Mapping[str, Any]) -> "BranchView":
        """Add a branch."""
        view: BranchView = self.post(BRANCHES, body)
        return view

    def replace_branch(self, branch: str, body: Mapping[str, Any]) -> "BranchView":
        """Set all fields of a branch."""
        view: BranchView = self.put(f"{BRANCHES}/{segment(branch)}", body)
        return view

    def delete_branch(self, branch: str) -> None:
        """Delete a branch without departments."""
        self.delete(f"{BRANCHES}/{segment(branch)}")


class PeopleCalls(Calls):
    """Users, keys and roles. Every method raises ``Refused`` or a ``TokenqError``."""

    def users(self) -> "list[UserView]":
        """All users."""
        return self.all_of(USERS)

    def user(self, user_id: int) -> "UserView":
        """One user."""
        view: UserView = self.get(f"{USERS}/{segment(user_id)}")
        return view

    def create_user(self, body: Mapping[str, Any]) -> "UserView":
        """Add a user."""
        view: UserView = self.post(USERS, body)
        return view

    def change_user(self, user_id: int, body: Mapping[str, Any]) -> "UserView":
        """Change the given fields of a user."""
        view: UserView = self.patch(f"{USERS}/{segment(user_id)}", body)
        return view

    def delete_user(self, user_id: int) -> None:
        """Remove a user."""
        self.delete(f"{USERS}/{segment(user_id)}")

    def erase(self, person: Mapping[str, Any], *, dry_run: bool = False) -> "ErasureView":
        """Erase what is stored about a person, named by ``userId``, ``email`` or ``tokenId``; or only count it."""
        view: ErasureView = self._call("POST", ERASURES, body={**person, "dryRun": dry_run}, timeout=_LONG)
        return view

    def personal_data(self, person: Mapping[str, Any]) -> "PersonalDataView":
        """Return what is stored about a person, named as for :meth:`erase`."""
        view: PersonalDataView = self._call("POST", PERSONAL_DATA, body=person, timeout=_LONG)
        return view

    def keys(self) -> "list[KeyView]":
        """All keys, without their secrets."""
        return self.all_of(KEYS)

    def create_key(self, body: Mapping[str, Any]) -> "KeyView":
        """Make a key; the answer is the only one that holds its secret."""
        view: KeyView = self.post(KEYS, body)
        return view

    def change_key(self, key_id: int, body: Mapping[str, Any]) -> "KeyView":
        """Change the given fields of a key."""
        view: KeyView = self.patch(f"{KEYS}/{segment(key_id)}", body)
        return view

    def delete_key(self, key_id: int) -> None:
        """Delete a key; clients that use it stop working at once."""
        self.delete(f"{KEYS}/{segment(key_id)}")

    def audit(self, most: int, **filters: Any) -> "tuple[list[AuditView], bool]":
        """Return up to ``most`` security events, newest first, and whether there are more. Filters are the API's."""
        items: list[AuditView] = []
        cursor = None
        while len(items) < most:
            page = self.get(AUDIT, **filters, cursor=cursor, limit=min(most - len(items), _MOST_PER_PAGE))
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items, False
        return items, bool(self.get(AUDIT, **filters, cursor=cursor, limit=1)["items"])

    def roles(self) -> "list[RoleView]":
        """Return the roles and their permissions."""
        return self.all_of(ROLES)
