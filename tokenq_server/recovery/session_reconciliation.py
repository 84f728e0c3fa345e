"""Reconcile the sessions with the lost events, in memory.

Missing tokens are recreated, tokens that had reached a final state get it again, and readers that show a token in
another state receive its current one.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from tokenq.contract.enums import LIVE, Priority, TokenState
from tokenq.contract.events import Event
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token
from tokenq_server.recovery.token_history import TokenHistory


@dataclass
class Reconciled:
    """What was done, by display number, for operators."""

    waiting_again: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    told_again: list[str] = field(default_factory=list)
    not_restored: list[str] = field(default_factory=list)


def reconcile_floors(
    sessions: Mapping[str, DepartmentSession],
    tokens: Mapping[int, Token],
    lost: Mapping[int, TokenHistory],
    overwritten: Mapping[str, Collection[int]],
    taken: Collection[tuple[str, int]],
) -> Reconciled:
    """Change the sessions so that no number is lost and readers see the current state.

    ``overwritten`` names, per department that continued after the restore, the tokens whose events readers will drop;
    what staff did there since then is kept. ``taken`` are numbers used today, by department.
    """
    done = Reconciled()
    for token_id, history in sorted(lost.items()):
        if token := tokens.get(token_id):
            _reconcile_token(sessions, token, history, overwritten, done)
        else:
            _recreate(sessions, token_id, history, taken, done)
    for name, token_ids in overwritten.items():
        for token_id in token_ids:
            token = tokens.get(token_id)
            if token is not None and token_id not in lost and token.department_id == name:
                sessions[name].log_state(token)
                done.told_again.append(token.display)
    return done


def _reconcile_token(
    sessions: Mapping[str, DepartmentSession],
    token: Token,
    history: TokenHistory,
    overwritten: Mapping[str, Collection[int]],
    done: Reconciled,
) -> None:
    home = sessions.get(token.department_id)
    # A console may hold a claim from the lost period: it must not match a later call of this token.
    fenced = replace(token, claim_version=token.claim_version + history.events)
    end = history.end
    if home and history.born is None and end is not None and token.state in LIVE and home.id not in overwritten:
        served_at = history.last.timestamp if end is TokenState.SERVED else None
        ended = replace(fenced, state=end, counter_id=None, parked_until=None, served_at=served_at, undo=None)
        home.replace_unlogged(token, ended)
        done.ended.append(token.display)
        return
    if home:
        home.replace_unlogged(token, fenced)
    is_logged = _log_elsewhere(sessions, fenced, history)
    # With an issue event the id was reused after the restore: it belongs to another token, whatever the states.
    if home and (history.born or history.shown.get(home.id, token.state) is not token.state):
        home.log_state(fenced)
        is_logged = True
    if history.born:
        done.not_restored.append(history.born.display_number)
    elif is_logged:
        done.told_again.append(token.display)


def _log_elsewhere(sessions: Mapping[str, DepartmentSession], token: Token, history: TokenHistory) -> bool:
    """Log the token for readers that show it in the wrong department; return whether there are any."""
    wrong = [name for name, shown in history.shown.items() if shown is not None and name != token.department_id]
    stale = [sessions[name] for name in wrong if name in sessions]
    for session in stale:
        session.log_state(token)
    return bool(stale)


def _recreate(
    sessions: Mapping[str, DepartmentSession],
    token_id: int,
    history: TokenHistory,
    taken: Collection[tuple[str, int]],
    done: Reconciled,
) -> None:
    born = history.born
    home = sessions.get(born.department_id) if born else None
    if born is None or home is None:
        done.not_restored.append(history.last.display_number)
        return
    day = _day_of(born)
    is_kept = home.department.rules.keeps_waiting and history.end is None
    if day is None or (day != home.head.day and not is_kept):
        return  # the day is over: tokens still waiting then have expired
    is_taken = day == home.head.day and (home.id, born.token_no) in taken
    if is_taken or (history.end is None and home.live_token_of(born.user_id)):
        done.not_restored.append(born.display_number)
        return
    token = _token(token_id, born, day, history, home)
    home.restore(token)
    (done.waiting_again if token.state is TokenState.WAITING else done.ended).append(token.display)
    _log_elsewhere(sessions, token, history)


def _day_of(event: Event) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(event.business_day)
    return None


def _token(token_id: int, born: Event, day: date, history: TokenHistory, home: DepartmentSession) -> Token:
    state = history.end or TokenState.WAITING
    return Token(
        token_id=token_id,
        department_id=home.id,
        branch_id=home.department.branch_id,
        day=day,
        number=born.token_no,
        display=born.display_number,
        state=state,
        priority=_priority(history.last.priority),
        # The seq of its first event was its sort key: earlier tokens still go first.
        place=born.seq,
        original_place=born.seq,
        issued_at=born.timestamp,
        waiting_since=born.timestamp,
        user_id=born.user_id,
        email=born.email,
        claim_version=history.events,
        served_at=history.last.timestamp if state is TokenState.SERVED else None,
        issued_in=home.id,
        near_turn=home.department.rules.near_turn if born.email else 0,
        is_near_told=history.is_near_told,
        language=language if isinstance(language := born.data.get("language"), str) else None,
    )


def _priority(word: str) -> Priority:
    return Priority(word) if word in set(map(str, Priority)) else Priority.NORMAL
