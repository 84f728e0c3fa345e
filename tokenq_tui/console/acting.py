"""One intent carried out at the server, once: each attempt of the same wish has the same idempotency key."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from tokenq.contract.problems import Refused
from tokenq.contract.views import TokenView
from tokenq.errors import TokenqError
from tokenq_tui.console.intents import Intent
from tokenq_tui.console.messages import Done, QueueArrived, Trouble
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import Desk

_PAST = {
    "recall": "{number} is called again.",
    "start": "{number} is being served.",
    "serve": "{number} is served.",
    "no-show": "{number} did not come.",
    "requeue": "{number} is back in line.",
    "cancel": "{number} is cancelled.",
}


@dataclass(frozen=True)
class Wish:
    """An intent with all it needs: the state it was made in, and the token it is about."""

    intent: Intent
    state: State
    token: TokenView | None = None
    reason: str = ""


def carry_out(wish: Wish, desk: Desk, tell: Callable[[Message], object]) -> None:
    """Do it, tell what came of it, and fetch the queue it changed, so that nobody looks at an old one."""
    department = wish.token["departmentId"] if wish.token else wish.state.selected
    try:
        tell(Done(_do(wish, desk)))
    except Refused as refusal:
        tell(Trouble(refusal.problem.detail, refusal.problem.hint))
    except TokenqError as error:
        tell(Trouble(str(error), error.hint))
    try:
        tell(QueueArrived(desk.queue(department)))
    except (Refused, TokenqError):
        # The tail fetches it too and says on the badge if it cannot.
        return


def _do(wish: Wish, desk: Desk) -> str:
    state, key = wish.state, str(uuid.uuid4())
    if wish.intent.verb and wish.token is not None:
        desk.move(wish.token, wish.intent.verb, key=key)
        return _PAST[wish.intent.verb].format(number=wish.token["displayNumber"])
    if wish.intent.name == "serve_next":
        token = desk.serve_next(state.selected, state.counter, key=key)
        return f"{token['displayNumber']} is served."
    token_id = wish.token["tokenId"] if wish.token else None
    token = desk.call(state.selected, state.counter, token_id=token_id, reason=wish.reason or None, key=key)
    return f"{token['displayNumber']} is called to {state.counter}."
