"""``tokenq status``: one token."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label, zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json, Token
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import clock, sentence, waits
from tokenq.client import Client
from tokenq.contract.enums import LIVE
from tokenq.contract.problems import refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


def command(
    token: Token,
    print_: Annotated[bool, typer.Option("--print", help="Print the paper ticket again, to stdout.")] = False,
    as_json: Json = False,
) -> None:
    """Show one token: its state and its position in the queue."""
    if print_ and as_json:
        raise WrongUse("A ticket and JSON cannot both go to stdout.", "Leave out --print or --json.")
    client = connect()
    view = client.find_token(token)
    if view["state"] == "WAITING" and view["position"] is None:
        view = client.token(view["tokenId"])  # lists of tokens do not include the position
    if print_:
        _print(client, view)
        return
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


def _print(client: Client, view: "TokenView") -> None:
    if view["state"] not in LIVE:
        raise refuse(CommandReason.NO_TICKET, number=view["displayNumber"], state=view["state"])
    from tokenq.cli.ticket import draw

    output.raw(draw(client, view))
