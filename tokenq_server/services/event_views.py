"""Wire events as different readers see them."""

from typing import Any

from tokenq.contract.events import EventType

_HIDDEN: dict[str, Any] = {"email": None, "userId": None, "actor": ""}

_PUBLIC = (
    "eventType",
    "event",
    "eventId",
    "schemaVersion",
    "seq",
    "timestamp",
    "branchId",
    "departmentId",
    "businessDay",
    "tokenId",
    "tokenNo",
    "displayNumber",
    "counterId",
)
_PUBLIC_DATA = ("call", "from", "to", "state", "undone", "archived")
_PUBLIC_SETTINGS = ("name", "open", "timezone", "hours", "languages", "counterWords", "branchName")


def without_people(event: dict[str, Any]) -> dict[str, Any]:
    """Return a wire event as seen by readers who may not know whose token it is: customers, and staff elsewhere."""
    data = event.get("data") or {}
    return event | _HIDDEN | ({"data": {**data, "operator": None}} if "operator" in data else {})


def public_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a wire event that a lobby may see: what a board shows, and nothing that is not listed here.

    What a new event adds stays hidden until somebody decides that it is public.
    """
    public = {name: event[name] for name in _PUBLIC if name in event}
    return {**public, "data": _public_data(event)}


def _public_data(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data") or {}
    if event.get("eventType") == EventType.LOG_REWOUND:
        return {}  # it quotes what was lost
    public = {name: data[name] for name in _PUBLIC_DATA if name in data}
    if settings := data.get("settings"):
        public["settings"] = {name: settings[name] for name in _PUBLIC_SETTINGS if name in settings}
    return public
