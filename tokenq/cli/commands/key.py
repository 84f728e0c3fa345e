"""``tokenq key``: long-lived keys for kiosks and scripts."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Json, TheirDepartments, Yes
from tokenq.cli.prompts import confirm
from tokenq.cli.tokens import clock
from tokenq.cli.tree import plain_app
from tokenq.client import Client
from tokenq.client.calls import given
from tokenq.contract.enums import Role
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason

if TYPE_CHECKING:
    from tokenq.contract.views import KeyView

app = plain_app(help="List, create, change and delete keys for kiosks and scripts.")

Key = Annotated[int, typer.Argument(metavar="KEY_ID", help="Key id, as shown by 'tokenq key list'.")]

_COLUMNS: output.Columns = {
    "Key": lambda view: view["keyId"],
    "Label": lambda view: view["label"],
    "Role": lambda view: view["role"],
    "Departments": lambda view: " ".join(view["departments"]) or "all",
    "Created": lambda view: clock(view["createdAt"], with_day=True),
    "Last used": lambda view: clock(view["lastUsedAt"], with_day=True) or "never",
}


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all keys, without their secrets."""
    output.listing(connect().keys(), _COLUMNS, as_json=as_json)


@app.command()
def show(key: Key, as_json: Json = False) -> None:
    """Show one key, without its secret."""
    output.details(_find(connect(), key), _COLUMNS, as_json=as_json)


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="Purpose, such as 'kiosk at the entrance'.")],
    role: Annotated[Role, typer.Option(help="Its role.")] = Role.DESK,
    dept: TheirDepartments = None,
    as_json: Json = False,
) -> None:
    """Create a key. Its secret is printed once, to stdout; use it as TOKENQ_TOKEN."""
    view = connect().create_key({"label": label, "role": role, "departments": dept or []})
    if as_json:
        output.document(view)
        return
    output.line(view.get("key", ""))
    echo(f"Key {view['keyId']} created. It is shown only this one time: save it now and use it as TOKENQ_TOKEN.")


@app.command()
def update(
    key: Key,
    label: Annotated[str | None, typer.Option(help="Purpose.")] = None,
    role: Annotated[Role | None, typer.Option(help="Its role.")] = None,
    dept: TheirDepartments = None,
    as_json: Json = False,
) -> None:
    """Change the given fields; the secret stays the same."""
    changes = given(label=label, role=role, departments=dept)
    if not changes:
        raise WrongUse("Nothing to change.", "Give at least one option, such as --label.")
    output.details(connect().change_key(key, changes), _COLUMNS, as_json=as_json)


@app.command()
def delete(key: Key, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a key; clients that use it stop working at once."""
    client = connect()
    confirm(f"Delete the key {key}? Clients that use it stop working.", yes=yes)
    client.delete_key(key)
    output.deleted("key", key, as_json=as_json)


def _find(client: Client, key_id: int) -> "KeyView":
    keys = client.keys()
    for view in keys:
        if view["keyId"] == key_id:
            return view
    raise refuse(AccountReason.UNKNOWN_KEY, key=key_id)
