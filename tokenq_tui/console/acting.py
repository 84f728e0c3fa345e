"""One intent carried out at the server, once: each attempt of the same wish has the same idempotency key."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from textual.message import Message

from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.faults import answer
from tokenq_tui.console.intents import Intent
from tokenq_tui.console.messages import Done
from tokenq_tui.console.parking import parking
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import Desk


@dataclass(frozen=True)
class Wish:
    """An intent with all it needs: the state it was made in, the token it is about, and what was answered.

    ``candidates`` are the tokens to choose one from, and ``queues`` those of the departments, where that is asked.
    """

    intent: Intent
    state: State
    token: TokenView | None = None
    answer: str = ""
    note: str = ""
    candidates: tuple[TokenView, ...] = ()
    queues: Mapping[str, QueueView] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What is wanted, as a sentence names it."""
        return f"'{self.intent.label}'" + (f" of {self.token['displayNumber']}" if self.token else "")


def carry_out(wish: Wish, desk: Desk, tell: Callable[[Message], object], refresh: Callable[[str], object]) -> None:
    """Do it, tell what came of it, and have the queue fetched that it changed, so that nobody looks at an old one.

    After trouble the screen has all of them fetched.
    """
    try:
        tell(_do(wish, desk))
    except BaseException as error:  # whatever it is, the person is told before anything else is tried
        tell(answer(wish.told, error, changes=True))
    else:
        refresh(wish.token["departmentId"] if wish.token else wish.state.selected)


def unanswered(wish: Wish) -> str:
    """What to tell somebody who leaves before the server has answered."""
    department = wish.token["departmentId"] if wish.token else wish.state.selected
    look = f"Look at it: tokenq queue {department}"
    return f"The server did not answer {wish.told}: it may have been carried out. {look}"


def needs_looking_up(wanted: Intent) -> bool:
    """Whether something must be fetched before the person can be asked."""
    return wanted.verb in ("reinstate", "transfer")


def looked_up(wish: Wish, desk: Desk) -> Wish:
    """The wish with what the question about it shows; raises whatever the desk raises."""
    if wish.intent.verb == "transfer" and wish.token:
        return replace(wish, queues=_queues(wish.state, wish.token, desk))
    day = wish.state.queue["businessDay"] if wish.state.queue else ""
    found = desk.tokens(department=wish.state.selected, state=["NO_SHOW", "CANCELLED"], limit=50)["items"]
    return replace(wish, candidates=tuple(one for one in found if one["businessDay"] == day))


def _queues(state: State, token: TokenView, desk: Desk) -> dict[str, QueueView]:
    """The queues to which the token could be sent; one that cannot be seen is left out."""
    found = dict(state.queues)
    for department in state.destinations(token):
        if department.department_id not in found:
            with suppress(Refused):
                found[department.department_id] = desk.queue(department.department_id)
    return found


def _do(wish: Wish, desk: Desk) -> Done:
    state, key = wish.state, str(uuid.uuid4())
    if wish.intent.name in ("pause", "open"):
        return Done(_staff(wish, desk))
    if wish.intent.verb and wish.token is not None:
        token = desk.move(wish.token, wish.intent.verb, key=key, **_body(wish))
        said = {"number": token["displayNumber"], "department": token["departmentId"], "state": token["state"].lower()}
        return Done(
            VERBS[Verb(wish.intent.verb)].past.format(priority=token["priority"], **said), token, wish.intent.verb
        )
    if wish.intent.name == "serve_next":
        token = desk.serve_next(state.selected, state.counter, key=key)
        return Done(f"{token['displayNumber']} is served.", token, "serve")
    if wish.intent.name == "call_any":
        token = desk.call_at_counter(_branch(state), state.counter, key=key)
    else:
        token_id = wish.token["tokenId"] if wish.token else None
        token = desk.call(state.selected, state.counter, token_id=token_id, reason=wish.answer or None, key=key)
    return Done(f"{token['displayNumber']} is called to {state.counter}.", token, "call")


def _staff(wish: Wish, desk: Desk) -> str:
    state = wish.state
    if wish.intent.name == "pause":
        desk.pause_counter(_branch(state), state.counter, wish.answer or None)
        return f"Counter {state.counter} is paused."
    desk.open_counter(_branch(state), state.counter)
    return f"Counter {state.counter} is open."


def _body(wish: Wish) -> dict[str, Any]:
    """What a move says beyond the token."""
    answer = wish.answer.strip()
    match wish.intent.verb:
        case "transfer":
            return {"to": answer, "reason": wish.note.strip() or None}
        case "priority":
            return {"priority": answer}
        case "park":
            return parking(answer, wish.state.zone)
        case _:
            return {}


def _branch(state: State) -> str:
    return state.queue["branchId"] if state.queue else "main"
