"""One action carried out at the server, once: each attempt of the same pending has the same idempotency key."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from textual.message import Message

from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.actions import ConsoleAction
from tokenq_tui.console.errors import answer
from tokenq_tui.console.messages import Done
from tokenq_tui.console.parking import parking
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import ApiPort


@dataclass(frozen=True)
class PendingAction:
    """An action with all it needs: the state it was made in, the token it is about, and what was answered.

    ``candidates`` are the tokens to choose one from, and ``queues`` those of the departments, where that is asked.
    """

    action: ConsoleAction
    state: State
    token: TokenView | None = None
    answer: str = ""
    note: str = ""
    candidates: tuple[TokenView, ...] = ()
    queues: Mapping[str, QueueView] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What is wanted, as a sentence names it."""
        return f"'{self.action.label}'" + (f" of {self.token['displayNumber']}" if self.token else "")


def carry_out(
    pending: PendingAction, api: ApiPort, tell: Callable[[Message], object], refresh: Callable[[str], object]
) -> None:
    """Do it, tell what came of it, and have the queue fetched that it changed, so that nobody looks at an old one.

    After trouble the screen has all of them fetched.
    """
    try:
        tell(_do(pending, api))
    except BaseException as error:  # whatever it is, the person is told before anything else is tried
        tell(answer(pending.told, error, changes=True))
    else:
        refresh(pending.token["departmentId"] if pending.token else pending.state.selected)


def unanswered(pending: PendingAction) -> str:
    """What to tell somebody who leaves before the server has answered."""
    department = pending.token["departmentId"] if pending.token else pending.state.selected
    look = f"Look at it: tokenq queue {department}"
    return f"The server did not answer {pending.told}: it may have been carried out. {look}"


def needs_looking_up(wanted: ConsoleAction) -> bool:
    """Whether something must be fetched before the person can be asked."""
    return wanted.verb in ("reinstate", "transfer")


def looked_up(pending: PendingAction, api: ApiPort) -> PendingAction:
    """The pending with what the question about it shows; raises whatever the api raises."""
    if pending.action.verb == "transfer" and pending.token:
        return replace(pending, queues=_queues(pending.state, pending.token, api))
    day = pending.state.queue["businessDay"] if pending.state.queue else ""
    found = api.tokens(department=pending.state.selected, state=["NO_SHOW", "CANCELLED"], limit=50)["items"]
    return replace(pending, candidates=tuple(one for one in found if one["businessDay"] == day))


def _queues(state: State, token: TokenView, api: ApiPort) -> dict[str, QueueView]:
    """The queues to which the token could be sent; one that cannot be seen is left out."""
    found = dict(state.queues)
    for department in state.destinations(token):
        if department.department_id not in found:
            with suppress(Refused):
                found[department.department_id] = api.queue(department.department_id)
    return found


def _do(pending: PendingAction, api: ApiPort) -> Done:
    state, key = pending.state, str(uuid.uuid4())
    if pending.action.name in ("pause", "open"):
        return Done(_staff(pending, api))
    if pending.action.verb and pending.token is not None:
        token = api.move(pending.token, pending.action.verb, key=key, **_body(pending))
        said = {"number": token["displayNumber"], "department": token["departmentId"], "state": token["state"].lower()}
        return Done(
            VERBS[Verb(pending.action.verb)].past.format(priority=token["priority"], **said),
            token,
            pending.action.verb,
        )
    if pending.action.name == "serve_next":
        token = api.serve_next(state.selected, state.counter, key=key)
        return Done(f"{token['displayNumber']} is served.", token, "serve")
    if pending.action.name == "call_any":
        token = api.call_at_counter(_branch(state), state.counter, key=key)
    else:
        token_id = pending.token["tokenId"] if pending.token else None
        token = api.call(state.selected, state.counter, token_id=token_id, reason=pending.answer or None, key=key)
    return Done(f"{token['displayNumber']} is called to {state.counter}.", token, "call")


def _staff(pending: PendingAction, api: ApiPort) -> str:
    state = pending.state
    if pending.action.name == "pause":
        api.pause_counter(_branch(state), state.counter, pending.answer or None)
        return f"Counter {state.counter} is paused."
    api.open_counter(_branch(state), state.counter)
    return f"Counter {state.counter} is open."


def _body(pending: PendingAction) -> dict[str, Any]:
    """What a move says beyond the token."""
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
    return state.queue["branchId"] if state.queue else "main"
