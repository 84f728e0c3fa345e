"""A department as the server's state of a branch describes it: the same as after all its events."""

from datetime import datetime
from typing import Any

from tokenq.board.department import Department
from tokenq.board.department_setup import place_from
from tokenq.board.moments import moment_of
from tokenq.board.picture import Call
from tokenq.contract.board_views import BoardCallView, BoardDepartmentView, BoardView
from tokenq.contract.enums import AT_COUNTER, TokenState


def department_of(view: BoardDepartmentView, state: BoardView) -> Department:
    """The department that a view describes, of the branch in ``state``.

    Raises:
        KeyError, TypeError, ValueError: it is no such view.
    """
    calls = sorted((_call(view["departmentId"], each) for each in view["calls"]), key=lambda call: call.seq)
    expired: Any = view["expired"] or {"tokenIds": [], "at": None}
    return Department(
        last_event_at=datetime.fromisoformat(view["lastEventAt"]),
        business_day=view["businessDay"],
        first=view["seq"],
        seen=view["seq"],
        waiting=set(view["waitingIds"]),
        at_counters={call.token_id: call for call in calls if call.state in AT_COUNTER},
        recent={call.token_id: call for call in calls},
        place=place_from({**view, **_branch(state)}),
        paused=set(view["paused"]),
        expired=set(expired["tokenIds"]),
        expired_at=datetime.fromisoformat(expired["at"]) if expired["at"] else None,
    )


def _branch(state: BoardView) -> dict[str, Any]:
    """What a department's own events say of its branch; a server of 0.1.0 says less."""
    known = {"branchName": state["name"]}
    return known | {name: state.get(name) for name in ("languages", "counterWords")}


def _call(department_id: str, view: BoardCallView) -> Call:
    return Call(
        event_id=view["eventId"],
        department_id=department_id,
        seq=view["seq"],
        token_id=view["tokenId"],
        number=view["displayNumber"],
        counter=view["counterId"] or "",
        at=moment_of(datetime.fromisoformat(view["calledAt"]), view["eventId"]),
        times=view["times"],
        state=TokenState(view["state"]),
    )
