"""``tokenq start``."""

from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import move_token


def command(token: Token, as_json: Json = False) -> None:
    """Note that the service has begun."""
    move_token(token, "start", as_json=as_json)
