"""The dialog before an action, and how its answer completes the pending action."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from textual.screen import ModalScreen

from tokenq.contract.enums import Priority
from tokenq.contract.verbs import Verb
from tokenq.contract.views import QueueView, TokenView
from tokenq.locale import N_, texts
from tokenq.locale.words import class_word, state_word
from tokenq.printable import cells, printable
from tokenq_tui.console.execution import PendingAction
from tokenq_tui.console.keys import keys_of
from tokenq_tui.console.parking import parking
from tokenq_tui.console.screens.dialogs import NOTE_LENGTH, AskText, Check, Choice, Choose, Confirm, nothing_wrong
from tokenq_tui.console.state import State
from tokenq_tui.console.times import expected_wait, parked_until

_UNDOES = {
    "call": N_("Undo the call of {number}?"),
    "start": N_("Undo the start of service for {number}?"),
    "serve": N_("Undo marking {number} as served?"),
    "no-show": N_("Undo the no-show of {number}?"),
    "requeue": N_("Undo returning {number} to the queue?"),
    "cancel": N_("Undo the cancellation of {number}?"),
    "park": N_("Undo parking {number}?"),
    "resume": N_("Undo resuming {number}?"),
    "transfer": N_("Undo the transfer of {number} to {department}?"),
    "priority": N_("Undo the change of class of {number}?"),
    "reinstate": N_("Undo reinstating {number}?"),
    "": N_("Undo the last move of {number}?"),
}

_ROOM = 50
_MOST_NAMED = 8

Answered = Callable[[Any], PendingAction | None]
"""Turns a dialog's answer into the completed action; ``None`` if the user cancelled."""


def question(pending: PendingAction) -> tuple[ModalScreen[Any], Answered] | None:
    """Return the dialog of an action and the function for its answer; ``None`` if it needs no dialog."""
    name, state, token, said = pending.action.name, pending.state, pending.token, texts()
    if pending.tokens:
        return _several(pending)
    if name == "call_row" and token is not None and token != state.next_up:
        return _text(
            pending,
            said.gettext("Why call {number} out of order?", number=token["displayNumber"]),
            said.gettext("Enter calls, Esc cancels. The reason is logged."),
        )
    if name == "park" and token is not None:
        hint = said.gettext("Until when and why: 15 copies, or 14:30 X-ray. Leave empty to park until resumed.")
        title = said.gettext("Park {number}?", number=token["displayNumber"])
        check = partial(_no_parking, state.zone)
        return _text(pending, title, hint, may_be_empty=True, check=check)
    if name == "pause":
        title, hint = said.gettext("Reason for the pause?"), said.gettext("May be left empty.")
        return _text(pending, title, hint, may_be_empty=True)
    if name in ("transfer", "transfer_row") and token is not None:
        title = said.gettext("Send {number} to …", number=token["displayNumber"])
        return _choice(pending, title, _destinations(pending, token), note=said.gettext("Reason (optional)"))
    if name == "class_row" and token is not None:
        title = said.gettext("Which class for {number}?", number=token["displayNumber"])
        return _choice(pending, title, _classes(state, token))
    if name == "edit_row" and token is not None:
        title = said.gettext("Correct {number}", number=token["displayNumber"])
        return _choice(pending, title, _details(token), note=said.gettext("The right one"))
    if name == "resume":
        return _token(
            pending,
            said.gettext("Which token to resume?"),
            state.queue["parked"] if state.queue else (),
            partial(_parked_label, state.zone),
        )
    if name == "reinstate":
        return _token(pending, said.gettext("Which token to reinstate?"), pending.candidates, _ended_label)
    if name == "undo" and token is not None:
        return _confirm(pending, _undo_question(state, token)), _if_confirmed(pending)
    if pending.action.confirmation and token is not None:
        title = said.gettext(pending.action.confirmation, number=token["displayNumber"])
        return _confirm(pending, title), _if_confirmed(pending)
    return None


def _several(pending: PendingAction) -> tuple[ModalScreen[Any], Answered]:
    said, tokens = texts(), pending.tokens
    numbers = _named(tokens)
    if pending.action.verb == Verb.TRANSFER:
        title = said.ngettext("Send {number} customer to …", "Send {number} customers to …", len(tokens))
        options = _destinations(pending, tokens[0])
        return _choice(pending, f"{title}\n{numbers}", options, note=said.gettext("Reason (optional)"))
    title = said.ngettext("Cancel {number} waiting customer?", "Cancel {number} waiting customers?", len(tokens))
    return _confirm(pending, f"{title}\n{numbers}"), _if_confirmed(pending)


def _named(tokens: Sequence[TokenView]) -> str:
    names = ", ".join(token["displayNumber"] for token in tokens[:_MOST_NAMED])
    if len(tokens) <= _MOST_NAMED:
        return names
    return texts().gettext("{numbers} and {more} more", numbers=names, more=len(tokens) - _MOST_NAMED)


def _confirm(pending: PendingAction, title: str) -> Confirm:
    return Confirm(title, keys_of(pending.action, pending.state.keys))


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
    return texts().gettext(question, number=token["displayNumber"], department=token["departmentId"])


def _destinations(pending: PendingAction, token: TokenView) -> Iterable[tuple[str, str]]:
    """The other departments with their queue length, estimated wait, and whether they are closed."""
    for department in pending.state.destinations(token):
        department_id, queue = department.department_id, pending.queues.get(department.department_id)
        summary = _queue_summary(queue) if queue else ""
        name = printable(department.name, _ROOM - cells(summary) - cells(department_id))
        yield department_id, f"{department_id}  {name}" + (f"  ({summary})" if summary else "")


def _queue_summary(queue: QueueView) -> str:
    if not queue["open"]:
        return texts().gettext("closed")
    wait, waiting = expected_wait(queue["estimate"]), queue["counts"]["waiting"]
    if wait:
        return texts().gettext("{number} waiting, {wait}", number=waiting, wait=wait)
    return texts().ngettext("{number} waiting", "{number} waiting", waiting)


def _classes(state: State, token: TokenView) -> Iterable[tuple[str, str]]:
    names = state.queue["classNames"] if state.queue else {}
    others = (str(priority) for priority in Priority if priority != token["priority"])
    return ((name, class_word(name, names, texts())) for name in others)


def _details(token: TokenView) -> Iterable[tuple[str, str]]:
    yield "name", texts().gettext("Name  {name}", name=token["name"] or "–")
    yield "email", texts().gettext("E-mail address  {address}", address=token["email"] or "–")


def _parked_label(zone: str, token: TokenView) -> str:
    until = parked_until(token, zone)
    until = texts().gettext("until {time}", time=until) if until else ""
    return f"{token['displayNumber']}  {token['name'] or ''}  {until}".rstrip()


def _ended_label(token: TokenView) -> str:
    return f"{token['displayNumber']}  {token['name'] or ''}  {state_word(token['state'], texts())}"
