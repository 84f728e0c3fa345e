"""``tokenq branch``: sites, their time zones and the start of their business day."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.department_settings import labels, read_branch_text
from tokenq.cli.exits import WrongUse
from tokenq.cli.opening_hours import AsUsualOn, ClosedOn, branch_hours, check_hours, shown_hours, shown_week
from tokenq.cli.options import Json, Yes
from tokenq.cli.prompts import confirm
from tokenq.cli.tree import plain_app
from tokenq.cli.wording import sentence_of
from tokenq.client import Client
from tokenq.client.calls import given
from tokenq.contract.problems import Refused

if TYPE_CHECKING:
    from tokenq.contract.views import BranchView

app = plain_app(help="List, create, change and delete branches.")

Branch = Annotated[str, typer.Argument(metavar="BRANCH", help="Branch id, such as main.")]
OpenAt = Annotated[
    str | None,
    typer.Option(
        "--hours",
        metavar="HOURS",
        help="Opening hours: 'mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00', or always.",
    ),
]
RolloverHour = Annotated[
    int | None, typer.Option(min=0, max=23, metavar="HOUR", help="Hour at which the business day begins; default: 4.")
]
Languages = Annotated[
    str | None,
    typer.Option(metavar="TAGS", help="Languages of its screens, tickets and e-mails, its own first: de,en,ar."),
]
CounterWords = Annotated[
    str | None,
    typer.Option("--counter-word", metavar="WORDS", help="What it calls a counter: de:Zimmer,en:Room."),
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Where customers reach the server (no path), for links on tickets; none: no links."
    ),
]

_COLUMNS: output.Columns = {
    "Branch": lambda view: view["branchId"],
    "Name": lambda view: view["name"],
    "Time zone": lambda view: view["timezone"],
    "Day begins": lambda view: f"{view['rolloverHour']:02d}:00",
    "Hours": lambda view: shown_hours(view["hours"], _ALWAYS),
    "Languages": lambda view: ", ".join(view.get("languages") or []),
    "Counter word": lambda view: labels(view.get("counterWords") or {}),
    "Public URL": lambda view: view.get("publicUrl") or "none",
}
_IN_LISTS = ("Branch", "Name", "Time zone", "Day begins", "Hours")
_ALWAYS = "always open"


def _week(view: "BranchView") -> str:
    """The week without holidays, to keep the table narrow."""
    return shown_week(view["hours"], _ALWAYS)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all branches."""
    columns = {name: _COLUMNS[name] for name in _IN_LISTS}
    output.listing(connect().branches(), {**columns, "Hours": _week}, as_json=as_json)


@app.command()
def show(branch: Branch, as_json: Json = False) -> None:
    """Show one branch."""
    output.details(connect().branch(branch), _COLUMNS, as_json=as_json)


@app.command()
def create(
    branch: Branch,
    name: Annotated[str, typer.Option(help="Display name.")],
    timezone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Berlin.")],
    rollover_hour: RolloverHour = None,
    hours: OpenAt = None,
    closed_on: ClosedOn = None,
    languages: Languages = None,
    counter_words: CounterWords = None,
    public_url: PublicUrl = None,
    as_json: Json = False,
) -> None:
    """Create a branch."""
    open_at = branch_hours(hours, closed_on or (), None)
    body = given(branchId=branch, name=name, timezone=timezone, rolloverHour=rollover_hour, hours=open_at)
    body |= _texts(languages, counter_words, public_url)
    output.details(connect().create_branch(body), _COLUMNS, as_json=as_json)


@app.command()
def update(
    branch: Branch,
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA time zone, such as Europe/Berlin.")] = None,
    rollover_hour: RolloverHour = None,
    hours: OpenAt = None,
    closed_on: ClosedOn = None,
    as_usual_on: AsUsualOn = None,
    languages: Languages = None,
    counter_words: CounterWords = None,
    public_url: PublicUrl = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Change the given fields. Asks first if that would end the business day for waiting customers."""
    changes = given(name=name, timezone=timezone, rolloverHour=rollover_hour)
    changes |= _texts(languages, counter_words, public_url)
    if not changes and not hours and not closed_on and not as_usual_on:
        raise WrongUse("Nothing to change.", "Give at least one option, such as --name.")
    check_hours(hours)
    client = connect()
    now = client.branch(branch)
    whole = {key: value for key, value in now.items() if key != "branchId"} | changes
    whole["hours"] = branch_hours(hours, closed_on or (), now["hours"], as_usual_on or ())
    output.details(_replace(client, branch, whole, yes=yes), _COLUMNS, as_json=as_json)


@app.command()
def delete(branch: Branch, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a branch without departments."""
    client = connect()
    confirm(f"Delete the branch {branch}?", yes=yes)
    client.delete_branch(branch)
    output.deleted("branch", branch, as_json=as_json)


def _texts(languages: str | None, counter_words: str | None, public_url: str | None) -> dict[str, Any]:
    """Return how a branch speaks to its customers, as far as it was given.

    Raises:
        WrongUse: something given cannot be read.
    """
    typed = given(languages=languages, counterWords=counter_words, publicUrl=public_url)
    try:
        return {key: read_branch_text(key, text) for key, text in typed.items()}
    except ValueError as error:
        raise WrongUse(f"--counter-word {error}.", "See 'tokenq branch update --help'.") from None


def _replace(client: Client, branch: str, whole: dict[str, Any], *, yes: bool) -> "BranchView":
    """Replace the branch and return it; a change that ends the business day needs confirmation."""
    try:
        return client.replace_branch(branch, whole)
    except Refused as refusal:
        if "ends" not in refusal.problem.extra:
            raise
        confirm(f"{sentence_of(refusal.problem)} Change it?", yes=yes)
    return client.replace_branch(branch, {**whole, "endDay": True})
