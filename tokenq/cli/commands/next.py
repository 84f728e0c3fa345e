"""``tokenq next``: who would be called now."""

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.options import Department, Json
from tokenq.cli.tokens import sentence


def command(dept: Department, as_json: Json = False) -> None:
    """Show who would be called now, and why. Calls nobody."""
    view = connect().next(dept)
    if as_json:
        output.document(view)
    elif view["token"] is None:
        output.line(f"Nobody waits in {view['departmentId']}.")
    else:
        output.line(sentence(view["token"]))
        if view["reason"]:
            output.line(view["reason"])
