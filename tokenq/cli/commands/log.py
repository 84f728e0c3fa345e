"""``tokenq log``: the history of one token."""

from typing import Any

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label, zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import clock, sentence, waits

_FIELDS = {"name": "name", "email": "e-mail address"}
"""What an edit can change, by the names in its event."""


def command(token: Token, as_json: Json = False) -> None:
    """Print the history of one token, oldest first."""
    client = connect()
    view = client.find_token(token)
    events, kept_from = client.token_history(view["tokenId"])
    if as_json:
        output.document({"items": events, "keptFrom": kept_from})
        return
    zone = zone_of(client, view["branchId"])
    output.line(sentence(view, zone))
    if kept_from:
        output.line(f"Some of what happened before {kept_from} may have been deleted.")
    output.table(
        ("Time", "Event", "Department", "Counter", "By", "Details"),
        (
            (
                clock(event.get("timestamp"), zone, with_day=True),
                event.get("eventType"),
                " and ".join(event["departments"]),
                event.get("counterId"),
                event.get("actor"),
                _details(event.get("data") or {}, zone),
            )
            for event in _without_duplicates(events)
        ),
    )
    if shown_zone := zone_label(zone):
        output.line(f"Times of {shown_zone}.")


def _without_duplicates(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the two entries of a move between departments, which is in the logs of both."""
    merged: list[dict[str, Any]] = []
    for event in events:
        data, name = event.get("data") or {}, event.get("departmentId")
        last = merged[-1] if merged else {}
        same = ("eventType", "timestamp", "data", "actor")
        if data.get("to") and data.get("from") and all(last.get(key) == event.get(key) for key in same):
            last["departments"].append(name)
        else:
            merged.append({**event, "departments": [name]})
    return merged


def _details(data: dict[str, Any], zone: str) -> str:
    """The details of an event besides its type."""
    calls, estimate = data.get("call"), data.get("estimate")
    details = {
        "from": data.get("from"),
        "to": data.get("to"),
        "until": clock(data.get("until"), zone)[:5],
        "undone:": data.get("undone"),
        "was" if "undone" not in data else "now": data.get("state"),
        "position": data.get("position"),
        "estimated wait": waits(estimate) if estimate and "lowMinutes" in estimate else "",
        "call": calls if calls != 1 else None,
        "corrected:": " and ".join(_FIELDS.get(name, name) for name in data.get("fields") or ()),
        "numbers skipped:": data.get("skipped"),
    }
    parts = [f"{word} {value}" for word, value in details.items() if value]
    flags = ["outside the hours or limits" if data.get("forced") else "", data.get("reason")]
    return ", ".join([*parts, *filter(None, flags)])
