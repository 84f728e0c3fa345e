"""``tokenq recall``."""

from tokenq.cli.options import AtCounter, Json, Token
from tokenq.cli.tokens import move_token


def command(token: Token, at: AtCounter = None, as_json: Json = False) -> None:
    """Call the same person once more."""
    move_token(token, "recall", as_json=as_json, at=at)
