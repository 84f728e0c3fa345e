"""Verbs that move a token within one department, and their guards."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

from tokenq.contract.enums import RequeuePosition, TokenState
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import VERBS, Verb, verbs_from
from tokenq_server.domain.commands import MarkNearTurn, MoveToken
from tokenq_server.domain.copies import replace
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.principal import SYSTEM
from tokenq_server.domain.refusals import already_waiting
from tokenq_server.domain.token import Token

Data = dict[str, Any]


def move(session: DepartmentSession, command: MoveToken) -> Token:
    """Apply a verb to one token. A final move repeated under the same claim returns the token unchanged.

    Raises:
        Refused: ``unknown_token``, ``stale_claim``, ``wrong_state``; ``too_early`` and ``limit_reached`` by the
            department's guards; ``already_waiting`` if the user has taken another token meanwhile.
    """
    token = session.token(command.token_id)
    check_claim(token, command.claim_version)
    if _is_done(token, command.verb):
        return token
    check_table(token, command.verb)
    moved, data = _MOVING[command.verb](session, token, command)
    return session.move(token, moved, command.verb, command.caller, data, command.reason)


def resume_if_due(session: DepartmentSession, token: Token) -> None:
    """Return a parked token to the queue if its time has come."""
    if token.state is TokenState.PARKED and token.parked_until and token.parked_until <= session.now:
        resumed = replace(_back_in_line(session, token), undo=None)
        session.apply(token, resumed, VERBS[Verb.RESUME].event, SYSTEM, {"reason": "the time has come"})


def mark_near_turn(session: DepartmentSession, command: MarkNearTurn) -> None:
    """Record once for each token still waiting that its turn is near."""
    for token_id, place in command.places:
        token = session.tokens.get(token_id)
        if token and token.department_id == session.id and token.state is TokenState.WAITING and not token.is_near_told:
            session.log_near_turn(replace(token, is_near_told=True), place)


def check_claim(token: Token, claim_version: int | None) -> None:
    """Refuse a command made on an outdated view of the token. Raises Refused (``stale_claim``)."""
    if claim_version is not None and claim_version != token.claim_version:
        raise refuse(TokenReason.CALLED_SINCE, {"claimVersion": token.claim_version}, number=token.display)


def check_table(token: Token, verb: Verb) -> None:
    """Refuse a move that the table of verbs does not allow. Raises Refused (``wrong_state``)."""
    if token.state in VERBS[verb].sources:
        return
    state = str(token.state)
    allowed = [str(other) for other in verbs_from(token.state)]
    reason = TokenReason.WRONG_STATE if allowed else TokenReason.FINAL_STATE
    raise refuse(reason, {"state": state}, number=token.display, state=state, verb=str(verb), allowed=allowed)


def put_back(session: DepartmentSession, token: Token, to: RequeuePosition) -> Token:
    """Return the token waiting at a position of its class, as it would stand if it had waited since its arrival."""
    first = session.first_place(token.priority)
    place, since = token.original_place, token.issued_at
    if to is RequeuePosition.LAST:
        place, since = session.last_place, session.now
    elif to is RequeuePosition.FIRST and first is not None:
        place = min(first - 1, place)
    return replace(token, state=TokenState.WAITING, counter_id=None, place=place, waiting_since=since, started_at=None)


def _is_done(token: Token, verb: Verb) -> bool:
    """Whether the verb's final state is already reached. WAITING and CALLED have several causes and do not count."""
    target = VERBS[verb].target
    return token.state is target and target not in (TokenState.WAITING, TokenState.CALLED)


def _recall(session: DepartmentSession, token: Token, _: MoveToken) -> tuple[Token, Data]:
    rules = session.department.rules
    if rules.max_calls and token.calls >= rules.max_calls:
        raise refuse(TokenReason.TOO_MANY_CALLS, number=token.display, calls=token.calls, department=session.id)
    _check_pause(session, token, rules.recall_cooldown_seconds, TokenReason.RECALL_TOO_EARLY)
    calls = token.calls + 1
    return replace(token, calls=calls, last_call_at=session.now), {"call": calls}


