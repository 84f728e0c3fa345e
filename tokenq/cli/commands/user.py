"""``tokenq user``: users and their roles."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json, OfRole, TheirDepartments, Yes
from tokenq.cli.prompts import confirm, new_password
from tokenq.cli.tree import plain_app
from tokenq.client import Client
from tokenq.client.calls import given
from tokenq.contract.numbers import whole_number
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason

if TYPE_CHECKING:
    from tokenq.contract.views import UserView

app = plain_app(help="List, create, change and delete users; set their roles.")

User = Annotated[str, typer.Argument(metavar="USER", help="User id (55) or user name.")]
Email = Annotated[str | None, typer.Option(help="E-mail address.")]
Username = Annotated[str | None, typer.Option(help="Name to sign in with.")]
Password = Annotated[
    bool, typer.Option("--password", help="Set a password; asked for, or read from TOKENQ_PASSWORD or stdin.")
]

_COLUMNS: output.Columns = {
    "User": lambda view: view["userId"],
    "User name": lambda view: view["username"],
    "Name": lambda view: view["name"],
    "E-mail": lambda view: view["email"],
    "Role": lambda view: view["role"],
    "Departments": lambda view: " ".join(view["departments"]) or "all",
    "Disabled": lambda view: "yes" if view["disabled"] else "no",
}


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all users."""
    output.listing(connect().users(), _COLUMNS, as_json=as_json)


@app.command()
def show(user: User, as_json: Json = False) -> None:
    """Show one user."""
    output.details(find_user(connect(), user), _COLUMNS, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    username: Username = None,
    email: Email = None,
    role: OfRole = None,
    dept: TheirDepartments = None,
    password: Password = False,
    as_json: Json = False,
) -> None:
    """Create a user."""
    body = given(
        name=name,
        username=username,
        email=email,
        role=role,
        departments=dept or None,
        password=new_password() if password else None,
    )
    output.details(connect().create_user(body), _COLUMNS, as_json=as_json)


@app.command()
def update(
    user: User,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    username: Username = None,
    email: Email = None,
    role: OfRole = None,
    dept: TheirDepartments = None,
    password: Password = False,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable", help="Whether the user may sign in.")] = None,
    as_json: Json = False,
) -> None:
    """Change the given fields."""
    changes = given(name=name, username=username, email=email, role=role, departments=dept or None, disabled=disabled)
    if not changes and not password:
        raise WrongUse("Nothing to change.", "Give at least one option, such as --role.")
    client = connect()
    view = find_user(client, user)
    if password:
        changes["password"] = new_password()
    output.details(client.change_user(view["userId"], changes), _COLUMNS, as_json=as_json)


@app.command()
def delete(user: User, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a user and end their sessions.

    Their tokens are kept, with name and address; 'tokenq erase' removes these, too.
    """
    client = connect()
    view = find_user(client, user)
    confirm(f"Delete the user {view['userId']} ({view['name']})?", yes=yes)
    client.delete_user(view["userId"])
    output.deleted("user", view["userId"], as_json=as_json)


@app.command()
def roles(as_json: Json = False) -> None:
    """List the roles and their permissions."""
    views = connect().roles()
    if as_json:
        output.document({"items": views})
    else:
        output.fields((view["role"], view["may"]) for view in views)


def find_user(client: Client, reference: str) -> "UserView":
    """Find a user by id or user name.

    Raises:
        Refused: there is no such user.
    """
    if (user_id := whole_number(reference)) is not None:
        return client.user(user_id)
    for view in client.users():
        if view["username"] == reference.lower():
            return view
    raise refuse(AccountReason.UNKNOWN_USER, user=reference)
