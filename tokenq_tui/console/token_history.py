"""A token's events in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq.locale import N_, texts
from tokenq.zones import local

_WORDS = {
    EventType.TOKEN_GENERATED: N_("issued"),
    EventType.TOKEN_TURN_NEAR: N_("turn is near"),
    EventType.TOKEN_CALLED: N_("called"),
    EventType.TOKEN_RECALLED: N_("called again"),
    EventType.TOKEN_SERVICE_STARTED: N_("service started"),
    EventType.TOKEN_SERVED: N_("served"),
    EventType.TOKEN_NO_SHOW: N_("no-show"),
    EventType.TOKEN_REQUEUED: N_("back in the queue"),
    EventType.TOKEN_PARKED: N_("parked"),
    EventType.TOKEN_RESUMED: N_("resumed"),
    EventType.TOKEN_TRANSFERRED: N_("transferred"),
    EventType.TOKEN_CANCELLED: N_("cancelled"),
    EventType.TOKEN_PRIORITY_CHANGED: N_("class changed"),
    EventType.TOKEN_REINSTATED: N_("reinstated"),
    EventType.TOKEN_EDITED: N_("corrected"),
    EventType.TOKEN_REVERTED: N_("undone"),
    EventType.TOKEN_EXPIRED: N_("expired"),
}
_SAME = ("eventType", "timestamp", "data", "actor")


def history_lines(events: Sequence[Mapping[str, Any]], zone: str) -> Iterable[tuple[str, str]]:
    """Return time and words of each event; a transfer, which is in the logs of both departments, once."""
    before: Mapping[str, Any] = {}
    for event in events:
        if not before or any(event.get(name) != before.get(name) for name in _SAME):
            yield _clock(event.get("timestamp"), zone), _words(event)
        before = event


def _words(event: Mapping[str, Any]) -> str:
    said, kind, data = texts(), str(event.get("eventType")), event.get("data") or {}
    words = said.gettext(_WORDS[EventType(kind)]) if kind in set(_WORDS) else kind
    target = data.get("to") if isinstance(data, Mapping) else None
    if kind == EventType.TOKEN_TRANSFERRED and target:
        words = said.gettext("transferred to {department}", department=target)
    if event.get("counterId") and kind == EventType.TOKEN_CALLED:
        words = said.gettext("called to counter {counter}", counter=event["counterId"])
    if event.get("actor"):
        words = said.gettext("{event}, by {user}", event=words, user=event["actor"])
    return words


def _clock(timestamp: Any, zone: str) -> str:
    try:
        return f"{local(datetime.fromisoformat(str(timestamp)), zone):%H:%M}"
    except ValueError:
        return "–"
