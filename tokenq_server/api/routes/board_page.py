"""The lobby's board in a browser. Its key comes in the address' fragment, which no server and no log sees."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from tokenq.contract import names, paths
from tokenq.contract.board_views import BoardView
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused
from tokenq_server.api.auth import Allowed, BearerDep, ServicesDep
from tokenq_server.api.pages.board_stream import BoardStream
from tokenq_server.api.pages.files import file
from tokenq_server.api.stream_places import place_of
from tokenq_server.domain.permissions import BOARD_ONLY, departments_to_watch
from tokenq_server.domain.principal import Principal

router = APIRouter(include_in_schema=False)

_COOKIE = "tokenq_board"
_KEPT_SECONDS = 365 * 24 * 3600
_key_of_a_board = Allowed(BOARD_ONLY)


async def _cookie(request: Request, services: ServicesDep, tokenq_board: Annotated[str, Cookie()] = "") -> Principal:
    """Return the board whose key the cookie is. Only keys of boards are taken, so that the cookie is worth little."""
    return await _key_of_a_board.caller_of(request.scope, services, tokenq_board)


async def _branch(
    _caller: Annotated[Principal, Depends(_cookie)],
    services: ServicesDep,
    branch: Annotated[str, Query(pattern=names.BRANCH_ID)] = MAIN_BRANCH,
) -> str:
    """Return the branch to show; one that does not exist is refused before anything is streamed."""
    await services.setup.branch(branch)
    return branch


async def _place(caller: Annotated[Principal, Depends(_cookie)]) -> AsyncIterator[Principal]:
    with place_of(caller):
        yield caller


@router.get(paths.BOARD_PAGE)
async def page() -> Response:
    """Return the page."""
    return file("board.html")


@router.post(paths.BOARD_PAGE + "/session", status_code=204)
async def sign_in(request: Request, services: ServicesDep, bearer: BearerDep) -> Response:
    """Exchange a board's key for a cookie that no script can read and no other site can use."""
    key = bearer.credentials if bearer else ""
    await _key_of_a_board.caller_of(request.scope, services, key)
    response = Response(status_code=204)
    response.set_cookie(
        _COOKIE,
        key,
        max_age=_KEPT_SECONDS,
        path=paths.BOARD_PAGE,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.get(paths.BOARD_PAGE + "/session", status_code=204)
async def session(_branch: Annotated[str, Depends(_branch)]) -> Response:
    """Answer whether the cookie is good and the branch there: a stream cannot tell a browser why it was refused."""
    return Response(status_code=204)


@router.get(paths.BOARD_PAGE + "/stream", response_class=EventSourceResponse)
async def stream(
    request: Request,
    services: ServicesDep,
    caller: Annotated[Principal, Depends(_place)],
    branch: Annotated[str, Depends(_branch)],
    tokenq_board: Annotated[str, Cookie()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Stream what a board draws of a branch: ``setup``, and a complete ``picture`` after each change."""

    async def check() -> Principal:
        return await _key_of_a_board.caller_of(request.scope, services, tokenq_board)

    async def fetch() -> BoardView:
        return await services.boards.board(branch, await check())

    board = BoardStream(services.feed, departments_to_watch(caller, ()), fetch, check)
    yield ServerSentEvent(comment="tokenq", retry=1000)
    with suppress(Refused):
        async for message in board.messages():
            yield message
