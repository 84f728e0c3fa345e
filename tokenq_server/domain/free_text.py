"""Free text about people: stored beside the log for the department's staff, never published."""

import json
from collections.abc import Collection
from typing import Any

from tokenq.contract.events import EventType

_WORDS = (("data", "reason"),)
_OF_A_PERSON = (("email",), ("userId",))


def with_note(event: dict[str, Any], note: str | None) -> dict[str, Any]:
    """Return the wire event with its note in ``data.reason``, for readers who may see it."""
    if not note:
        return event
    data = event.get("data") or {}
    rule = data.get("reason") if event.get("eventType") == EventType.TOKEN_CALLED else None
    return {**event, "data": {**data, "reason": f"{rule}: {note}" if rule else note}}


def is_same_event(record: bytes, payload: bytes, *, may_be_rewritten: bool, is_erased: bool = False) -> bool:
    """Whether a record of the topic matches its log entry.

    If the log may have been rewritten since the record was published, free text is not compared: an old record still
    has it. If a person was erased from the entry, address and user are not compared either.
    """
    if record == payload or not (may_be_rewritten or is_erased):
        return record == payload
    left_out = (*(_OF_A_PERSON if is_erased else ()), *(_WORDS if may_be_rewritten else ()))
    try:
        return bool(_without(record, left_out) == _without(payload, left_out))
    except (ValueError, RecursionError):
        return False


def _without(raw: bytes, left_out: Collection[tuple[str, ...]]) -> Any:
    event = json.loads(raw.decode())
    for *path, name in left_out:
        place = event
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(name, None)
    return event
