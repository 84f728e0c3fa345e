"""``tokenq status``: one token."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label, zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.reasons import CommandReason
from tokenq.cli.ticket import Printer, Printing, printing
from tokenq.cli.tokens import clock, sentence, waits
from tokenq.client import Client
from tokenq.contract.enums import LIVE
from tokenq.contract.problems import refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


def command(
    token: Token,
    print_: Annotated[
        bool, typer.Option("--print", help="Print the paper ticket again, on the printer of the settings or to stdout.")
    ] = False,
    printer: Printer = None,
    as_json: Json = False,
) -> None:
    """Show one token: its state and its position in the queue."""
    paper = printing(print_, printer, as_json=as_json)
    client = connect()
    view = client.find_token(token)
    if view["state"] == "WAITING" and view["position"] is None:
        view = client.token(view["tokenId"])  # lists of tokens do not include the position
    if paper:
        _print(client, view, paper)
        if not paper.printer:
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


def _print(client: Client, view: "TokenView", paper: Printing) -> None:
    if view["state"] not in LIVE:
        raise refuse(CommandReason.NO_TICKET, number=view["displayNumber"], state=view["state"])
    paper.ticket(client, view)
