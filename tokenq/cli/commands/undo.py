"""``tokenq undo``."""

from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import move_token


def command(token: Token, as_json: Json = False) -> None:
    """Take the last move of a token back, within minutes of it."""
    move_token(token, "undo", as_json=as_json)
