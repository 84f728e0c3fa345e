"""What a board in a browser draws: the picture that the board's fold makes, as JSON."""

from collections.abc import Sequence
from typing import Any

from tokenq.board.expected_waits import expected_waits
from tokenq.board.picture import Call, DepartmentPicture, Picture
from tokenq.contract.board_views import BoardView
from tokenq.locale import texts
from tokenq.locale.counters import counter_in
from tokenq.locale.spoken import spoken
from tokenq.locale.waits import wait_range
from tokenq_server.api.pages.texts import board_texts
from tokenq_server.services.views import instant

_CALLS = 12
"""How many calls a browser gets: those it lists, and those it may have missed."""


def setup_view(state: BoardView) -> dict[str, Any]:
    """Return what seldom changes: whose board it is, and its texts."""
    return {
        "branch": state["branchId"],
        "name": state["name"],
        "timezone": state["timezone"],
        "texts": board_texts(state["languages"]),
    }


def picture_view(picture: Picture, state: BoardView, now: str) -> dict[str, Any]:
    """Return everything to draw at the server's time ``now``; no ids of tokens."""
    names = {each.department_id: each.name or each.department_id for each in picture.departments}
    waits = expected_waits(state)
    departments = [_department(each, state, waits.get(each.department_id)) for each in picture.departments]
    return {
        "at": now,
        "isDoubtful": bool(picture.doubtful),
        "departments": departments,
        "calls": [_call(each, names, state) for each in _shown(picture)],
    }


def _shown(picture: Picture) -> Sequence[Call]:
    """The last calls, and of the others those who are still at a counter."""
    at_counters = {call.event_id for each in picture.departments for call in each.at_counters}
    return [call for place, call in enumerate(picture.calls) if place < _CALLS or call.event_id in at_counters]


def _department(department: DepartmentPicture, state: BoardView, wait: tuple[int, int] | None) -> dict[str, Any]:
    return {
        "id": department.department_id,
        "name": department.name or department.department_id,
        "isClosed": department.is_closed,
        "hours": list(department.hours) if department.hours is not None else None,
        "waiting": department.waiting,
        "wait": {tag: wait_range(*wait, texts(tag)) for tag in state["languages"]} if wait else None,
        "paused": _said_of(department.paused, state),
        "atCounters": [
            {"number": call.number, "counter": _said(call.counter, state), "state": str(call.state)}
            for call in department.at_counters
        ],
    }


def _call(call: Call, names: dict[str, str], state: BoardView) -> dict[str, Any]:
    return {
        "department": call.department_id,
        "seq": call.seq,
        "number": call.number,
        "counter": _said(call.counter, state),
        "spoken": {tag: spoken(call.number, call.counter, tag, state["counterWords"]) for tag in state["languages"]},
        "departmentName": names.get(call.department_id, call.department_id),
        "at": instant(call.at),
        "times": call.times,
        "state": str(call.state),
    }


def _said(counter: str, state: BoardView) -> dict[str, str]:
    return {language: counter_in(language, counter, state["counterWords"]) for language in state["languages"]}


def _said_of(counters: Sequence[str], state: BoardView) -> list[dict[str, str]]:
    return [_said(counter, state) for counter in counters]
