"""``tokenq dept``: departments."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.department_names import namesakes
from tokenq.cli.department_settings import NAMES, SHOWN_SETTINGS, read_settings
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.opening_hours import AsUsualOn, ClosedOn, check_hours, department_hours, shown_hours
from tokenq.cli.options import Department, Json, Yes, department_id, ratio_of
from tokenq.cli.prompts import confirm
from tokenq.cli.tree import plain_app
from tokenq.client import Client
from tokenq.client.calls import given
from tokenq.contract.problems import Refused
from tokenq.contract.settings import SETTINGS
from tokenq.errors import TokenqError

if TYPE_CHECKING:
    from tokenq.contract.views import DepartmentView

app = plain_app(help="List, create, change, open, close and delete departments.")

Branch = Annotated[str | None, typer.Option(metavar="BRANCH", help="Branch it belongs to; default: main.")]
Prefix = Annotated[str | None, typer.Option(help="Prefix of its numbers; default: its id.")]
Format = Annotated[str | None, typer.Option(help="Number format, such as {prefix}-{number:03d}; {number}: plain.")]
Ratio = Annotated[
    str | None,
    typer.Option(
        metavar="P:N",
        help="Ratio of priority to normal calls, such as 2:1.",
        callback=lambda typed: ratio_of(typed) if typed is not None else None,
    ),
]
MaxWait = Annotated[
    int | None,
    typer.Option(
        metavar="MINUTES", help="A customer who has waited this long is not overtaken by later ones of another class."
    ),
]
OpenAt = Annotated[
    str | None,
    typer.Option(
        "--hours",
        metavar="HOURS",
        help="Opening hours: 'mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00', branch or always.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting (see 'dept settings'); repeatable."),
]

_COLUMNS: output.Columns = {
    "Department": lambda view: view["departmentId"],
    "Name": lambda view: view["name"],
    "Branch": lambda view: view["branchId"],
    "Open": lambda view: "yes" if view["open"] else "no",
    "Prefix": lambda view: view["prefix"],
    "Ratio": lambda view: view["ratio"],
    "Max wait": lambda view: f"{view['maxWaitMinutes']} min",
}
_DETAILS: output.Columns = {
    **_COLUMNS,
    "Ratio": lambda view: f"{view['ratio']} (priority:normal)",
    "Numbers": lambda view: view["numberFormat"],
    "Hours": lambda view: shown_hours(view["hours"], "the branch's"),
    **SHOWN_SETTINGS,
}
_SETTINGS: output.Columns = {
    "Setting": lambda view: view["name"],
    "Default": lambda view: view["default"],
    "Description": lambda view: view["about"],
}


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all departments."""
    output.listing(connect().departments(), _COLUMNS, as_json=as_json)


@app.command()
def show(dept: Department, as_json: Json = False) -> None:
    """Show one department."""
    output.details(connect().department(dept), _DETAILS, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Display name, such as 'Cardiology ward'.")],
    id_: Annotated[
        str | None, typer.Option("--id", help="Short id, such as CW; default: derived from the name.")
    ] = None,
    branch: Branch = None,
    prefix: Prefix = None,
    number_format: Format = None,
    ratio: Ratio = None,
    max_wait: MaxWait = None,
    hours: OpenAt = None,
    closed_on: ClosedOn = None,
    settings: Set = None,
    closed: Annotated[bool, typer.Option("--closed", help="Create it closed.")] = False,
    as_json: Json = False,
) -> None:
    """Create a department."""
    body = given(
        departmentId=department_id(id_) if id_ else None,
        name=name,
        open=False if closed else None,
        **_fields(branch, prefix, number_format, ratio, max_wait),
        **read_settings(settings or ()),
    )
    if hours or closed_on:
        body["hours"] = department_hours(hours, closed_on or (), None)
    client = connect()
    created = client.create_department(body)
    output.details(created, _DETAILS, as_json=as_json)
    _report_namesakes(client, created)


@app.command()
def update(
    dept: Department,
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    branch: Branch = None,
    prefix: Prefix = None,
    number_format: Format = None,
    ratio: Ratio = None,
    max_wait: MaxWait = None,
    hours: OpenAt = None,
    closed_on: ClosedOn = None,
    as_usual_on: AsUsualOn = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Change the given fields."""
    body = given(name=name, **_fields(branch, prefix, number_format, ratio, max_wait), **read_settings(settings or ()))
    changes_hours = hours or closed_on or as_usual_on
    if not body and not changes_hours:
        raise WrongUse("Nothing to change.", "Give at least one option, such as --name.")
    check_hours(hours)
    client = connect()
    if changes_hours:
        body["hours"] = department_hours(hours, closed_on or (), client.department(dept)["hours"], as_usual_on or ())
    changed = client.change_department(dept, body)
    output.details(changed, _DETAILS, as_json=as_json)
    if name is not None:
        _report_namesakes(client, changed)


@app.command("settings")
def settings_(as_json: Json = False) -> None:
    """List the settings for --set, with defaults and descriptions."""
    views = [
        {"name": name, "default": SETTINGS[key].default, "about": SETTINGS[key].about} for name, key in NAMES.items()
    ]
    output.listing(views, _SETTINGS, as_json=as_json)


@app.command()
def delete(dept: Department, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a department without waiting customers; its history is kept."""
    client = connect()
    confirm(f"Delete the department {dept}?", yes=yes)
    client.delete_department(dept)
    output.deleted("department", dept, as_json=as_json)


@app.command("open")
def open_(dept: Department, as_json: Json = False) -> None:
    """Open a department for issuing tokens."""
    output.details(connect().open_department(dept), _DETAILS, as_json=as_json)


@app.command()
def close(dept: Department, as_json: Json = False) -> None:
    """Stop issuing tokens in a department; waiting customers are still served."""
    output.details(connect().close_department(dept), _DETAILS, as_json=as_json)


def _report_namesakes(client: Client, view: "DepartmentView") -> None:
    """Report that the name no longer stands for one department; it may be a mistake."""
    try:
        others = namesakes(view, client.departments())
    except (Refused, TokenqError):
        return  # the change is made all the same
    if others:
        have = "has this name" if len(others) == 1 else "have this name"
        echo(f"{' and '.join(others)} {have}, too: use their ids, or rename one with 'tokenq dept update'.")


def _fields(
    branch: str | None, prefix: str | None, number_format: str | None, ratio: str | None, max_wait: int | None
) -> dict[str, object]:
    if prefix is not None and not prefix.strip():
        raise WrongUse("A prefix must not be empty.", "For plain numbers, use --number-format '{number}'.")
    return given(branchId=branch, prefix=prefix, numberFormat=number_format, ratio=ratio, maxWaitMinutes=max_wait)
