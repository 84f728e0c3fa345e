"""Security events."""

from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq.contract.audit import AuditKind, AuditResult
from tokenq.contract.audit_views import AuditView
from tokenq_server.api.auth import Admin, ServicesDep
from tokenq_server.api.schemas import Line
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.services.audit import AuditQuery, end_moment, first_moment

router = APIRouter(tags=["audit"], route_class=StrictRoute)
_A_MOMENT = "a time with its offset from UTC, or a date in UTC"


class AuditList(TypedDict):
    """A page of security events."""

    items: list[AuditView]
    nextCursor: str | None


@router.get(paths.AUDIT)
async def list_events(
    _: Admin,
    services: ServicesDep,
    first: Annotated[str | None, Query(alias="from", max_length=40, description=f"From then on: {_A_MOMENT}.")] = None,
    end: Annotated[
        str | None, Query(alias="to", max_length=40, description=f"Until then: {_A_MOMENT}, which is included.")
    ] = None,
    kind: Annotated[AuditKind | None, Query(description="Of this kind.")] = None,
    actor: Annotated[
        str | None, Query(max_length=80, description="By this user or key: a name or an `actorId`."), Line
    ] = None,
    result: Annotated[AuditResult | None, Query(description="Whether it was done.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> AuditList:
    """List security events, newest first, a page at a time."""
    period = first_moment(first) if first else None, end_moment(end) if end else None
    events = await services.audit.events(AuditQuery(*period, kind, actor, result, cursor, limit))
    return {"items": events, "nextCursor": str(events[-1]["auditId"]) if len(events) == limit else None}