def _start(session: DepartmentSession, token: Token, _: MoveToken) -> tuple[Token, Data]:
    return replace(token, state=TokenState.SERVING, started_at=session.now), {}


def _serve(session: DepartmentSession, token: Token, _: MoveToken) -> tuple[Token, Data]:
    started = token.started_at or token.called_at
    return replace(token, state=TokenState.SERVED, served_at=session.now, started_at=started), {}


def _no_show(session: DepartmentSession, token: Token, _: MoveToken) -> tuple[Token, Data]:
    rules = session.department.rules
    if token.calls < rules.min_calls:
        raise refuse(TokenReason.TOO_FEW_CALLS, number=token.display, calls=token.calls, required=rules.min_calls)
    _check_pause(session, token, rules.no_show_grace_seconds, TokenReason.NO_SHOW_TOO_EARLY)
    return replace(token, state=TokenState.NO_SHOW), {}


def _requeue(session: DepartmentSession, token: Token, command: MoveToken) -> tuple[Token, Data]:
    return put_back(session, token, command.position), {"position": str(command.position)}


def _park(session: DepartmentSession, token: Token, command: MoveToken) -> tuple[Token, Data]:
    if command.until is not None and command.until <= session.now:
        raise refuse(TokenReason.PAST_TIME)
    until = command.until.isoformat(timespec="seconds") if command.until else None
    parked = replace(
        token,
        state=TokenState.PARKED,
        counter_id=None,
        parked_at=session.now,
        parked_until=command.until,
        started_at=None,
    )
    return parked, {"until": until}


def _resume(session: DepartmentSession, token: Token, _: MoveToken) -> tuple[Token, Data]:
    return _back_in_line(session, token), {}


def _cancel(_: DepartmentSession, token: Token, _command: MoveToken) -> tuple[Token, Data]:
    return replace(token, state=TokenState.CANCELLED), {"state": str(token.state)}


def _reinstate(session: DepartmentSession, token: Token, command: MoveToken) -> tuple[Token, Data]:
    if token.last_day < session.head.day:
        raise refuse(TokenReason.OTHER_DAY, {"state": str(token.state)}, number=token.display)
    if live := session.live_token_of(token.user_id):
        raise already_waiting(live)
    back = replace(put_back(session, token, command.position), calls=0, called_at=None, reason=None, ended_on=None)
    if token.state is TokenState.EXPIRED:
        # Between the days nobody waited; a night's wait would pass urgent customers.
        back = replace(back, waiting_since=session.now)
    return back, {"position": str(command.position)}


def _priority(_: DepartmentSession, token: Token, command: MoveToken) -> tuple[Token, Data]:
    if command.priority is token.priority:
        raise refuse(TokenReason.SAME_PRIORITY, number=token.display, priority=str(token.priority))
    changed = replace(token, priority=command.priority, place=token.original_place)
    return changed, {"from": str(token.priority), "to": str(command.priority)}


_MOVING: dict[Verb, Callable[[DepartmentSession, Token, MoveToken], tuple[Token, Data]]] = {
    Verb.RECALL: _recall,
    Verb.START: _start,
    Verb.SERVE: _serve,
    Verb.NO_SHOW: _no_show,
    Verb.REQUEUE: _requeue,
    Verb.PARK: _park,
    Verb.RESUME: _resume,
    Verb.CANCEL: _cancel,
    Verb.REINSTATE: _reinstate,
    Verb.PRIORITY: _priority,
}


def _back_in_line(session: DepartmentSession, token: Token) -> Token:
    """Return the token at its original place; the time parked does not count as waiting."""
    away = session.now - (token.parked_at or session.now)
    return replace(
        token,
        state=TokenState.WAITING,
        place=token.original_place,
        waiting_since=token.waiting_since + away,
        parked_at=None,
        parked_until=None,
    )


def _check_pause(session: DepartmentSession, token: Token, seconds: int, reason: TokenReason) -> None:
    since = session.now - (token.last_call_at or session.now)
    left = timedelta(seconds=seconds) - since
    if left > timedelta():
        wait = ceil(left.total_seconds())
        raise refuse(reason, {"retryAfter": wait}, number=token.display, seconds=wait)
