"""``tokenq counter``: where people are served."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import InBranch, Json, Reason, TheirDepartments, Yes, department_ids
from tokenq.cli.prompts import confirm
from tokenq.cli.tokens import clock, is_ahead
from tokenq.cli.tree import plain_app

if TYPE_CHECKING:
    from tokenq.contract.views import CounterView

app = plain_app(help="List, open, pause, close and delete counters; set up what each serves.")

_SHOWN = 4

Counter = Annotated[str, typer.Argument(metavar="COUNTER", help="The counter's name, such as 3.")]


@app.command("list")
def list_(branch: InBranch = "main", as_json: Json = False) -> None:
    """List the counters of a branch and whom each holds."""
    client = connect()
    counters = client.counters(branch)
    if as_json:
        output.document({"items": counters})
        return
    zone = zone_of(client, branch)
    output.table(
        ("Counter", "State", "Why", "Operator", "Serves", "Holds"),
        (
            (
                view["counterId"],
                _state(view, zone),
                view["reason"],
                view["operator"] if is_ahead(view["leaseUntil"]) else "",
                _serves(view["departments"]),
                view["token"]["displayNumber"] if view["token"] else "",
            )
            for view in counters
        ),
    )


def _serves(departments: list[str]) -> str:
    """The first few of a counter's departments, so that a table stays one."""
    more = len(departments) - _SHOWN
    return " ".join(departments[:_SHOWN]) + (f" … {more} more" if more > 0 else "") or "all"


@app.command("open")
def open_(
    counter: Counter,
    dept: Annotated[
        list[str] | None,
        typer.Option(
            "--dept",
            metavar="DEPT",
            help="What it serves; may be repeated. None given: what it served before.",
            callback=department_ids,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Serve every department again.")] = False,
    take_over: Annotated[bool, typer.Option("--take-over", help="Also if somebody else works there.")] = False,
    branch: InBranch = "main",
    as_json: Json = False,
) -> None:
    """Claim a counter and let it take people; --dept in the order in which it shall serve."""
    if dept and all_:
        raise WrongUse("--dept and --all say two things.", "Give one of them.")
    wanted = () if all_ else dept or None
    _show(connect().open_counter(branch, counter, wanted, take_over=take_over), as_json=as_json)


@app.command()
def pause(counter: Counter, reason: Reason = None, branch: InBranch = "main", as_json: Json = False) -> None:
    """Let a counter call nobody for a while."""
    _show(connect().pause_counter(branch, counter, reason), as_json=as_json)


@app.command()
def close(counter: Counter, branch: InBranch = "main", as_json: Json = False) -> None:
    """Close a counter that holds nobody."""
    _show(connect().close_counter(branch, counter), as_json=as_json)


@app.command()
def declare(counter: Counter, dept: TheirDepartments = None, branch: InBranch = "main", as_json: Json = False) -> None:
    """Set up what a counter serves, in that order; without --dept every department of the branch."""
    _show(connect().declare_counter(branch, counter, dept or ()), as_json=as_json)


@app.command()
def delete(counter: Counter, branch: InBranch = "main", yes: Yes = False, as_json: Json = False) -> None:
    """Delete a counter that holds nobody, and what was set up for it."""
    client = connect()
    confirm(f"Delete the counter {counter}?", yes=yes)
    client.delete_counter(branch, counter)
    output.deleted("counter", counter, as_json=as_json)


def _state(view: "CounterView", zone: str) -> str:
    since = view.get("unattendedSince")
    return view["state"] + (f", nobody there since {clock(since, zone)[:5]}" if since else "")


def _show(view: "CounterView", *, as_json: bool) -> None:
    if as_json:
        output.document(view)
        return
    zone = zone_of(connect(), view["branchId"]) if view["leaseUntil"] else ""
    output.fields(
        [
            ("Counter", view["counterId"]),
            ("Branch", view["branchId"]),
            ("State", view["state"] + (f" ({view['reason']})" if view["reason"] else "")),
            ("Operator", view["operator"]),
            ("Claimed until", clock(view["leaseUntil"], zone)),
            ("Serves", " ".join(view["departments"]) or "all departments of the branch"),
            ("Holds", view["token"]["displayNumber"] if view["token"] else None),
        ]
    )
