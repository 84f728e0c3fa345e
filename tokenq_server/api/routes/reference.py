"""The reference of the API: a page for people, and the OpenAPI document."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from tokenq.contract import paths
from tokenq_server.api.inside import Inside
from tokenq_server.api.reference_page import CONTENT_SECURITY_POLICY, page
from tokenq_server.domain.permissions import ADMINS

router = APIRouter(dependencies=[Depends(Inside(ADMINS))], include_in_schema=False)


@router.get(paths.DOCS)
async def docs(request: Request) -> HTMLResponse:
    """Return the reference as a page."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get(paths.OPENAPI)
async def openapi(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    return document
