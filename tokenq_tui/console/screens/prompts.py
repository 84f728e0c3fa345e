"""The dialog before an action, and how its answer completes the pending action."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from textual.screen import ModalScreen

from tokenq.contract.enums import Priority
from tokenq.contract.views import QueueView, TokenView
from tokenq.printable import cells, printable
from tokenq_tui.console.execution import PendingAction
from tokenq_tui.console.parking import parking
from tokenq_tui.console.screens.dialogs import NOTE_LENGTH, AskText, Check, Choice, Choose, Confirm, nothing_wrong
from tokenq_tui.console.state import State, expected_wait, parked_until

_UNDOES = {
    "call": "Undo the call of {number}?",
    "start": "Undo the start of service for {number}?",
    "serve": "Undo marking {number} as served?",
    "no-show": "Undo the no-show of {number}?",
    "requeue": "Undo returning {number} to the queue?",
    "cancel": "Undo the cancellation of {number}?",
    "park": "Undo parking {number}?",
    "resume": "Undo resuming {number}?",
    "transfer": "Undo the transfer of {number} to {department}?",
    "priority": "Undo the change of class of {number}?",
    "reinstate": "Undo reinstating {number}?",
    "": "Undo the last move of {number}?",
}

_ROOM = 50

Answered = Callable[[Any], PendingAction | None]
"""Turns a dialog's answer into the completed action; ``None`` if the user cancelled."""


def question(pending: PendingAction) -> tuple[ModalScreen[Any], Answered] | None:
    """Return the dialog of an action and the function for its answer; ``None`` if it needs no dialog."""
    name, state, token = pending.action.name, pending.state, pending.token
    if name == "call_row" and token is not None and token != state.next_up:
        return _text(
            pending,
            f"Why call {token['displayNumber']} out of order?",
            "Enter calls, Esc cancels. The reason is logged.",
        )
    if name == "park" and token is not None:
        hint = "Until when and why: 15 copies, or 14:30 X-ray. Leave empty to park until resumed."
        check = partial(_no_parking, state.zone)
        return _text(pending, f"Park {token['displayNumber']}?", hint, may_be_empty=True, check=check)
    if name == "pause":
        return _text(pending, "Reason for the pause?", "May be left empty.", may_be_empty=True)
    if name in ("transfer", "transfer_row") and token is not None:
        title = f"Send {token['displayNumber']} to …"
        return _choice(pending, title, _destinations(pending, token), note="Reason (optional)")
    if name == "class_row" and token is not None:
        return _choice(pending, f"Which class for {token['displayNumber']}?", _classes(state, token))
    if name == "edit_row" and token is not None:
        return _choice(pending, f"Correct {token['displayNumber']}", _details(token), note="The right one")
    if name == "resume":
        return _token(
            pending,
            "Which token to resume?",
            state.queue["parked"] if state.queue else (),
            partial(_parked_label, state.zone),
        )
    if name == "reinstate":
        return _token(pending, "Which token to reinstate?", pending.candidates, _ended_label)
    if name == "undo" and token is not None:
        return Confirm(_undo_question(state, token), pending.action.key), _if_confirmed(pending)
    if pending.action.confirmation and token is not None:
        title = pending.action.confirmation.format(number=token["displayNumber"])
        return Confirm(title, pending.action.key), _if_confirmed(pending)
    return None


def _text(
    pending: PendingAction, title: str, hint: str, *, may_be_empty: bool = False, check: Check = nothing_wrong
) -> tuple[ModalScreen[Any], Answered]:
    def answered(text: str | None) -> PendingAction | None:
        return None if text is None else replace(pending, answer=text)

    return AskText(title, hint, longest=NOTE_LENGTH, may_be_empty=may_be_empty, check=check), answered


def _no_parking(zone: str, typed: str) -> str:
    """Return what is wrong with the input for parking; empty if nothing is."""
    try:
        parking(typed, zone)
    except ValueError as error:
        return str(error)
    return ""


def _choice(
    pending: PendingAction, title: str, options: Iterable[tuple[str, str]], *, note: str = ""
) -> tuple[ModalScreen[Any], Answered]:
    def answered(chosen: Choice | None) -> PendingAction | None:
        return None if chosen is None else replace(pending, answer=chosen.key, note=chosen.note)

    return Choose(title, list(options), note=note), answered


def _token(
    pending: PendingAction, title: str, tokens: Iterable[TokenView], label: Callable[[TokenView], str]
) -> tuple[ModalScreen[Any], Answered]:
    by_id = {str(token["tokenId"]): token for token in tokens}

    def answered(chosen: Choice | None) -> PendingAction | None:
        return None if chosen is None else replace(pending, token=by_id[chosen.key])

    return Choose(title, [(key, label(token)) for key, token in by_id.items()]), answered


def _if_confirmed(pending: PendingAction) -> Answered:
    return lambda is_confirmed: pending if is_confirmed else None


def _undo_question(state: State, token: TokenView) -> str:
    verb = state.undoable.verb if state.undoable else ""
    question = _UNDOES.get(verb, _UNDOES[""])
    return question.format(number=token["displayNumber"], department=token["departmentId"])


def _destinations(pending: PendingAction, token: TokenView) -> Iterable[tuple[str, str]]:
    """The other departments with their queue length, estimated wait, and whether they are closed."""
    for department in pending.state.destinations(token):
        department_id, queue = department.department_id, pending.queues.get(department.department_id)
        summary = _queue_summary(queue) if queue else ""
        name = printable(department.name, _ROOM - cells(summary) - cells(department_id))
        yield department_id, f"{department_id}  {name}" + (f"  ({summary})" if summary else "")


def _queue_summary(queue: QueueView) -> str:
    if not queue["open"]:
        return "closed"
    wait = expected_wait(queue["estimate"])
    return f"{queue['counts']['waiting']} waiting" + (f", {wait}" if wait else "")


def _classes(state: State, token: TokenView) -> Iterable[tuple[str, str]]:
    names = state.queue["classNames"] if state.queue else {}
    others = (str(priority) for priority in Priority if priority != token["priority"])
    return ((name, names.get(name, name)) for name in others)


def _details(token: TokenView) -> Iterable[tuple[str, str]]:
    yield "name", f"Name  {token['name'] or '–'}"
    yield "email", f"E-mail address  {token['email'] or '–'}"


def _parked_label(zone: str, token: TokenView) -> str:
    until = parked_until(token, zone)
    return f"{token['displayNumber']}  {token['name'] or ''}" + (f"  until {until}" if until else "")


def _ended_label(token: TokenView) -> str:
    state = token["state"].lower().replace("_", "-")
    return f"{token['displayNumber']}  {token['name'] or ''}  {state}"
