"""How long a new customer may expect to wait, as the server's state of a branch says it."""

from collections.abc import Mapping

from tokenq.contract.board_views import BoardView


def expected_waits(state: BoardView) -> Mapping[str, tuple[int, int]]:
    """Return the ranges in minutes by department; without those that are unknown."""
    estimates = {each["departmentId"]: each.get("estimate") for each in state["departments"]}
    return {name: (wait["lowMinutes"], wait["highMinutes"]) for name, wait in estimates.items() if wait}
