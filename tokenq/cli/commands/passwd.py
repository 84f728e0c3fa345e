"""``tokenq passwd``: change your password."""

from tokenq.cli import output, prompts
from tokenq.cli.context import connect
from tokenq.cli.options import Json


def command(as_json: Json = False) -> None:
    """Change your password. Without a terminal: the old and the new one as two lines on stdin."""
    client = connect()
    old = prompts.password("Old password")
    client.change_password(old, prompts.chosen_secret("New password"))
    if as_json:
        output.document({"changed": True})
    else:
        output.line("Password changed.")
