"""``tokenq erase``: erase what is stored about a person, or show it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import output
from tokenq.cli.commands.user import find_user
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Json, Yes, token_name
from tokenq.cli.prompts import confirm
from tokenq.client import Client
from tokenq.contract.numbers import whole_number

if TYPE_CHECKING:
    from tokenq.contract.personal_views import ErasureView, PersonalDataView

_ELSEWHERE = (
    "Kafka keeps its records until they expire there; backups, mail servers and the e-mails in the server's folder "
    "'mail' (TOKENQ_MAIL_OUTBOX) stay."
)
_KINDS = {
    "tokens": ("token", "tokens"),
    "entries": ("log entry", "log entries"),
    "letters": ("e-mail", "e-mails"),
    "records": ("dead letter", "dead letters"),
    "answers": ("stored answer", "stored answers"),
    "accounts": ("account", "accounts"),
}


def command(
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="This user (id or user name), with the account.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Whoever has or had this e-mail address.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="TOKEN",
            help="The customer of this number (CW-012 of today, or id:101).",
            callback=lambda typed: typed and token_name(typed),
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what is stored, and erase nothing.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase what is stored about a person: names, addresses and free text. For admins.

    Numbers and times stay, so reports and 'tokenq verify' hold. A number still in use must be served or cancelled
    first. E-mails still queued are not sent. --show prints what is stored instead; with --json it is the export.
    """
    if sum(option is not None for option in (user, email, token)) != 1:
        raise WrongUse("Who is meant?", "Give exactly one of --user, --email and --token.")
    if show and yes:
        raise WrongUse("--show erases nothing, so there is nothing to confirm.", "Leave out --show or --yes.")
    client = connect()
    person, name = _person(client, user, email, token)
    if show:
        _show(client.personal_data(person), name, as_json=as_json)
        return
    counted = client.erase(person, dry_run=True)
    if any(counted[kind] for kind in _KINDS):  # type: ignore[literal-required]
        confirm(f"Erase {name}: {_counts(counted)}? This cannot be undone.", yes=yes)
    erased = client.erase(person)
    if as_json:
        output.document(erased)
    else:
        output.line(f"Erased: {_counts(erased)}." if _counts(erased) else f"Nothing is stored about {name}.")
    echo(_ELSEWHERE)


def _person(client: Client, user: str | None, email: str | None, token: str | None) -> tuple[dict[str, Any], str]:
    """Return whom the API is to erase, and how to name them.

    A user id is taken as it is: of a user who was deleted before, the tokens may remain.
    """
    if user is not None:
        user_id = whole_number(user)
        if user_id is None:
            user_id = find_user(client, user)["userId"]
        return {"userId": user_id}, f"user {user}"
    if email is not None:
        return {"email": email.strip()}, f"the address {email.strip()}"
    view = client.find_token(token or "")
    return {"tokenId": view["tokenId"]}, f"the customer of {view['displayNumber']} (id:{view['tokenId']})"


def _counts(erased: "ErasureView") -> str:
    counts = [_count(erased[kind], kind) for kind in _KINDS]  # type: ignore[literal-required]
    return ", ".join(filter(None, counts))


def _count(count: int, kind: str) -> str:
    singular, plural = _KINDS[kind]
    return f"{count} {singular if count == 1 else plural}" if count else ""


def _show(known: "PersonalDataView", name: str, *, as_json: bool) -> None:
    if as_json:
        output.document(known)
        return
    account = known["account"]
    if account is not None:
        output.fields([("User", account["userId"]), ("Name", account["name"]), ("E-mail", account["email"])])
    if known["tokens"]:
        rows = [
            (
                f"id:{view['tokenId']}",
                view["displayNumber"],
                view["businessDay"],
                view["state"],
                view["name"],
                view["email"],
            )
            for view in known["tokens"]
        ]
        output.table(["Token", "Number", "Day", "State", "Name", "E-mail"], rows)
    rest = [_count(len(known["events"]), "entries"), _count(len(known["letters"]), "letters")]
    if any(rest):
        output.line(f"{' and '.join(filter(None, rest))}; --json shows everything.")
    if account is None and not (known["tokens"] or known["events"] or known["letters"]):
        output.line(f"Nothing is stored about {name}.")
