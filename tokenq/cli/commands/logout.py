"""``tokenq logout``: end the session and delete its token."""

from tokenq.cli import output
from tokenq.cli.context import client_for, credentials_file, identify
from tokenq.cli.exits import echo
from tokenq.cli.options import Json
from tokenq.client.credentials import forget
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.settings import load


def command(as_json: Json = False) -> None:
    """Sign out: end the session on the server and delete its token here."""
    settings = load()
    identity = identify(settings)
    if identity.token:
        try:
            client_for(settings, identity, attempts=1).logout()
        except (Refused, TokenqError) as error:
            echo(f"The server did not end the session ({error}); its token is deleted here.")
    forget(credentials_file(), identity.url)
    if settings.token:
        echo("TOKENQ_TOKEN is still set.")
    if as_json:
        output.document({"url": identity.url, "signedOut": True})
    else:
        output.line(f"Signed out of {identity.url}.")
