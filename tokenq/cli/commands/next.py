"""``tokenq next``: who would be called next."""

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.options import Department, Json
from tokenq.cli.tokens import sentence, wait_of_newcomer


def command(dept: Department, as_json: Json = False) -> None:
    """Show who would be called next, and why, without calling."""
    view = connect().next(dept)
    if as_json:
        output.document(view)
        return
    if view["token"] is None:
        output.line(f"Nobody is waiting in {view['departmentId']}.")
    else:
        output.line(sentence(view["token"]))
        output.line(f"Because: {view['reason']}.")
    output.line(f"Order:   {view['policy']}")
    if wait := wait_of_newcomer(view["estimate"]):
        output.line(wait)
