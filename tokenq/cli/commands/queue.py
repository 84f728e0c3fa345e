"""``tokenq queue``: who waits and who is at which counter."""

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import whose_times
from tokenq.cli.context import connect
from tokenq.cli.exits import echo
from tokenq.cli.options import Department, Json
from tokenq.cli.tokens import clock, waits
from tokenq.client import Client

if TYPE_CHECKING:
    from tokenq.contract.views import QueueView

_AROUND = 11
"""Lines that are no rows: title, head and frame of the table, the sentences underneath, the cursor."""

_COLUMNS = ("#", "Number", "State", "Counter", "Priority", "Since", "Name")


def command(
    dept: Department,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again after every change.")] = False,
    as_json: Json = False,
) -> None:
    """Show who waits and who is at which counter."""
    client = connect()
    if watch:
        _watch(client, dept, as_json=as_json)
    elif as_json:
        output.document(client.queue(dept))
    else:
        _show(client.queue(dept))


def _watch(client: Client, dept: str, *, as_json: bool) -> None:
    """Fetch anew after each arrival; the event stream says when, the queue itself says what."""
    from tokenq.client.events import LinkChanged, follow

    latest = -1
    for arrival in follow(client.server, [dept], None, threading.Event()):
        if isinstance(arrival, LinkChanged) and not arrival.is_live:
            echo(f"{arrival.sentence} Trying again.")
            continue
        queue = client.queue(dept)
        if queue["seq"] == latest:
            continue
        latest = queue["seq"]
        if as_json:
            output.record(queue)
        else:
            output.clear()
            _show(queue, output.height())


def _show(queue: "QueueView", height: int | None = None) -> None:
    """The queue; on a terminal of that ``height`` its head, and how many more there are."""
    counts, zone = queue["counts"], queue.get("timezone", "")
    state = "open" if queue["opening"]["isOpen"] else "closed"
    title = f"{queue['departmentId']} {queue['name']} ({state}), {queue['businessDay']}"
    everybody = [*queue["serving"], *queue["called"], *queue["waiting"], *queue["parked"]]
    tokens = everybody if height is None else everybody[: max(height - _AROUND, 1)]
    output.line(title)
    if tokens:
        output.table(
            _COLUMNS,
            (
                (
                    token["position"],
                    token["displayNumber"],
                    token["state"],
                    token["counterId"],
                    queue["classNames"].get(token["priority"], token["priority"]),
                    clock(token["startedAt"] or token["calledAt"] or token["issuedAt"], zone),
                    token["name"],
                )
                for token in tokens
            ),
        )
    more = counts["waiting"] - sum(token["state"] == "WAITING" for token in tokens)
    if more > 0:
        output.line(f"… and {more} more waiting.")
    output.line(f"{counts['waiting']} waiting, {counts['served']} served, {counts['noShow']} did not come.")
    wait = waits(queue["estimate"], with_reason=True)
    if wait:
        output.line(f"Estimated wait for a new customer: {wait}.")
    paused = [
        f"{one['counterId']} ({one['reason'] or 'no reason given'})"
        for one in queue["counters"]
        if one["state"] == "PAUSED"
    ]
    if paused:
        output.line(f"Paused counters: {', '.join(paused)}.")
    if tokens and (whose := whose_times(zone)):
        output.line(f"Times of {whose}.")
