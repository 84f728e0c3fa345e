"""Undo: a compensating event reverses a token's last move; nothing is deleted."""

from collections.abc import Mapping
from typing import Any

from tokenq.contract.enums import LIVE
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import UndoMove
from tokenq_server.domain.counters import busy
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.moving import check_claim
from tokenq_server.domain.refusals import already_waiting, moved_on
from tokenq_server.domain.token import Token, Undo, before_undo


def undo(sessions: Mapping[str, DepartmentSession], command: UndoMove) -> Token:
    """Undo the last move: restore the token's previous state, place and counter.

    An undone call still counts in the interleaving of the classes. Corrections of name and address stay.

    Raises:
        Refused: ``unknown_token``, ``stale_claim``, ``nothing_to_undo``; ``counter_busy`` or ``already_waiting`` if the
            counter, or the user, has another token by now.
    """
    session = sessions[command.department_id]
    token = session.token(command.token_id)
    check_claim(token, command.claim_version)
    last = _last_move(session, token)
    before = before_undo(token, last)
    home = sessions.get(before.department_id)
    if home is None:
        raise moved_on(token)
    _check_room(home, token, before)
    data: dict[str, Any] = {"undone": last.verb, "state": str(before.state)}
    event = VERBS[Verb.UNDO].event
    if home is session:
        return session.apply(token, before, event, command.caller.actor, data)
    return session.hand_over_to(
        token, before, home, event, command.caller.actor, data | {"from": session.id, "to": home.id}
    )


def _last_move(session: DepartmentSession, token: Token) -> Undo:
    if token.undo is None:
        raise refuse(TokenReason.NO_MOVE, number=token.display)
    if token.undo.until <= session.now:
        minutes = session.department.rules.undo_minutes
        raise refuse(TokenReason.UNDO_TOO_LATE, number=token.display, minutes=minutes)
    return token.undo


def _check_room(home: DepartmentSession, token: Token, before: Token) -> None:
    if before.is_at_counter and before.counter_id:
        held = home.counters.held(before.branch_id, before.counter_id)
        if held and held.token_id != token.token_id:
            raise busy(before.counter_id, held)
    live = home.live_token_of(token.user_id)
    if before.state in LIVE and live and live.token_id != token.token_id:
        raise already_waiting(live)
