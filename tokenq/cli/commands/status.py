"""``tokenq status``: one token."""

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label, zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import clock, sentence, waits


def command(token: Token, as_json: Json = False) -> None:
    """Show one token: its state and its position in the queue."""
    client = connect()
    view = client.find_token(token)
    if view["state"] == "WAITING" and view["position"] is None:
        view = client.token(view["tokenId"])  # lists of tokens do not include the position
    if as_json:
        output.document(view)
        return
    zone = zone_of(client, view["branchId"])
    output.line(sentence(view, zone))
    output.fields(
        [
            ("Department", view["departmentId"]),
            ("Business day", view["businessDay"]),
            ("Priority", view["priority"]),
            ("Name", view["name"]),
            ("E-mail", view["email"]),
            ("Wait", waits(view["estimate"], with_reason=True)),
            ("Resumes", clock(view["parkedUntil"], zone)),
            ("Issued", clock(view["issuedAt"], zone, with_day=True)),
            ("Called", clock(view["calledAt"], zone)),
            ("Started", clock(view["startedAt"], zone)),
            ("Served", clock(view["servedAt"], zone)),
            *([("Times of", shown_zone)] if (shown_zone := zone_label(zone)) else []),
            ("Possible now", ", ".join(view["moves"])),
        ]
    )
