"""Users and keys, and both in the API's format."""

from dataclasses import dataclass
from datetime import datetime

from tokenq.contract.enums import Role
from tokenq.contract.views import KeyView, UserView
from tokenq_server.services.views import instant


@dataclass(frozen=True)
class User:
    """A person who can be issued a token or log in."""

    user_id: int
    username: str | None
    name: str
    email: str | None
    role: Role
    departments: tuple[str, ...] = ()
    password_hash: str | None = None
    must_change_password: bool = False
    is_disabled: bool = False


@dataclass(frozen=True)
class Key:
    """An API key as listed, without its secret."""

    credential_id: int
    label: str
    role: Role
    departments: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


def user_view(user: User) -> UserView:
    """Return a user in the API's format."""
    return {
        "userId": user.user_id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "role": str(user.role),
        "departments": list(user.departments),
        "disabled": user.is_disabled,
    }


def key_view(key: Key) -> KeyView:
    """Return a key in the API's format."""
    return {
        "keyId": key.credential_id,
        "label": key.label,
        "role": str(key.role),
        "departments": list(key.departments),
        "createdAt": instant(key.created_at) or "",
        "lastUsedAt": instant(key.last_used_at),
    }
