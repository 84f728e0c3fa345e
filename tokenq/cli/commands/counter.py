"""``tokenq counter``: the counters of a branch."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import InBranch, Json, NewCounter, Reason, TheirDepartments, Yes, typed_departments
from tokenq.cli.prompts import confirm
from tokenq.cli.tokens import ENGLISH, FORGOTTEN_HINT, clock, forgotten_at, is_ahead
from tokenq.cli.tree import plain_app
from tokenq.cli.wording import in_branch
from tokenq.contract.names import MAIN_BRANCH
from tokenq.locale import notices

if TYPE_CHECKING:
    from tokenq.contract.views import CounterView

app = plain_app(help="List, open, pause, close and delete counters; set what each serves.")

_SHOWN = 4

Counter = Annotated[str, typer.Argument(metavar="COUNTER", help="Counter name, such as 3.")]


@app.command("list")
def list_(branch: InBranch = MAIN_BRANCH, as_json: Json = False) -> None:
    """List the counters of a branch and the token at each."""
    client = connect()
    counters = client.counters(branch)
    if as_json:
        output.document({"items": counters})
        return
    zone = zone_of(client, branch)
    forgotten = forgotten_at(counters)
    output.table(
        ("Counter", "State", "Reason", "Operator", "Serves", "Token"),
        (
            (
                view["counterId"],
                _state(view, zone),
                view["reason"],
                view["operator"] if is_ahead(view["leaseUntil"]) else "",
                _serves(view["departments"]),
                forgotten.get(view["counterId"]) or (view["token"]["displayNumber"] if view["token"] else ""),
            )
            for view in counters
        ),
    )
    if forgotten:
        echo(FORGOTTEN_HINT)


def _serves(departments: list[str]) -> str:
    """The first few of a counter's departments, to keep the table narrow."""
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
            help="Department it serves; repeatable. Default: what it served before.",
            callback=typed_departments,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Serve all departments.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Take it over if it is in use by another operator.")
    ] = False,
    new: NewCounter = False,
    branch: InBranch = MAIN_BRANCH,
    as_json: Json = False,
) -> None:
    """Claim and open a counter; it serves the departments in the order of --dept."""
    if dept and all_:
        raise WrongUse("--dept and --all exclude each other.", "Give one of them.")
    departments = () if all_ else dept or None
    opened = connect().open_counter(branch, counter, departments, take_over=take_over, may_create=new)
    _show(opened, as_json=as_json)


@app.command()
def pause(counter: Counter, reason: Reason = None, branch: InBranch = MAIN_BRANCH, as_json: Json = False) -> None:
    """Pause a counter: it makes no calls until it is opened."""
    paused = connect().pause_counter(branch, counter, reason)
    _show(paused, as_json=as_json)
    _report_unserved(paused)


@app.command()
def close(counter: Counter, branch: InBranch = MAIN_BRANCH, as_json: Json = False) -> None:
    """Close a counter that holds no token."""
    closed = connect().close_counter(branch, counter)
    _show(closed, as_json=as_json)
    _report_unserved(closed)


@app.command()
def declare(
    counter: Counter, dept: TheirDepartments = None, branch: InBranch = MAIN_BRANCH, as_json: Json = False
) -> None:
    """Set which departments a counter serves, in order; without --dept, all of the branch."""
    _show(connect().declare_counter(branch, counter, dept or ()), as_json=as_json)


@app.command()
def delete(counter: Counter, branch: InBranch = MAIN_BRANCH, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a counter that holds no token, with its settings."""
    client = connect()
    confirm(f"Delete the counter {counter}?", yes=yes)
    client.delete_counter(branch, counter)
    output.deleted("counter", counter, as_json=as_json)


def _state(view: "CounterView", zone: str) -> str:
    since = view.get("unattendedSince")
    return view["state"] + (f", unattended since {clock(since, zone)[:5]}" if since else "")


def _report_unserved(view: "CounterView") -> None:
    """Report who waits where nobody serves any more."""
    for sentence in notices.unserved(view, ENGLISH):
        echo(sentence)
    if view.get("unserved"):
        where = shlex.quote(view["counterId"]) + in_branch(view["branchId"])
        echo(f"  Open it again with 'tokenq counter open {where}', or another counter.")


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
            ("Token", view["token"]["displayNumber"] if view["token"] else None),
        ]
    )
