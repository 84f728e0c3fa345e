"""Transferring a token to another department's queue; it keeps its number."""

from typing import Any

from tokenq.contract.enums import RequeuePosition
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason, TokenReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import TransferToken
from tokenq_server.domain.copies import replace
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.moving import check_claim, check_table, put_back
from tokenq_server.domain.refusals import already_waiting
from tokenq_server.domain.token import Token, with_undo


def transfer(
    source: DepartmentSession, target: DepartmentSession, command: TransferToken, place_by_arrival: int | None = None
) -> Token:
    """Move a token into another department's queue: by default to its end. A new leg begins.

    ``place_by_arrival`` is the sort key that the target would have given at the token's arrival; it is needed for every
    other position.

    Raises:
        Refused: ``unknown_token``, ``stale_claim``, ``wrong_state`` (including: already in that department),
            ``invalid`` (department of another branch), ``department_closed``, ``already_waiting``.
    """
    token = source.token(command.token_id)
    check_claim(token, command.claim_version)
    check_table(token, Verb.TRANSFER)
    _check_target(source, target, token)
    original_place = target.last_place if place_by_arrival is None else place_by_arrival
    moved = replace(
        put_back(target, replace(token, original_place=original_place), command.position),
        department_id=target.id,
        calls=0,
        reason=None,
        called_at=None,
        last_call_at=None,
        parked_at=None,
        parked_until=None,
    )
    until = source.now + source.department.rules.undo_window
    moved = with_undo(token, moved, str(Verb.TRANSFER), until, command.caller.identity)
    data: dict[str, Any] = {"from": source.id, "to": target.id}
    if command.position is not RequeuePosition.LAST:
        data["position"] = str(command.position)
    return source.hand_over_to(
        token, moved, target, VERBS[Verb.TRANSFER].event, command.caller.actor, data, command.reason
    )


def _check_target(source: DepartmentSession, target: DepartmentSession, token: Token) -> None:
    if source.id == target.id:
        raise refuse(TokenReason.SAME_DEPARTMENT, number=token.display, department=target.id)
    if source.department.branch_id != target.department.branch_id:
        raise refuse(
            TokenReason.OTHER_BRANCH,
            target=target.id,
            branch=target.department.branch_id,
            department=source.id,
            home=source.department.branch_id,
        )
    if not target.department.is_open:
        raise refuse(DepartmentReason.CLOSED, name=target.department.name, department=target.id)
    if live := target.live_token_of(token.user_id):
        raise already_waiting(live)
