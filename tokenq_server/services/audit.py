"""Security events: what happened, who caused it, and how they are read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tokenq.contract.audit import AuditKind, AuditResult
from tokenq.contract.audit_views import AuditView
from tokenq.contract.days import DATE
from tokenq.contract.problems import ProblemCode, refuse
from tokenq.contract.reasons.audit import AuditReason
from tokenq_server.domain.principal import SYSTEM, Principal
from tokenq_server.services.views import instant

logger = logging.getLogger("tokenq_server.audit")

UNKNOWN = "unknown"
"""The object of a login with a name that no user has: people type passwords there."""


@dataclass(frozen=True)
class Origin:
    """Who caused an event, from which address, and in which request; ``None`` is unknown."""

    actor: str | None = None
    actor_id: str | None = None
    source: str | None = None
    request_id: str | None = None


BY_SYSTEM = Origin(SYSTEM)
"""Nobody's request caused it."""


def origin_of(caller: Principal | None, source: str | None, request_id: str | None) -> Origin:
    """Return the origin of what happens in a request.

    A customer is named by the role only, and a key whose label is an e-mail address by its id.
    """
    if caller is None:
        return Origin(None, None, source, request_id)
    actor = caller.name if caller.kind == "key" else caller.actor
    actor = caller.identity if "@" in actor else actor
    return Origin(actor, caller.identity, source, request_id)


@dataclass(frozen=True)
class AuditEvent:
    """A security event. It holds no secret, no customer's name, no address and no text that somebody typed.

    ``target`` is what it was about, ``code`` that of the refusal (``None``: it was done), ``detail`` particulars.
    """

    kind: AuditKind
    origin: Origin
    target: str
    code: ProblemCode | None = None
    detail: str | None = None

    @property
    def result(self) -> AuditResult:
        """Whether it was done."""
        return AuditResult.DONE if self.code is None else AuditResult.REFUSED


@dataclass(frozen=True)
class StoredEvent:
    """An event in the audit; ``at`` is when it happened first. A newer release may have stored kinds unknown here."""

    audit_id: int
    at: datetime
    kind: str
    result: str
    origin: Origin
    target: str
    code: str | None
    detail: str | None
    count: int


@dataclass(frozen=True)
class Occurrences:
    """Something refused since ``at``, ``count`` times more than is stored; ``audit_id`` if a part is stored already."""

    event: AuditEvent
    at: datetime
    count: int
    audit_id: int | None = None


@dataclass(frozen=True)
class AuditQuery:
    """Which events to return, newest first: from ``first`` on and before ``end``, with ids below ``before``.

    ``actor`` is a name or an id.
    """

    first: datetime | None = None
    end: datetime | None = None
    kind: AuditKind | None = None
    actor: str | None = None
    result: AuditResult | None = None
    before: int | None = None
    limit: int = 100


class AuditStore(Protocol):
    """Storage of the audit. Events of changes are written by the stores of what is changed, in one transaction."""

    async def write(self, refusals: Sequence[Occurrences]) -> list[int]:
        """Store refusals in one transaction; return the id of each."""

    async def events(self, query: AuditQuery) -> list[StoredEvent]:
        """Return events, newest first."""

    async def forget(self, days: int) -> bool:
        """Delete some of the events that are older than this; return whether there may be more."""


class Audit:
    """Reads the audit."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def events(self, query: AuditQuery) -> list[AuditView]:
        """Return events, newest first."""
        return [_view(stored) for stored in await self._store.events(query)]


def first_moment(text: str) -> datetime:
    """Return the moment at which a period begins: a time with its offset, or a date in UTC. Raises Refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refuse(AuditReason.NO_MOMENT, text=repr(text)) from None
    if DATE.fullmatch(text):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9998:
        raise refuse(AuditReason.NO_MOMENT, text=repr(text))
    return moment


def end_moment(text: str) -> datetime:
    """Return the moment before which a period ends: a time with its offset, or a date in UTC, which is included.

    Raises Refused.
    """
    moment = first_moment(text)
    return moment + timedelta(days=1) if DATE.fullmatch(text) else moment


def log_event(event: AuditEvent, count: int = 1) -> None:
    """Log an event, or (with a count above one) that it was repeated."""
    origin = event.origin
    particulars = {
        "kind": str(event.kind),
        "result": str(event.result),
        "code": event.code and str(event.code),
        "actor": origin.actor,
        "actorId": origin.actor_id,
        "source": origin.source,
        "object": event.target,
        "detail": event.detail,
        "requestId": origin.request_id,
        "count": count,
    }
    logger.info("security event" if count == 1 else "security event repeated", extra=particulars)


def _view(stored: StoredEvent) -> AuditView:
    return {
        "auditId": stored.audit_id,
        "at": instant(stored.at) or "",
        "kind": stored.kind,
        "result": stored.result,
        "code": stored.code,
        "actor": stored.origin.actor,
        "actorId": stored.origin.actor_id,
        "source": stored.origin.source,
        "object": stored.target,
        "detail": stored.detail,
        "requestId": stored.origin.request_id,
        "count": stored.count,
    }
