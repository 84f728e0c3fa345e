"""What a batch does between loading and writing: each request's command acts on the floors, or is refused."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.views import EstimateView
from tokenq_server.domain.calling import call_by_profile, call_next, call_token, serve_next
from tokenq_server.domain.commands import (
    CallByProfile,
    CallNext,
    CallToken,
    Command,
    Issue,
    MoveToken,
    ServeNext,
    TellNear,
    Tidy,
    TransferToken,
    UndoMove,
    departments_of,
)
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.issuing import issue
from tokenq_server.domain.moving import come_back, move, tell_near
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.domain.token import Token
from tokenq_server.domain.transferring import transfer
from tokenq_server.domain.undoing import undo
from tokenq_server.services.ports import Contact, Loaded, Remembered
from tokenq_server.services.views import token_view


@dataclass(frozen=True)
class Request:
    """A command, who sends it and, where repeating must be harmless, under which key.

    ``shows_person`` tells whether name and address are for the sender's eyes.
    """

    command: Command
    principal: str = ""
    key: str | None = None
    fingerprint: bytes = b""
    shows_person: bool = True


@dataclass(frozen=True)
class Reply:
    """What the caller gets: a status and a JSON body. ``replayed`` marks an answer given before."""

    status: int
    body: str
    replayed: bool = False


Outcome = Reply | Refused


def act(
    requests: Sequence[Request], floors: dict[str, Floor], loaded: Loaded
) -> tuple[list[Outcome], list[Remembered]]:
    """Let every request act, one after the other; a refused one changes nothing.

    Answers an outcome per request, and the answers to be remembered under their keys.
    """
    known = {(kept.principal, kept.key): kept for kept in loaded.remembered}
    new_ids = iter(loaded.new_ids)
    outcomes: list[Outcome] = []
    fresh: list[Remembered] = []
    for request in requests:
        try:
            kept = known.get((request.principal, request.key or ""))
            if kept is not None:
                outcomes.append(_replay(kept, request))
                continue
            reply = _carry_out(request, floors, loaded.contacts, new_ids)
            outcomes.append(reply)
            if request.key is not None:
                kept = Remembered(request.principal, request.key, request.fingerprint, reply.status, reply.body)
                known[request.principal, request.key] = kept
                fresh.append(kept)
        except Refused as refusal:
            outcomes.append(refusal)
    return outcomes, fresh


def _replay(kept: Remembered, request: Request) -> Reply:
    if kept.fingerprint != request.fingerprint:
        raise refuse(
            ProblemCode.IDEMPOTENCY_MISMATCH,
            "This idempotency key was used for another request.",
            "Use a new key for a new request, and the same key only to repeat the same one.",
        )
    return Reply(kept.status, kept.body, replayed=True)


def _carry_out(
    request: Request, floors: dict[str, Floor], contacts: dict[int, Contact], new_ids: Iterator[int]
) -> Reply:
    command = request.command
    for department_id in departments_of(command):
        if department_id not in floors:
            raise unknown_department(department_id)
    if isinstance(command, Issue):
        return _issue(request, command, floors[command.department_id], contacts, next(new_ids))
    if isinstance(command, Tidy | TellNear):
        _by_itself(command, floors[command.department_id])
        return Reply(204, "")
    token = _moved(command, floors)
    return _reply(200, request, token, floors[token.department_id])


def _moved(
    command: CallNext | CallByProfile | CallToken | ServeNext | MoveToken | TransferToken | UndoMove,
    floors: dict[str, Floor],
) -> Token:
    match command:
        case CallNext():
            return call_next(floors[command.department_id], command)
        case CallByProfile():
            return call_by_profile([floors[name] for name in command.departments], command)
        case CallToken():
            return call_token(floors[command.department_id], command)
        case ServeNext():
            return serve_next(floors[command.department_id], command)
        case MoveToken():
            return move(floors[command.department_id], command)
        case TransferToken():
            return transfer(floors[command.department_id], floors[command.to], command)
        case UndoMove():
            return undo(floors, command)


def _by_itself(command: Tidy | TellNear, floor: Floor) -> None:
    if isinstance(command, TellNear):
        tell_near(floor, command)
        return
    for token in list(floor.tokens.values()):
        come_back(floor, token)


def _issue(request: Request, command: Issue, floor: Floor, contacts: dict[int, Contact], new_id: int) -> Reply:
    token = issue(floor, _with_contact(command, contacts), new_id)
    told = floor.records[-1].data
    return _reply(201, request, token, floor, told["position"], told["estimate"])


def _with_contact(command: Issue, contacts: dict[int, Contact]) -> Issue:
    if command.user_id is None:
        return command
    contact = contacts.get(command.user_id)
    if contact is None:
        raise refuse(
            ProblemCode.UNKNOWN_USER, f"There is no user {command.user_id}.", "List them with 'tokenq user list'."
        )
    return replace(command, name=command.name or contact.name, email=command.email or contact.email)


def _reply(
    status: int,
    request: Request,
    token: Token,
    floor: Floor,
    position: int | None = None,
    estimate: EstimateView | None = None,
) -> Reply:
    view = token_view(token, floor.now, position, estimate, shows_person=request.shows_person)
    is_call = isinstance(request.command, CallNext | CallByProfile | CallToken | ServeNext)
    if is_call and (token.branch_id, token.counter_id) in floor.counters.opened:
        view["isNewCounter"] = True
    return Reply(status, json.dumps(view, ensure_ascii=False, separators=(",", ":")))
