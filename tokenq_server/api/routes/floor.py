"""The whole configuration as one document."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq_server.api.auth import Admin, ServicesDep
from tokenq_server.api.floor_schema import FloorBody, requested_plan
from tokenq_server.services.floor_plan import Document

router = APIRouter(tags=["setup"])


class Changes(TypedDict):
    """What was changed, or in a dry run would be: things created and deleted, and fields updated."""

    changes: list[dict[str, Any]]
    applied: bool


@router.get(paths.FLOOR)
async def export(_: Admin, services: ServicesDep) -> Document:
    """The document that makes this configuration; what has its default is left out."""
    return await services.floor_plans.export()


@router.put(paths.FLOOR)
async def apply(
    body: FloorBody,
    caller: Admin,
    services: ServicesDep,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
    prune: Annotated[bool, Query(description="Also remove what the document does not name; never users.")] = False,
) -> Changes:
    """Make the configuration what the document says, whole or not at all."""
    changes = await services.floor_plans.apply(requested_plan(body), caller.actor, prune=prune, is_dry=dry_run)
    return {"changes": changes, "applied": not dry_run}
