"""``tokenq watch``: print events as they happen."""

import re
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label, zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Departments, Json
from tokenq.client import Client
from tokenq.contract.events import Event, to_wire
from tokenq.errors import Unreachable
from tokenq.zones import local

if TYPE_CHECKING:
    from tokenq.client.events import LinkChanged


def command(
    depts: Departments = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION",
            help="Resume after this position, such as CW:17,HR:4.",
            callback=lambda typed: _position(typed) if typed is not None else None,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print events as they happen, one per line, until Ctrl-C."""
    from tokenq.client.events import EventArrived, LinkChanged, follow

    client = connect()
    resumed = [part.partition(":")[0] for part in since.split(",")] if since else []
    for name in depts or ():
        client.queue(name)  # refuses unknown and forbidden departments; the stream would just stay silent
    others = [name for name in resumed if name not in (depts or ())]
    if depts and others:
        raise WrongUse(f"--since names {', '.join(others)}, which is not watched.", "Leave it out, or watch it, too.")
    for name in others:
        client.queue(name)
    clocks = _Clocks(client)
    was_live = False
    for arrival in follow(client.server, depts or [], since, threading.Event()):
        if isinstance(arrival, LinkChanged):
            _show_link(arrival, client.server.url, was_live=was_live)
            was_live = was_live or arrival.is_live
        elif isinstance(arrival, EventArrived):
            _show(arrival.event, arrival.position, clocks, as_json=as_json)
        else:
            echo("Some events were missed here; the stream continues from now.")


def _position(typed: str) -> str:
    """Return a position in the stream. Raises typer.BadParameter."""
    position = typed.replace(" ", "").upper()
    if not all(re.fullmatch(r"[A-Z][A-Z0-9]{0,7}:[0-9]{1,18}", part) for part in position.split(",")):
        raise typer.BadParameter(f"'{typed}' is not a position, such as CW:17,HR:4.")
    return position


def _show_link(change: "LinkChanged", url: str, *, was_live: bool) -> None:
    if change.is_live:
        echo("Live; press Ctrl-C to stop." if not was_live else "Live again.")
    elif was_live:
        echo(f"{change.sentence} Retrying.")
    else:
        raise Unreachable("{why}", why=change.sentence, url=url)


class _Clocks:
    """The time zones of the branches; one that differs from this machine's is printed on first use."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._zones: dict[str, str] = {}

    def zone_of(self, branch: str) -> str:
        if branch not in self._zones:
            self._zones[branch] = zone_of(self._client, branch)
            if shown_zone := zone_label(self._zones[branch]):
                echo(f"Times of {shown_zone}.")
        return self._zones[branch]


def _show(event: Event, position: str, clocks: _Clocks, *, as_json: bool) -> None:
    if as_json:
        output.record({**to_wire(event), "position": position})
        return
    counter = f"counter {event.counter_id}" if event.counter_id else ""
    by = f"by {event.actor}" if event.actor else ""
    when = local(event.timestamp, clocks.zone_of(event.branch_id)).strftime("%H:%M:%S")
    output.line(when, f"{event.display_number or event.department_id:<8}", f"{event.event_type:<21}", counter, by)
