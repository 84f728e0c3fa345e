"""``tokenq whoami``: who you are signed in as."""

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import echo
from tokenq.cli.options import Json


def command(as_json: Json = False) -> None:
    """Show who you are signed in as."""
    client = connect()
    view = client.me()
    if as_json:
        output.document({"url": client.server.url, **view})
        return
    output.fields(
        [
            ("Server", client.server.url),
            ("Name", view["name"]),
            ("Kind", view["kind"]),
            ("Role", view["role"]),
            ("Departments", " ".join(view["departments"]) or "all"),
        ]
    )
    if view["mustChangePassword"]:
        echo("Change the initial password: tokenq passwd")
