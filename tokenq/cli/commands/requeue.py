"""``tokenq requeue``: put a called person back in line."""

from tokenq.cli.options import AtCounter, Json, Position, Token
from tokenq.cli.tokens import move_token
from tokenq.contract.words import RequeuePosition


def command(
    token: Token,
    position: Position = RequeuePosition.ORIGINAL,
    at: AtCounter = None,
    as_json: Json = False,
) -> None:
    """Put a called person back in line."""
    move_token(token, "requeue", as_json=as_json, at=at, position=position)
