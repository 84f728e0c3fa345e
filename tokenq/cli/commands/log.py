"""``tokenq log``: everything that happened to one token."""

from typing import Any

from tokenq.cli import output
from tokenq.cli.branch_time import whose_times, zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import clock, sentence


def command(token: Token, as_json: Json = False) -> None:
    """Print everything that happened to one token, oldest first."""
    client = connect()
    found = client.find_token(token)
    events = client.token_events(found["tokenId"])
    if as_json:
        output.document({"items": events})
        return
    zone = zone_of(client, found["branchId"])
    output.line(sentence(found, zone))
    output.table(
        ("When", "What", "Department", "Counter", "By", "More"),
        (
            (
                clock(event.get("timestamp"), zone, with_day=True),
                event.get("eventType"),
                " and ".join(event["departments"]),
                event.get("counterId"),
                event.get("actor"),
                _more(event.get("data") or {}, zone),
            )
            for event in _once(events)
        ),
    )
    if whose := whose_times(zone):
        output.line(f"Times of {whose}.")


def _once(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each move one time: one that leads to another department stands in the logs of both."""
    told: list[dict[str, Any]] = []
    for event in events:
        data, name = event.get("data") or {}, event.get("departmentId")
        last = told[-1] if told else {}
        same = ("eventType", "timestamp", "data", "actor")
        if data.get("to") and data.get("from") and all(last.get(key) == event.get(key) for key in same):
            last["departments"].append(name)
        else:
            told.append({**event, "departments": [name]})
    return told


def _more(data: dict[str, Any], zone: str) -> str:
    """What an event says beyond its name."""
    told = {
        "from": data.get("from"),
        "to": data.get("to"),
        "until": clock(data.get("until"), zone)[:5],
        "undone:": data.get("undone"),
        "position": data.get("position"),
    }
    parts = [f"{word} {value}" for word, value in told.items() if value]
    return ", ".join([*parts, *filter(None, [data.get("reason")])])
