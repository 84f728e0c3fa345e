"""What people write about people: kept beside the log for the staff of the department, and never published with it."""

import json
from typing import Any

from tokenq.contract.events import EventType


def with_note(event: dict[str, Any], note: str | None) -> dict[str, Any]:
    """An event on the wire as those see it who may read what was written about it, in ``data.reason``."""
    if not note:
        return event
    data = event.get("data") or {}
    rule = data.get("reason") if event.get("eventType") == EventType.TOKEN_CALLED else None
    return {**event, "data": {**data, "reason": f"{rule}: {note}" if rule else note}}


def is_same_event(record: bytes, payload: bytes, *, may_be_rewritten: bool) -> bool:
    """Whether a record of the topic says what the log says.

    Where the log may have been rewritten after the record was published, words about people are not compared: an old
    record still has them.
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
