"""``tokenq why``: explain a token's position."""

from typing import TYPE_CHECKING

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import sentence, waits

if TYPE_CHECKING:
    from tokenq.contract.views import WhyView

_SHOWN = 15


def command(token: Token, as_json: Json = False) -> None:
    """Explain a token's position: who is ahead of it and by which rule, or the rule that called it."""
    client = connect()
    view = client.why(client.find_token(token)["tokenId"])
    if as_json:
        output.document(view)
    else:
        zone = zone_of(client, view["token"]["branchId"]) if view["token"]["parkedUntil"] else ""
        _show(view, zone)


def _show(view: "WhyView", zone: str) -> None:
    output.line(sentence(view["token"], zone))
    if view["rule"]:
        output.line(f"Because: {view['rule']}.")
    output.line(f"Order:   {view['policy']}")
    if view["position"] is None:
        return
    output.line(f"Wait:    {waits(view['estimate'], with_reason=True) or 'unknown'}")
    ahead = view["ahead"]
    if ahead:
        rows = (
            (token["position"], token["displayNumber"], token["priority"], token["rule"]) for token in ahead[:_SHOWN]
        )
        output.table(("#", "Number", "Class", "Ahead because"), rows)
    more = view["position"] - 1 - min(len(ahead), _SHOWN)
    if more > 0:
        output.line(f"… and {more} more ahead of it.")
