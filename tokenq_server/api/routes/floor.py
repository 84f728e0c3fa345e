"""The whole configuration as one document."""

from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq_server.api.auth import Admin, ServicesDep
from tokenq_server.api.floor_schema import FloorBody, requested_plan
from tokenq_server.api.security_events import request_origin
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.services.floor_plan import Document

router = APIRouter(tags=["setup"], route_class=StrictRoute)


class Changes(TypedDict):
    """The changes made (in a dry run: to be made): things created and deleted, and fields updated.

    ``ends``, in a dry run only, counts the tokens that would expire, per department and state: it is empty unless a
    change would end a business day now.
    """

    changes: list[dict[str, Any]]
    applied: bool
    ends: NotRequired[dict[str, dict[str, int]]]


@router.get(paths.FLOOR)
async def export(
    _: Admin,
    services: ServicesDep,
    with_defaults: Annotated[bool, Query(alias="all", description="Also settings at their defaults.")] = False,
) -> Document:
    """Return the document that creates this configuration."""
    return await services.floor_plans.export(with_defaults=with_defaults)


@router.put(paths.FLOOR)
async def apply(
    body: FloorBody,
    _: Admin,
    request: Request,
    services: ServicesDep,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
    prune: Annotated[bool, Query(description="Also delete what the document does not name, except users.")] = False,
    end_day: Annotated[bool, Query(alias="endDay", description="Even if it ends a business day now.")] = False,
) -> Changes:
    """Set the configuration to the document, entirely or not at all."""
    requested = requested_plan(body)
    if dry_run:
        changes, ends = await services.floor_plans.preview(requested, prune=prune)
        return {"changes": changes, "applied": False, "ends": {name: {**states} for name, states in ends.items()}}
    origin = request_origin(request.scope)
    changes = await services.floor_plans.apply(requested, origin, prune=prune, may_end_day=end_day)
    return {"changes": changes, "applied": True}
