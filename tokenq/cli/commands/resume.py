"""``tokenq resume``."""

from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import move_token


def command(token: Token, as_json: Json = False) -> None:
    """Let a parked person back into the line, at the old place."""
    move_token(token, "resume", as_json=as_json)
