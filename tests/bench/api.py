"""The API as it is started, with one more route: a POST with the same body as issuing a token, which does nothing."""

import json
import sys

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute

from tests.bench.bare import ANSWER
from tokenq.contract import paths
from tokenq_server import programs
from tokenq_server.api import app as product
from tokenq_server.api.auth import DepartmentPath, Issuer, RepeatDep, ServicesDep
from tokenq_server.api.schemas import IssueToken

EMPTY = f"{paths.DEPARTMENTS}/WARM/empty"
_ANSWER = json.dumps(ANSWER, separators=(",", ":"))
_router = APIRouter()


@_router.post(paths.DEPARTMENTS + "/{department_id}/empty", status_code=201)
async def empty(
    department_id: DepartmentPath, body: IssueToken, caller: Issuer, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """A request passes whatever one for a number passes, and then does nothing."""
    return Response(_ANSWER, 201, media_type="application/json")


if __name__ == "__main__":
    product.ROUTERS = (*product.ROUTERS, _router)
    product.ROUTES = (*product.ROUTES, *(route for route in _router.routes if isinstance(route, APIRoute)))
    sys.exit(programs.run("api"))
