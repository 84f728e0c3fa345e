"""What is known about a person: erasing and showing it. The address is in the body, since proxies log URLs."""

from fastapi import APIRouter, Request
from pydantic import ConfigDict

from tokenq.contract import paths
from tokenq.contract.personal_views import ErasureView, PersonalDataView
from tokenq_server.api.auth import Admin, ServicesDep
from tokenq_server.api.schemas import Body, Email, Id
from tokenq_server.api.security_events import request_origin
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.services.personal_data import Person

router = APIRouter(tags=["people"], route_class=StrictRoute)


class WhoseData(Body):
    """Who is meant: exactly one of the three."""

    user_id: Id | None = None
    email: Email | None = None
    token_id: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "user@example.com"}]})

    @property
    def person(self) -> Person:
        """Who is meant. Raises Refused (``invalid``)."""
        return Person(self.user_id, self.email, self.token_id)


class Erase(WhoseData):
    """Whom to erase; ``dryRun`` only counts."""

    dry_run: bool = False


@router.post(paths.ERASURES)
async def erase_person(body: Erase, _: Admin, request: Request, services: ServicesDep) -> ErasureView:
    """Erase what is stored about a person: names, addresses and free text; with `userId` also the account.

    Numbers and times stay. Letters that are still queued are not sent. Repeating it is safe.
    """
    return await services.personal_data.erase(body.person, request_origin(request.scope), is_dry_run=body.dry_run)


@router.post(paths.PERSONAL_DATA)
async def show_personal_data(body: WhoseData, _: Admin, request: Request, services: ServicesDep) -> PersonalDataView:
    """Return what is stored about a person; reading it is a security event."""
    return await services.personal_data.known(body.person, request_origin(request.scope))
