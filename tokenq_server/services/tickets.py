"""Tickets: what is printed on one, and what whoever has its link may see and do."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tokenq.contract.enums import LIVE
from tokenq.contract.paths import TICKET_PAGE
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason, TokenReason
from tokenq.contract.ticket_views import TicketView
from tokenq.contract.views import BranchView, TokenView
from tokenq_server.domain.permissions import WORKERS, issues_in
from tokenq_server.domain.principal import Principal, holder_of
from tokenq_server.services.queries import Queries, Snapshot
from tokenq_server.services.setup import Setup

_KEY = "ticket links"
_KEPT_FOR = timedelta(hours=2)
"""How long a link shows a number that is final."""


class TicketLinks(Protocol):
    """Makes and reads the secret part of links."""

    def secret_of(self, token_id: int) -> str:
        """Return the secret of a token."""

    def token_of(self, secret: str) -> int | None:
        """Return the id of a secret's token; ``None`` for anything else."""


class ServerKeys(Protocol):
    """Storage of secrets that all API processes share."""

    async def key(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a secret; the first time, one that ``make`` returns."""


@dataclass(frozen=True)
class TicketState:
    """What whoever has a ticket's link sees: the token, its department at this moment, and its branch."""

    token: TokenView
    department: Snapshot
    branch: BranchView


class Tickets:
    """Answers for tickets. ``links_with`` makes links of a key of 16 bytes."""

    def __init__(
        self, keys: ServerKeys, links_with: Callable[[bytes], TicketLinks], reading: Queries, setup: Setup
    ) -> None:
        self._keys, self._links_with = keys, links_with
        self._reading, self._setup = reading, setup
        self._opening = asyncio.Lock()
        self._links: TicketLinks | None = None

    async def ticket(self, token_id: int, reader: Principal) -> TicketView:
        """Return what is printed on a token's ticket.

        Raises:
            Refused: the reader may not see the token, or not issue in its department: a link is as good as a ticket.
        """
        token = await self._reading.token(token_id, reader)
        if reader.role in WORKERS and not issues_in(reader, token["departmentId"]):
            raise refuse(DepartmentReason.MAY_NOT_ISSUE, department=token["departmentId"])
        branch = await self._setup.branch(token["branchId"])
        department = await self._setup.department(token["departmentId"])
        return {
            "displayNumber": token["displayNumber"],
            "state": token["state"],
            "departmentName": department["name"],
            "branchName": branch["name"],
            "timezone": branch["timezone"],
            "language": token["language"] or branch["languages"][0],
            "issuedAt": token["issuedAt"],
            "position": token["position"],
            "estimate": token["estimate"],
            "url": await self.url_of(token_id, branch),
        }

    async def url_of(self, token_id: int, branch: BranchView) -> str | None:
        """Return a ticket's link; ``None`` where customers do not reach the server."""
        if not branch["publicUrl"]:
            return None
        return f"{branch['publicUrl']}{TICKET_PAGE}/{await self.secret_of(token_id)}"

    async def secret_of(self, token_id: int) -> str:
        """Return the secret of a token's link."""
        return (await self._opened()).secret_of(token_id)

    async def holder(self, secret: str) -> Principal:
        """Return whoever has a link. Raises Refused (``unknown_token``) for what is no link."""
        token_id = (await self._opened()).token_of(secret)
        if token_id is None:
            raise refuse(TokenReason.NO_TICKET_LINK)
        return holder_of(token_id)

    async def state(self, secret: str) -> TicketState:
        """Return what a link shows. Raises Refused (``unknown_token``) for what is no link, or one that has ended."""
        holder = await self.holder(secret)
        found = await self._reading.find(holder.token_id or 0, holder)
        department = await self._reading.snapshot(found.department_id, 1)
        token = await self._reading.token_in(department, found, holder)
        if found.state not in LIVE and not await self._is_kept(holder, department.now):
            raise refuse(TokenReason.NO_TICKET_LINK)
        return TicketState(token, department, await self._setup.branch(token["branchId"]))

    async def _is_kept(self, holder: Principal, now: datetime) -> bool:
        """Whether a final token was moved a short time ago."""
        events, _ = await self._reading.events(holder.token_id or 0, holder)
        return bool(events) and now - datetime.fromisoformat(events[-1]["timestamp"]) < _KEPT_FOR

    async def _opened(self) -> TicketLinks:
        async with self._opening:
            if self._links is None:
                self._links = self._links_with(await self._keys.key(_KEY, lambda: secrets.token_bytes(16)))
            return self._links
