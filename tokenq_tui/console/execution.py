"""Carry out one action on the server, once: all attempts of a pending action use the same idempotency key."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from textual.message import Message

from tokenq.contract import notices
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.actions import ConsoleAction
from tokenq_tui.console.errors import failure
from tokenq_tui.console.messages import Done
from tokenq_tui.console.parking import parking
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import ApiPort


@dataclass(frozen=True)
class PendingAction:
    """An action with its context: the state it was started in, its token, and what the user answered.

    ``candidates`` are the tokens to choose from, ``queues`` the departments' queues, if the dialog shows them.
    """

    action: ConsoleAction
    state: State
    token: TokenView | None = None
    answer: str = ""
    note: str = ""
    candidates: tuple[TokenView, ...] = ()
    queues: Mapping[str, QueueView] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The action as named in a sentence."""
        return f"'{self.action.label}'" + (f" of {self.token['displayNumber']}" if self.token else "")


def carry_out(
    pending: PendingAction, api: ApiPort, notify: Callable[[Message], object], refresh: Callable[[str], object]
) -> None:
    """Carry the action out, report its result and refresh the changed queue.

    A token of a department that is not shown changes nothing in the shown one but the counter, so that is refreshed.

    After a failure, the screen refreshes all queues.
    """
    try:
        notify(_execute(pending, api))
    except BaseException as error:  # report anything before doing anything else
        notify(failure(pending.description, error, changes=True))
    else:
        department = pending.token["departmentId"] if pending.token else pending.state.selected
        refresh(department)
        if department in pending.state.beyond:
            refresh(pending.state.selected)


def unanswered(pending: PendingAction) -> str:
    """Return the message for a user who quits before the server has answered."""
    department = pending.token["departmentId"] if pending.token else pending.state.selected
    check = f"Check with: tokenq queue {department}"
    return f"The server did not answer {pending.description}: it may have been carried out. {check}"


def needs_lookup(action: ConsoleAction) -> bool:
    """Return whether the dialog of an action needs data that must be fetched first."""
    return action.verb in ("reinstate", "transfer")


def look_up(pending: PendingAction, api: ApiPort) -> PendingAction:
    """Add the data that the dialog shows; raises whatever the API raises."""
    if pending.action.verb == "transfer" and pending.token:
        return replace(pending, queues=_queues(pending.state, pending.token, api))
    sources = sorted(map(str, VERBS[Verb.REINSTATE].sources))
    tokens = api.tokens(department=pending.state.selected, state=sources, limit=50)["items"]
    today = date.fromisoformat(pending.state.queue["businessDay"]) if pending.state.queue else date.max
    return replace(pending, candidates=tuple(token for token in tokens if _may_return(token, today)))


def _may_return(token: TokenView, today: date) -> bool:
    """Whether the server would reinstate it today."""
    return date.fromisoformat(token.get("returnsUntil") or token["businessDay"]) >= today


def _queues(state: State, token: TokenView, api: ApiPort) -> dict[str, QueueView]:
    """Return the queues to which the token can be sent, except those the user may not see."""
    queues = dict(state.queues)
    for department in state.destinations(token):
        if department.department_id not in queues:
            with suppress(Refused):
                queues[department.department_id] = api.queue(department.department_id)
    return queues


def _execute(pending: PendingAction, api: ApiPort) -> Done:
    state, key = pending.state, str(uuid.uuid4())
    if pending.action.name in ("pause", "open"):
        return _pause_or_open(pending, api)
    if pending.action.verb and pending.token is not None:
        token = _move(pending, pending.token, api, key)
        params = {
            "number": token["displayNumber"],
            "department": token["departmentId"],
            "state": token["state"].lower(),
        }
        return Done(
            VERBS[Verb(pending.action.verb)].past.format(priority=token["priority"], **params),
            token,
            pending.action.verb,
            notices.also_waiting(token),
        )
    if pending.action.name == "serve_next":
        token = api.serve_next(state.selected, state.counter, key=key)
        return Done(f"{token['displayNumber']} is served.", token, "serve", notices.also_at(token))
    if pending.action.name == "call_any":
        token = api.call_at_counter(_branch(state), state.counter, key=key)
    else:
        token_id = pending.token["tokenId"] if pending.token else None
        token = api.call(state.selected, state.counter, token_id=token_id, reason=pending.answer or None, key=key)
    return Done(
        f"{token['displayNumber']} is called to counter {state.counter}.", token, "call", notices.also_at(token)
    )


def _move(pending: PendingAction, token: TokenView, api: ApiPort, key: str) -> TokenView:
    if pending.action.verb == Verb.EDIT:
        # Without a text the server refuses; removing is for the command line, not for a key pressed too early.
        return api.edit_token(token["tokenId"], **{pending.answer: pending.note.strip() or None}, key=key)
    return api.move(token, pending.action.verb, key=key, **_body(pending))


def _pause_or_open(pending: PendingAction, api: ApiPort) -> Done:
    state = pending.state
    if pending.action.name == "pause":
        view = api.pause_counter(_branch(state), state.counter, pending.answer or None)
        return Done(f"Counter {state.counter} is paused.", warnings=notices.unserved(view))
    api.open_counter(_branch(state), state.counter)
    return Done(f"Counter {state.counter} is open.")


def _body(pending: PendingAction) -> dict[str, Any]:
    """The request fields of a move besides the token."""
    answer = pending.answer.strip()
    match pending.action.verb:
        case "transfer":
            return {"to": answer, "reason": pending.note.strip() or None}
        case "priority":
            return {"priority": answer}
        case "park":
            return parking(answer, pending.state.zone)
        case _:
            return {}


def _branch(state: State) -> str:
    return state.queue["branchId"] if state.queue else MAIN_BRANCH
