"""``tokenq audit``: security events."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Json
from tokenq.cli.tokens import clock
from tokenq.contract.audit import AuditKind, AuditResult
from tokenq.contract.days import DATE, TODAY, YESTERDAY
from tokenq.contract.paths import API

if TYPE_CHECKING:
    from tokenq.contract.audit_views import AuditView

_WRITE = "Write today, yesterday, a date such as 2026-11-23, or a time such as 2026-11-23T08:00."

_MOST = 100_000

_COLUMNS: output.Columns = {
    "Time": lambda view: clock(view["at"], with_day=True).removeprefix(str(date.today().year) + "-"),
    "Event": lambda view: _event(view),
    "By": lambda view: view["actor"],
    "From": lambda view: view["source"],
    "About": lambda view: _about(view),
}


def command(
    first: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on: today, yesterday, a date or a time.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then; a day is included.")] = None,
    kind: Annotated[
        AuditKind | None, typer.Option("--kind", metavar="KIND", help="Only this kind, such as login or user.role.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME", help="Only by this user or key: its name, or user:2, key:3."),
    ] = None,
    result: Annotated[AuditResult | None, typer.Option("--result", help="Only what was done, or refused.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="At most this many.")] = 50,
    as_json: Json = False,
) -> None:
    """List security events, newest first. For admins.

    Sign-ins, refusals of rights, changes of users, keys and passwords, counters taken over. Times are this machine's.
    The same refusal within a minute is one event with a count (x3). --json has request ids and codes, too.
    """
    period = _moment(first, is_end=False), _moment(last, is_end=True)
    filters = {"from": period[0], "to": period[1], "kind": kind, "actor": actor, "result": result}
    client = connect()
    events, are_more = client.audit(limit, **filters)
    if events or as_json:
        output.listing(events, _COLUMNS, as_json=as_json)
    else:
        output.line("There are no such events.")
    if are_more:
        echo(f"There are older ones: {_to_see_more(limit)}.")


def _to_see_more(limit: int) -> str:
    if limit < _MOST:
        return f"--limit {min(limit * 10, _MOST)} shows more"
    return "--to with an earlier time shows them"


def _event(view: "AuditView") -> str:
    refused = " refused" if view["result"] == AuditResult.REFUSED else ""
    return f"{view['kind']}{refused}{_times(view)}"


def _times(view: "AuditView") -> str:
    return f" x{view['count']}" if view["count"] > 1 else ""


def _about(view: "AuditView") -> str:
    """What it was about, without what is the same for all routes."""
    about = " ".join(part for part in (view["object"], view["detail"]) if part)
    return about.removeprefix("route:").replace(f"{API}/", "/")


def _moment(typed: str | None, *, is_end: bool) -> str | None:
    """Return a day or a time on this machine's clock as the API reads it; a day as an end is included.

    Raises:
        WrongUse: it is neither.
    """
    if typed is None:
        return None
    text = typed.strip()
    today = datetime.now().astimezone().date()
    day = {TODAY: today, YESTERDAY: today - timedelta(days=1)}.get(text.lower())
    try:
        if day is None and DATE.fullmatch(text):
            day = date.fromisoformat(text)
        if day is None:
            return datetime.fromisoformat(text).astimezone().isoformat()
        day += timedelta(days=is_end)
        return datetime(day.year, day.month, day.day).astimezone().isoformat()
    except (ValueError, OverflowError):
        raise WrongUse(f"'{typed}' is neither a day nor a time.", _WRITE) from None
