"""``tokenq log``: everything that happened to one token."""

from tokenq.cli import output
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
    output.line(sentence(found))
    output.table(
        ("When", "What", "Counter", "By", "Why"),
        (
            (
                clock(event.get("timestamp"), with_day=True),
                event.get("eventType"),
                event.get("counterId"),
                event.get("actor"),
                (event.get("data") or {}).get("reason"),
            )
            for event in events
        ),
    )
