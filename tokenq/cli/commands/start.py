"""``tokenq start``."""

from tokenq.cli.options import AtCounter, Json, Token
from tokenq.cli.tokens import move_token


def command(token: Token, at: AtCounter = None, as_json: Json = False) -> None:
    """Note that the service has begun."""
    move_token(token, "start", as_json=as_json, at=at)
