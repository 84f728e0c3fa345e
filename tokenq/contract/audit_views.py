"""A security event as the API shows it."""

from typing_extensions import TypedDict


class AuditView(TypedDict):
    """A security event.

    ``actor`` is the user name or the key's label, ``actorId`` tells apart those of the same name (``user:2``,
    ``key:3``); both are null if the caller is unknown. ``code`` is that of the refusal. ``object`` is what it was about
    (``user:ann``, ``user:id:55``, ``key:3``, ``counter:main/3``, ``department:CW``, ``route:POST /api/v1/users``,
    ``unknown``), ``detail`` particulars such as the new role. ``count`` is how often the same was refused within a
    minute from ``at`` on.
    """

    auditId: int
    at: str
    kind: str
    result: str
    code: str | None
    actor: str | None
    actorId: str | None
    source: str | None
    object: str
    detail: str | None
    requestId: str | None
    count: int
