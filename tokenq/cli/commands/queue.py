"""``tokenq queue``: who is waiting and who is at which counter."""

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_label
from tokenq.cli.context import connect
from tokenq.cli.exits import echo
from tokenq.cli.options import Department, Json
from tokenq.cli.tokens import ENGLISH, FORGOTTEN_HINT, clock, forgotten_at, wait_of_newcomer
from tokenq.client import Client
from tokenq.locale import notices

if TYPE_CHECKING:
    from tokenq.contract.views import QueueView

_AROUND = 11
"""Lines around the rows: title, head and frame of the table, the lines below it, the cursor."""

_COLUMNS = ("#", "Number", "State", "Counter", "Priority", "Since", "Name")


def command(
    dept: Department,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh after every change.")] = False,
    as_json: Json = False,
) -> None:
    """Show who is waiting and who is at which counter."""
    client = connect()
    if watch:
        _watch(client, dept, as_json=as_json)
    elif as_json:
        output.document(client.queue(dept))
    else:
        _show(client.queue(dept))


def _watch(client: Client, dept: str, *, as_json: bool) -> None:
    """Fetch and show the queue after each event; events only say that it changed."""
    from tokenq.client.events import LinkChanged, follow

    latest = -1
    for arrival in follow(client.server, [dept], None, threading.Event()):
        if isinstance(arrival, LinkChanged) and not arrival.is_live:
            echo(f"{arrival.sentence} Retrying.")
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
    """Show the queue; with ``height``, only as many rows as fit, and how many more there are."""
    counts, zone = queue["counts"], queue.get("timezone", "")
    state = "open" if queue["opening"]["isOpen"] else "closed"
    title = f"{queue['departmentId']} {queue['name']} ({state}), {queue['businessDay']}"
    all_tokens = [*queue["serving"], *queue["called"], *queue["waiting"], *queue["parked"]]
    tokens = all_tokens if height is None else all_tokens[: max(height - _AROUND, 1)]
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
    output.line(f"{counts['waiting']} waiting, {counts['served']} served, {counts['noShow']} no-shows.")
    if wait := wait_of_newcomer(queue["estimate"]):
        output.line(wait)
    paused = [
        f"{counter['counterId']} ({counter['reason'] or 'no reason given'})"
        for counter in queue["counters"]
        if counter["state"] == "PAUSED"
    ]
    for alarm in notices.alarms(queue, ENGLISH):
        output.line(f"Alarm: {alarm}")
    forgotten = forgotten_at(queue["counters"])
    for counter_id, sentence in forgotten.items():
        output.line(f"Counter {counter_id}: {sentence}")
    if forgotten:
        echo(FORGOTTEN_HINT)
    if paused:
        output.line(f"Paused counters: {', '.join(paused)}.")
    if tokens and (shown_zone := zone_label(zone)):
        output.line(f"Times of {shown_zone}.")
