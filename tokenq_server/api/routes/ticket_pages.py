"""Pages for the phones of people who wait: their own ticket, and where they take a number."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from tokenq.contract import names, paths
from tokenq.contract.enums import SelfService
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.verbs import Verb
from tokenq_server.api.auth import DepartmentPath, RepeatDep, ServicesDep
from tokenq_server.api.dispatch import answer_to
from tokenq_server.api.pages.files import NAMES, file
from tokenq_server.api.pages.take_state import take_state
from tokenq_server.api.pages.texts import ended_texts, language_for
from tokenq_server.api.pages.ticket_state import ticket_state
from tokenq_server.api.routes.tickets import SecretPath
from tokenq_server.api.schemas import Body, Language
from tokenq_server.api.sources import source_of
from tokenq_server.api.strictness import StrictBody
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import Issue, MoveToken
from tokenq_server.domain.principal import visitor

router = APIRouter(include_in_schema=False, route_class=StrictBody)
BranchPath = Annotated[str, Path(pattern=names.BRANCH_ID)]
Lang = Annotated[str | None, Query(max_length=16)]
Accepted = Annotated[str, Header(alias="Accept-Language", max_length=1000)]


class TakeNumber(Body):
    """The language in which somebody wants to be addressed."""

    language: Language | None = None


@router.get(paths.PAGE_FILES + "/{name}")
async def asset(name: str) -> Response:
    """Return a file of the pages."""
    return file(name) if name in NAMES and not name.endswith(".html") else Response(status_code=404)


@router.get(paths.TICKET_PAGE + "/{secret}")
async def ticket_page(secret: SecretPath) -> Response:  # noqa: ARG001 - the page reads it from its address
    """Return the page; whether the link leads to anything is seen when it asks for its content."""
    return file("ticket.html")


@router.get(paths.TICKET_PAGE + "/{secret}/state")
async def ticket(
    request: Request, secret: SecretPath, services: ServicesDep, lang: Lang = None, accepted: Accepted = ""
) -> dict[str, Any]:
    """Return what the page shows."""
    return await _state(request, services, secret, lang, accepted)


@router.post(paths.TICKET_PAGE + "/{secret}/leave")
async def leave(
    request: Request, secret: SecretPath, services: ServicesDep, lang: Lang = None, accepted: Accepted = ""
) -> dict[str, Any]:
    """Give the number up; return what the page shows then. Raises Refused: whoever was called asks at the counter."""
    found = await _state(request, services, secret, lang, accepted)
    if found["mayLeave"]:
        holder = await services.tickets.holder(secret)
        at = await services.reading.find(holder.token_id or 0, holder)
        printed = (at.display, at.issued_in)
        command = MoveToken(
            at.department_id, holder, at.token_id, Verb.CANCEL, at.claim_version, user_id=at.user_id, printed=printed
        )
        await answer_to(services, holder, command)
    return await _state(request, services, secret, lang, accepted)


@router.get(paths.TAKE_PAGE + "/{branch_id}")
async def take_page(branch_id: BranchPath) -> Response:  # noqa: ARG001 - the page reads it from its address
    """Return the page where people take numbers."""
    return file("take.html")


@router.get(paths.TAKE_PAGE + "/{branch_id}/state")
async def departments_to_choose(
    request: Request, branch_id: BranchPath, services: ServicesDep, lang: Lang = None, accepted: Accepted = ""
) -> dict[str, Any]:
    """Return the departments in which people may take a number."""
    await services.public_limit.count(source_of(request.scope))
    return await take_state(services, branch_id, lang, accepted)


@router.post(paths.TAKE_PAGE + "/{branch_id}/{department_id}", status_code=201)
async def take(
    request: Request,
    branch_id: BranchPath,
    department_id: DepartmentPath,
    body: TakeNumber,
    services: ServicesDep,
    repeat: RepeatDep,
) -> dict[str, str]:
    """Issue a number to somebody in the lobby; return the page of its ticket."""
    try:
        department = await services.setup.department(department_id)
        if department["branchId"] != branch_id or department["selfService"] != SelfService.ON:
            raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)
    except Refused:
        await services.public_limit.count(source_of(request.scope))  # issued numbers have a limit of their own
        raise
    caller = visitor(source_of(request.scope))
    answer = await answer_to(services, caller, Issue(department_id, caller, language=body.language), repeat)
    token_id = answer.token["tokenId"] if answer.token else 0
    return {"page": f"{paths.TICKET_PAGE}/{await services.tickets.secret_of(token_id)}"}


async def _state(request: Request, services: Services, secret: str, lang: str | None, accepted: str) -> dict[str, Any]:
    """Return what a ticket's page shows. Only wrong links count: many phones may share one address."""
    try:
        found = await services.tickets.state(secret)
    except Refused as refusal:
        if refusal.problem.code is ProblemCode.UNKNOWN_TOKEN:
            await services.public_limit.count(source_of(request.scope))
            said = ended_texts(language_for(lang, accepted, ()))
            raise Refused(replace(refusal.problem, extra={**refusal.problem.extra, **said})) from refusal
        raise
    otherwise = [found.token["language"] or "", *found.branch["languages"]]
    return ticket_state(found, language_for(lang, accepted, otherwise))
