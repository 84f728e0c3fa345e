"""Carry out one action on the server, once: all attempts of a pending action use the same idempotency key."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

from textual.message import Message

from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import QueueView, TokenView
from tokenq.locale import notices, texts
from tokenq.locale.words import class_word, state_word
from tokenq_tui.console.actions import ConsoleAction
from tokenq_tui.console.api_port import ApiPort
from tokenq_tui.console.errors import failure
from tokenq_tui.console.messages import Done
from tokenq_tui.console.own_changes import OwnChange, counter_change, token_change
from tokenq_tui.console.parking import parking
from tokenq_tui.console.several import for_each
from tokenq_tui.console.state import State


@dataclass(frozen=True)
class PendingAction:
    """An action with its context: the state it was started in, its token, and what the user answered.

    ``tokens`` are those that it is carried out on, if they are several. ``candidates`` are the tokens to choose from,
    ``queues`` the departments' queues, if the dialog shows them.
    """

    action: ConsoleAction
    state: State
    token: TokenView | None = None
    answer: str = ""
    note: str = ""
    tokens: tuple[TokenView, ...] = ()
    candidates: tuple[TokenView, ...] = ()
    queues: Mapping[str, QueueView] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The action as named in a sentence."""
        action, said = self.action.shown_label, texts()
        if self.tokens:
            return said.ngettext(
                "'{action}' of {number} customer",
                "'{action}' of {number} customers",
                len(self.tokens),
                action=action,
            )
        if self.token:
            return said.gettext("'{action}' of {number}", action=action, number=self.token["displayNumber"])
        return f"'{action}'"


class Refresh(Protocol):
    """Fetches queues, of :class:`tokenq_tui.console.tail.Tail`."""

    def __call__(self, *departments: str, after: OwnChange | None = None) -> object:
        """Fetch these queues, unless what was fetched last already shows the change ``after`` which they are needed."""


def carry_out(pending: PendingAction, api: ApiPort, notify: Callable[[Message], object], refresh: Refresh) -> None:
    """Carry the action out, report its result and refresh the changed queue.

    A token of a department that is not shown changes nothing in the shown one but the counter, so that is refreshed.

    After a failure, the screen refreshes all queues.
    """
    began, state = time.monotonic(), pending.state
    try:
        done = _execute(pending, api)
        notify(done)
    except BaseException as error:  # report anything before doing anything else
        notify(failure(pending.description, error, changes=True, keys=state.keys))
    else:
        department = pending.token["departmentId"] if pending.token else state.selected
        if done.token:
            refresh(department, after=token_change(began, done.token))
        elif pending.tokens:
            refresh(department)
        else:
            is_shut = pending.action.name == "pause"
            refresh(department, after=counter_change(began, state.counter, is_shut=is_shut))
        if department in state.beyond:
            refresh(state.selected)


def unanswered(pending: PendingAction) -> str:
    """Return the message for a user who quits before the server has answered."""
    department = pending.token["departmentId"] if pending.token else pending.state.selected
    return texts().gettext(
        "The server did not answer {action}: it may have been carried out. Check with: tokenq queue {department}",
        action=pending.description,
        department=department,
    )


def needs_lookup(action: ConsoleAction) -> bool:
    """Return whether the dialog of an action needs data that must be fetched first."""
    return action.verb in ("reinstate", "transfer")


def look_up(pending: PendingAction, api: ApiPort) -> PendingAction:
    """Add the data that the dialog shows; raises whatever the API raises."""
    moved = pending.token or next(iter(pending.tokens), None)
    if pending.action.verb == "transfer" and moved:
        return replace(pending, queues=_queues(pending.state, moved, api))
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
    state, key, said = pending.state, str(uuid.uuid4()), texts()
    if pending.tokens:
        return for_each(
            pending.tokens, pending.action.verb, lambda token: _move(pending, token, api, str(uuid.uuid4()))
        )
    if pending.action.name in ("pause", "open"):
        return _pause_or_open(pending, api)
    if pending.action.verb and pending.token is not None:
        token = _move(pending, pending.token, api, key)
        return Done(_past(pending, token), token, pending.action.verb, notices.also_waiting(token, said))
    if pending.action.name == "serve_next":
        token = api.serve_next(state.selected, state.counter, key=key)
        served = said.gettext(VERBS[Verb.SERVE].past, number=token["displayNumber"])
        return Done(served, token, "serve", notices.also_at(token, said))
    if pending.action.name == "call_any":
        token = api.call_at_counter(_branch(state), state.counter, key=key)
    else:
        token_id = pending.token["tokenId"] if pending.token else None
        token = api.call(state.selected, state.counter, token_id=token_id, reason=pending.answer or None, key=key)
    called = said.gettext(VERBS[Verb.CALL].past, number=token["displayNumber"], counter=state.counter)
    return Done(called, token, "call", notices.also_at(token, said))


def _past(pending: PendingAction, token: TokenView) -> str:
    """Return what was done."""
    names = pending.state.queue["classNames"] if pending.state.queue else {}
    said = texts()
    return said.gettext(
        VERBS[Verb(pending.action.verb)].past,
        number=token["displayNumber"],
        department=token["departmentId"],
        state=state_word(token["state"], said),
        priority=class_word(token["priority"], names, said),
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
        paused = texts().gettext("Counter {counter} is paused.", counter=state.counter)
        return Done(paused, warnings=notices.unserved(view, texts()))
    api.open_counter(_branch(state), state.counter)
    return Done(texts().gettext("Counter {counter} is open.", counter=state.counter))


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
