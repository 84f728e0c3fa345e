"""Free text about people: stored beside the log for the department's staff, never published."""

import json
from typing import Any

from tokenq.contract.events import EventType


def with_note(event: dict[str, Any], note: str | None) -> dict[str, Any]:
    """Return the wire event with its note in ``data.reason``, for readers who may see it."""
    if not note:
        return event
    data = event.get("data") or {}
    rule = data.get("reason") if event.get("eventType") == EventType.TOKEN_CALLED else None
    return {**event, "data": {**data, "reason": f"{rule}: {note}" if rule else note}}


def is_same_event(record: bytes, payload: bytes, *, may_be_rewritten: bool) -> bool:
    """Whether a record of the topic matches its log entry.

    If the log may have been rewritten since the record was published, free text is not compared: an old record still
    has it.
    """
    if record == payload or not may_be_rewritten:
        return record == payload
    try:
        return bool(_without_words(record) == _without_words(payload))
    except (ValueError, RecursionError):
        return False


def _without_words(raw: bytes) -> Any:
    event = json.loads(raw.decode())
    if isinstance(event, dict) and isinstance(event.get("data"), dict):
        event["data"].pop("reason", None)
    return event
