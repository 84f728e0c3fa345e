"""The security events of changes to users and keys."""

from collections.abc import Iterator, Sequence

from tokenq.contract.audit import AuditKind
from tokenq.contract.enums import Role
from tokenq_server.domain.principal import CUSTOMER, Principal
from tokenq_server.services.audit import AuditEvent, Origin
from tokenq_server.services.people_views import Key, User

_WHO_THEY_ARE = ("name", "username", "email")


def account(username: str | None, role: Role, user_id: int) -> str:
    """Name a user: by user name, a customer by id, since a customer's user name may tell who it is."""
    return f"user:{username}" if username and role is not Role.CUSTOMER else f"user:id:{user_id}"


def account_of(user: User) -> str:
    """Name a user: by user name, a customer by id."""
    return account(user.username, user.role, user.user_id)


def actor_of(user: User) -> str:
    """The user's name as an actor; a customer's is the role."""
    return CUSTOMER if user.role is Role.CUSTOMER else user.username or f"user:{user.user_id}"


def staff_name(user: User | None) -> str | None:
    """The name by which the log knows what the user did; ``None`` for customers, whose name is not there."""
    return user.username if user is not None and user.role is not Role.CUSTOMER else None


def rights(role: str, departments: Sequence[str]) -> str:
    """Write rights as ``staff CW LAB`` or ``admin all``."""
    return " ".join([role, *(departments or ["all"])])


def user_created(origin: Origin, user: User) -> AuditEvent:
    """A user was created."""
    return AuditEvent(AuditKind.USER_CREATE, origin, account_of(user), detail=rights(str(user.role), user.departments))


def user_changed(origin: Origin, before: User, after: User, *, has_new_password: bool) -> Iterator[AuditEvent]:
    """Yield an event for each kind of change; none if nothing has changed."""
    # Under the name that it had, and by id if it was or becomes a customer's.
    target = account(before.username, Role.CUSTOMER if after.role is Role.CUSTOMER else before.role, before.user_id)
    changed = [name for name in _WHO_THEY_ARE if getattr(before, name) != getattr(after, name)]
    if changed:
        is_renamed = "username" in changed and account_of(after) != target
        detail = ", ".join(changed) + (f"; now {account_of(after)}" if is_renamed else "")
        yield AuditEvent(AuditKind.USER_UPDATE, origin, target, detail=detail)
    old, new = (rights(str(user.role), user.departments) for user in (before, after))
    if old != new:
        yield AuditEvent(AuditKind.USER_ROLE, origin, target, detail=f"{old} -> {new}")
    if before.is_disabled != after.is_disabled:
        yield AuditEvent(AuditKind.USER_DISABLE if after.is_disabled else AuditKind.USER_ENABLE, origin, target)
    if has_new_password:
        yield AuditEvent(AuditKind.USER_PASSWORD, origin, target)


def users_imported(origin: Origin, users: Sequence[tuple[User | None, User]]) -> Iterator[AuditEvent]:
    """Yield the events of a configuration file's users, each as it was (``None``: new) and is; none without users."""
    for before, after in users:
        if before is None:
            yield user_created(origin, after)
        else:
            yield from user_changed(origin, before, after, has_new_password=False)
    if users:
        yield AuditEvent(AuditKind.FLOOR_IMPORT, origin, "users", detail=str(len(users)))


def user_deleted(origin: Origin, user: User) -> AuditEvent:
    """A user was deleted."""
    return AuditEvent(AuditKind.USER_DELETE, origin, account_of(user))


def logged_out(origin: Origin, principal: Principal) -> AuditEvent:
    """A session was ended by its user."""
    return AuditEvent(AuditKind.LOGOUT, origin, account(principal.name, principal.role, principal.user_id or 0))


def key_created(origin: Origin, key: Key) -> AuditEvent:
    """A key was created."""
    detail = rights(str(key.role), key.departments)
    return AuditEvent(AuditKind.KEY_CREATE, origin, _key(key), detail=detail)


def key_changed(origin: Origin, before: Key, after: Key) -> Iterator[AuditEvent]:
    """Yield an event if the key has changed."""
    old, new = (rights(str(key.role), key.departments) for key in (before, after))
    changes = [*(["label"] if before.label != after.label else []), *([f"{old} -> {new}"] if old != new else [])]
    if changes:
        yield AuditEvent(AuditKind.KEY_UPDATE, origin, _key(before), detail=", ".join(changes))


def key_deleted(origin: Origin, key_id: int) -> AuditEvent:
    """A key was revoked."""
    return AuditEvent(AuditKind.KEY_DELETE, origin, f"key:{key_id}")


def _key(key: Key) -> str:
    return f"key:{key.credential_id}"
