"""``tokenq passwd``: change your password."""

from tokenq.cli import output, prompts
from tokenq.cli.context import anonymous, client_for, credentials_file, identify
from tokenq.cli.exits import echo
from tokenq.cli.options import Json
from tokenq.cli.reasons import CommandReason
from tokenq.client.credentials import Credential, store
from tokenq.contract.problems import Refused, refuse
from tokenq.errors import TokenqError
from tokenq.settings import load


def command(as_json: Json = False) -> None:
    """Change your password. Without a terminal: the old and the new one as two lines on stdin.

    You stay signed in here; everywhere else you sign in again.
    """
    settings = load()
    identity = identify(settings)
    client = client_for(settings, identity)
    me = client.me()
    if me["kind"] == "key":
        raise refuse(CommandReason.KEY_HAS_NO_PASSWORD, name=me["name"])
    old = prompts.password("Old password")
    new = prompts.chosen_secret("New password")
    client.change_password(old, new)
    if as_json:
        output.document({"changed": True})
    else:
        output.line("Password changed.")
    if identity.stored is None:
        return
    # The server has ended all sessions of this user, this one, too.
    try:
        view = client_for(settings, anonymous(identity)).login(me["name"], new)
    except (Refused, TokenqError):
        echo("Sign in again: tokenq login")
        return
    renewed = Credential(view["token"], identity.stored.name, identity.stored.kafka)
    store(credentials_file(), identity.url, renewed, fingerprint=identity.fingerprint, current=False)
