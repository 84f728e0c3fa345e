"""``tokenq passwd``: change your password."""

from tokenq.cli import output, prompts
from tokenq.cli.context import connect
from tokenq.cli.options import Json
from tokenq.cli.reasons import CommandReason
from tokenq.contract.problems import refuse


def command(as_json: Json = False) -> None:
    """Change your password. Without a terminal: the old and the new one as two lines on stdin."""
    client = connect()
    me = client.me()
    if me["kind"] == "key":
        raise refuse(CommandReason.KEY_HAS_NO_PASSWORD, name=me["name"])
    old = prompts.password("Old password")
    client.change_password(old, prompts.chosen_secret("New password"))
    if as_json:
        output.document({"changed": True})
    else:
        output.line("Password changed.")
