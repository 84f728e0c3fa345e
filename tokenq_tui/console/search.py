"""Match what the user typed against a token, by a part of its number or name, and say where else somebody is."""

import re
from collections.abc import Iterable

from tokenq.contract.enums import TokenState
from tokenq.contract.spelling import folded
from tokenq.contract.views import QueueView, TokenView
from tokenq.locale import texts
from tokenq_tui.console.state import State, seated

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_MOST = 3
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
"""Letters that Unicode does not take apart, as people type them on another keyboard."""


def matches(typed: str, token: TokenView) -> bool:
    """Return whether the number (separators and leading zeros are optional) or the name contains what was typed."""
    pattern = _plain(typed)
    if not pattern:
        return False
    if pattern in _plain(token["name"] or ""):
        return True
    short, number = _compact(pattern), _compact(folded(token["displayNumber"]))
    # 'cw0' is the beginning of CW-012, and 'cw12' means the same number.
    return bool(short) and (short in number or _without_leading_zeros(short) in _without_leading_zeros(number))


def _plain(text: str) -> str:
    return folded(text).translate(_STROKES)


def found_elsewhere(typed: str, state: State) -> str:
    """Return where the matching tokens are that do not wait in the selected department; empty if there are none."""
    places = [_place(token) for token in _not_in_list(state) if matches(typed, token)]
    shown = "; ".join(places[:_MOST])
    if len(places) > _MOST:
        shown = texts().gettext("{places}; {number} more", places=shown, number=len(places) - _MOST)
    return shown


def _not_in_list(state: State) -> Iterable[TokenView]:
    if state.queue:
        yield from _away_from_line(state.queue)
    for department in state.departments:
        queue = state.queues.get(department)
        if queue and department != state.selected:
            yield from queue["waiting"]
            yield from _away_from_line(queue)


def _away_from_line(queue: QueueView) -> Iterable[TokenView]:
    return (*seated(queue), *queue["parked"])


def _place(token: TokenView) -> str:
    said, values = texts(), {"number": token["displayNumber"], "department": token["departmentId"]}
    match token["state"]:
        case TokenState.PARKED:
            return said.gettext("{number} is parked in {department}", **values)
        case TokenState.WAITING:
            return said.gettext("{number} waits in {department}", **values)
        case _:
            return said.gettext("{number} is at counter {counter}", **values, counter=token["counterId"] or "?")


def _compact(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _without_leading_zeros(compact: str) -> str:
    return _LEADING_ZEROS.sub("", compact)
