"""Tickets for those who print or scan them."""

from typing import Annotated

from fastapi import APIRouter, Path

from tokenq.contract import paths
from tokenq.contract.ticket_views import TicketView
from tokenq.contract.views import TokenView
from tokenq_server.api.auth import Anybody, IdPath, ServicesDep, Workers
from tokenq_server.api.strictness import StrictRoute

router = APIRouter(tags=["tokens"], route_class=StrictRoute)
SecretPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get(paths.TOKENS + "/{token_id}/ticket")
async def ticket(token_id: IdPath, caller: Anybody, services: ServicesDep) -> TicketView:
    """Return what is printed on a token's ticket, the link for the customer's phone among it."""
    return await services.tickets.ticket(token_id, caller)


@router.get(paths.TICKETS + "/{secret}")
async def scanned(secret: SecretPath, caller: Workers, services: ServicesDep) -> TokenView:
    """Return the token of a ticket's link, of which ``secret`` is the last part: what a scanner reads."""
    holder = await services.tickets.holder(secret)
    return await services.reading.token(holder.token_id or 0, caller)
