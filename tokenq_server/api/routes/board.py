"""What a board needs to begin."""

from fastapi import APIRouter

from tokenq.contract import paths
from tokenq.contract.board_views import BoardView
from tokenq_server.api.auth import Board, ServicesDep
from tokenq_server.api.routes.setup import BranchPath
from tokenq_server.api.strictness import StrictRoute

router = APIRouter(tags=["setup"], route_class=StrictRoute)


@router.get(paths.BOARD)
async def board(branch_id: BranchPath, caller: Board, services: ServicesDep) -> BoardView:
    """The public state of a branch: who is called, how many wait, and where the events go on.

    Follow `GET /events` with `position` as `Last-Event-ID`: no event is missed, and none above a department's `seq`
    comes twice. It contains no names and no addresses. A board's key gets its own departments only.
    """
    return await services.boards.board(branch_id, caller)
