"""``tokenq reinstate``."""

from tokenq.cli.options import Json, Position, Reason, Token
from tokenq.cli.tokens import move_token
from tokenq.contract.words import RequeuePosition


def command(
    token: Token, position: Position = RequeuePosition.ORIGINAL, reason: Reason = None, as_json: Json = False
) -> None:
    """Let somebody back into the line who did not come or was cancelled today."""
    move_token(token, "reinstate", as_json=as_json, position=position, reason=reason)
