"""What is asked before an intent is carried out, and what the answer makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from textual.screen import ModalScreen

from tokenq.contract.views import TokenView
from tokenq.contract.words import Priority
from tokenq_tui.console.acting import Wish
from tokenq_tui.console.screens.asking import AskText, Choose, Confirm
from tokenq_tui.console.state import State, parked_until

_REASON_LENGTH = 200

Answered = Callable[[Any], Wish | None]
"""The wish that an answer makes; ``None`` when the person would rather not."""


def question(wish: Wish) -> tuple[ModalScreen[Any], Answered] | None:
    """The screen to ask with and what to do with its answer; ``None`` when nothing is to be asked."""
    name, state, token = wish.intent.name, wish.state, wish.token
    if name == "call_row" and token is not None and token != state.next_up:
        return _text(
            wish, f"Why {token['displayNumber']} before the others?", "Enter calls, Esc does not. The reason is kept."
        )
    if name == "park" and token is not None:
        hint = "Minutes until they come back, and why: 15 copies. Enter alone: until somebody resumes them."
        return _text(wish, f"Park {token['displayNumber']}?", hint, may_be_empty=True)
    if name == "pause":
        return _text(wish, "Why do you pause?", "Enter alone gives no reason.", may_be_empty=True)
    if name in ("transfer", "transfer_row") and token is not None:
        return _choice(wish, f"Send {token['displayNumber']} to …", _other_departments(state, token))
    if name == "class_row" and token is not None:
        return _choice(wish, f"Which class for {token['displayNumber']}?", _classes(state, token))
    if name == "resume":
        return _token(wish, "Who is back?", state.queue["parked"] if state.queue else (), _parked)
    if name == "reinstate":
        return _token(wish, "Who comes back into the line?", wish.candidates, _missed)
    if name == "undo" and token is not None:
        return Confirm(f"Take back what was done last with {token['displayNumber']}?", wish.intent.key), _if_sure(wish)
    if wish.intent.doubt and token is not None:
        return Confirm(wish.intent.doubt.format(number=token["displayNumber"]), wish.intent.key), _if_sure(wish)
    return None


def _text(wish: Wish, asked: str, hint: str, *, may_be_empty: bool = False) -> tuple[ModalScreen[Any], Answered]:
    def answered(text: str | None) -> Wish | None:
        return None if text is None else replace(wish, answer=text)

    return AskText(asked, hint, longest=_REASON_LENGTH, may_be_empty=may_be_empty), answered


def _choice(wish: Wish, asked: str, options: Iterable[tuple[str, str]]) -> tuple[ModalScreen[Any], Answered]:
    def answered(chosen: str | None) -> Wish | None:
        return None if chosen is None else replace(wish, answer=chosen)

    return Choose(asked, list(options)), answered


def _token(
    wish: Wish, asked: str, tokens: Iterable[TokenView], told: Callable[[TokenView], str]
) -> tuple[ModalScreen[Any], Answered]:
    known = {str(token["tokenId"]): token for token in tokens}

    def answered(chosen: str | None) -> Wish | None:
        return None if chosen is None else replace(wish, token=known[chosen])

    return Choose(asked, [(key, told(token)) for key, token in known.items()]), answered


def _if_sure(wish: Wish) -> Answered:
    return lambda is_sure: wish if is_sure else None


def _other_departments(state: State, token: TokenView) -> Iterable[tuple[str, str]]:
    for department_id, name in state.places:
        if department_id != token["departmentId"]:
            waiting = state.waiting_in(department_id)
            yield department_id, f"{department_id}  {name}" + (f"  ({waiting} waiting)" if waiting is not None else "")


def _classes(state: State, token: TokenView) -> Iterable[tuple[str, str]]:
    names = state.queue["classNames"] if state.queue else {}
    return ((str(one), names.get(str(one), str(one))) for one in Priority if one != token["priority"])


def _parked(token: TokenView) -> str:
    until = parked_until(token)
    return f"{token['displayNumber']}  {token['name'] or ''}" + (f"  until {until}" if until else "")


def _missed(token: TokenView) -> str:
    word = "did not come" if token["state"] == "NO_SHOW" else "cancelled"
    return f"{token['displayNumber']}  {token['name'] or ''}  {word}"
