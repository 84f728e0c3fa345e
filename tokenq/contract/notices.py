"""Notices to the person who has just done something, or who looks at a queue: the sentences, for every screen.

They are made of what the server says; nothing is decided here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from tokenq.contract.waits import duration

if TYPE_CHECKING:
    from tokenq.contract.notice_views import AlarmView, OtherCounterView
    from tokenq.contract.views import CounterView, QueueView, TokenView


def forgotten(number: str, state: str, since: str | None, now: datetime) -> str:
    """Return for how long a token that was presumably forgotten has been at its counter."""
    what = "in service" if state == "SERVING" else "called"
    if not since:
        return f"{number} {what}: forgotten?".strip()
    minutes = (now - datetime.fromisoformat(since)).total_seconds() / 60
    return f"{number} {what} for {duration(minutes)}: forgotten?".strip()


def unserved(counter: "CounterView") -> list[str]:
    """Return who waits where no other open counter serves, after a counter was closed, paused or left."""
    sentences = []
    for department in counter.get("unserved") or []:
        waiting, numbers = department["waiting"], department["displayNumbers"]
        customers = "1 customer waits" if waiting == 1 else f"{waiting} customers wait"
        more = f" and {waiting - len(numbers)} more" if waiting > len(numbers) else ""
        place = f"{department['departmentId']} ({', '.join(numbers)}{more})"
        sentences.append(f"{customers} in {place}; no other open counter serves it.")
    return sentences


def alarms(queue: "QueueView", *, is_short: bool = False) -> list[str]:
    """Return the alarms about a queue's waits, ``is_short`` for a title."""
    return [_alarm(alarm, is_short=is_short) for alarm in queue.get("alarms") or []]


def _alarm(alarm: "AlarmView", *, is_short: bool) -> str:
    limit, longest = duration(alarm["limitMinutes"]), duration(alarm["longestMinutes"])
    if alarm["name"] == "longestWait":
        return f"longest {longest}" if is_short else f"A customer has waited {longest} (limit: {limit})."
    if is_short:
        return f"{alarm['late']} over {limit}"
    customers = "1 customer has" if alarm["late"] == 1 else f"{alarm['late']} customers have"
    return f"{customers} waited longer than {limit}: below the service level."


def also_at(token: "TokenView") -> list[str]:
    """Return at which other counters the customer of a called token is now."""
    return [_also_at(other, token["branchId"]) for other in token.get("alsoAt") or []]


def _also_at(other: "OtherCounterView", here: str) -> str:
    where = f" in branch {other['branchId']}" if other["branchId"] != here else ""
    token = f" ({other['displayNumber']})" if other["displayNumber"] else " of another department"
    return f"This customer is also at counter {other['counterId']}{where}{token}."


def also_waiting(token: "TokenView") -> list[str]:
    """Return which other live numbers have the e-mail address of a token."""
    numbers = token.get("alsoWaiting") or []
    if not numbers:
        return []
    return [f"{', '.join(numbers)} {'has' if len(numbers) == 1 else 'have'} the same e-mail address."]


def counted(tokens: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts of tokens per department and state as text: ``in CW 3 waiting, 1 parked; in LAB 2 waiting``."""
    return "; ".join(
        f"in {name} " + ", ".join(f"{number} {state.lower()}" for state, number in states.items())
        for name, states in tokens.items()
    )
