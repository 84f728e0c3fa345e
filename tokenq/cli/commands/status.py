"""``tokenq status``: one token."""

from tokenq.cli import output
from tokenq.cli.branch_time import whose_times, zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import clock, sentence, waits


def command(token: Token, as_json: Json = False) -> None:
    """Show one token: its state and its place in line."""
    client = connect()
    found = client.find_token(token)
    if found["state"] == "WAITING" and found["position"] is None:
        found = client.token(found["tokenId"])  # a list of tokens does not say the place in line
    if as_json:
        output.document(found)
        return
    zone = zone_of(client, found["branchId"])
    output.line(sentence(found, zone))
    output.fields(
        [
            ("Department", found["departmentId"]),
            ("Business day", found["businessDay"]),
            ("Priority", found["priority"]),
            ("Name", found["name"]),
            ("E-mail", found["email"]),
            ("Wait", waits(found["estimate"], with_reason=True)),
            ("Comes back", clock(found["parkedUntil"], zone)),
            ("Issued", clock(found["issuedAt"], zone, with_day=True)),
            ("Called", clock(found["calledAt"], zone)),
            ("Started", clock(found["startedAt"], zone)),
            ("Served", clock(found["servedAt"], zone)),
            *([("Times of", whose)] if (whose := whose_times(zone)) else []),
            ("Can now", ", ".join(found["moves"])),
        ]
    )
