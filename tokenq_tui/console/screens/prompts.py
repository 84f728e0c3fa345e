"""What is asked before an action is carried out, and what the answer makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from textual.screen import ModalScreen

from tokenq.contract.enums import Priority
from tokenq.contract.views import QueueView, TokenView
from tokenq.printable import printable
from tokenq_tui.console.execution import PendingAction
from tokenq_tui.console.parking import parking
from tokenq_tui.console.screens.dialogs import NOTE_LENGTH, AskText, Check, Choice, Choose, Confirm, nothing_wrong
from tokenq_tui.console.state import State, expected_wait, parked_until

_UNDOES = {
    "call": "Take the call of {number} back, into the line?",
    "start": "Take back that {number} is being served?",
    "serve": "Take back that {number} was served?",
    "no-show": "Take back that {number} did not come?",
    "requeue": "Take back that {number} went back into the line?",
    "cancel": "Take back that {number} was cancelled?",
    "park": "Take back that {number} was parked?",
    "resume": "Take back that {number} was let back into the line?",
    "transfer": "Take back that {number} was sent to {department}?",
    "priority": "Take back the change of class of {number}?",
    "reinstate": "Take back that {number} came back into the line?",
    "": "Take back what was done last with {number}?",
}

_ROOM = 50

Answered = Callable[[Any], PendingAction | None]
"""The pending that an answer makes; ``None`` when the person would rather not."""


def question(pending: PendingAction) -> tuple[ModalScreen[Any], Answered] | None:
    """The screen to ask with and what to do with its answer; ``None`` when nothing is to be asked."""
    name, state, token = pending.action.name, pending.state, pending.token
    if name == "call_row" and token is not None and token != state.next_up:
        return _text(
            pending,
            f"Why {token['displayNumber']} before the others?",
            "Enter calls, Esc does not. The reason is kept.",
        )
    if name == "park" and token is not None:
        hint = "Until when and why: 15 copies, or 14:30 X-ray. Enter alone: until somebody resumes them."
        check = partial(_no_parking, state.zone)
        return _text(pending, f"Park {token['displayNumber']}?", hint, may_be_empty=True, check=check)
    if name == "pause":
        return _text(pending, "Why do you pause?", "Enter alone gives no reason.", may_be_empty=True)
    if name in ("transfer", "transfer_row") and token is not None:
        asked = f"Send {token['displayNumber']} to …"
        return _choice(pending, asked, _destinations(pending, token), note="Why? (may stay empty)")
    if name == "class_row" and token is not None:
        return _choice(pending, f"Which class for {token['displayNumber']}?", _classes(state, token))
    if name == "resume":
        return _token(
            pending, "Who is back?", state.queue["parked"] if state.queue else (), partial(_parked, state.zone)
        )
    if name == "reinstate":
        return _token(pending, "Who comes back into the line?", pending.candidates, _missed)
    if name == "undo" and token is not None:
        return Confirm(_undoing(state, token), pending.action.key), _if_sure(pending)
    if pending.action.doubt and token is not None:
        return Confirm(pending.action.doubt.format(number=token["displayNumber"]), pending.action.key), _if_sure(
            pending
        )
    return None


def _text(
    pending: PendingAction, asked: str, hint: str, *, may_be_empty: bool = False, check: Check = nothing_wrong
) -> tuple[ModalScreen[Any], Answered]:
    def answered(text: str | None) -> PendingAction | None:
        return None if text is None else replace(pending, answer=text)

    return AskText(asked, hint, longest=NOTE_LENGTH, may_be_empty=may_be_empty, check=check), answered


def _no_parking(zone: str, typed: str) -> str:
    """What is wrong with an answer to the question until when."""
    try:
        parking(typed, zone)
    except ValueError as error:
        return str(error)
    return ""


def _choice(
    pending: PendingAction, asked: str, options: Iterable[tuple[str, str]], *, note: str = ""
) -> tuple[ModalScreen[Any], Answered]:
    def answered(chosen: Choice | None) -> PendingAction | None:
        return None if chosen is None else replace(pending, answer=chosen.key, note=chosen.note)

    return Choose(asked, list(options), note=note), answered


def _token(
    pending: PendingAction, asked: str, tokens: Iterable[TokenView], told: Callable[[TokenView], str]
) -> tuple[ModalScreen[Any], Answered]:
    known = {str(token["tokenId"]): token for token in tokens}

    def answered(chosen: Choice | None) -> PendingAction | None:
        return None if chosen is None else replace(pending, token=known[chosen.key])

    return Choose(asked, [(key, told(token)) for key, token in known.items()]), answered


def _if_sure(pending: PendingAction) -> Answered:
    return lambda is_sure: pending if is_sure else None


def _undoing(state: State, token: TokenView) -> str:
    verb = state.undoable.verb if state.undoable else ""
    said = _UNDOES.get(verb, _UNDOES[""])
    return said.format(number=token["displayNumber"], department=token["departmentId"])


def _destinations(pending: PendingAction, token: TokenView) -> Iterable[tuple[str, str]]:
    """The other departments: how many wait there, for how long, and whether it is closed."""
    for one in pending.state.destinations(token):
        queue = pending.queues.get(one.department_id)
        told = _standing(queue) if queue else ""
        name = printable(one.name, _ROOM - len(told) - len(one.department_id))
        yield one.department_id, f"{one.department_id}  {name}" + (f"  ({told})" if told else "")


def _standing(queue: QueueView) -> str:
    if not queue["open"]:
        return "closed"
    wait = expected_wait(queue["estimate"])
    return f"{queue['counts']['waiting']} waiting" + (f", {wait}" if wait else "")


def _classes(state: State, token: TokenView) -> Iterable[tuple[str, str]]:
    names = state.queue["classNames"] if state.queue else {}
    return ((str(one), names.get(str(one), str(one))) for one in Priority if one != token["priority"])


def _parked(zone: str, token: TokenView) -> str:
    until = parked_until(token, zone)
    return f"{token['displayNumber']}  {token['name'] or ''}" + (f"  until {until}" if until else "")


def _missed(token: TokenView) -> str:
    word = "did not come" if token["state"] == "NO_SHOW" else "cancelled"
    return f"{token['displayNumber']}  {token['name'] or ''}  {word}"
