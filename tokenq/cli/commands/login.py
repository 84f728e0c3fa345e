"""``tokenq login``: sign in to a server and store the session."""

from dataclasses import replace
from typing import Annotated

import typer

from tokenq.cli import output, prompts
from tokenq.cli.context import anonymous, client_for, credentials_file, identify
from tokenq.cli.exits import echo
from tokenq.cli.options import Json
from tokenq.client.credentials import Credential, store
from tokenq.settings import load


def command(
    url: Annotated[str | None, typer.Argument(help="Address of the server; default: the current one.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="User name; default: asked for.")] = None,
    as_json: Json = False,
) -> None:
    """Sign in to a server. The password is asked for, or read from TOKENQ_PASSWORD or stdin."""
    settings = load(url=url)
    identity = anonymous(identify(replace(settings, token=None)))
    client = client_for(settings, identity)
    user = user or prompts.text("User name", "Add --user NAME.")
    view = client.login(user, prompts.password())
    kafka = identity.stored.kafka if identity.stored else None
    store(credentials_file(), identity.url, Credential(view["token"], user, kafka))
    if as_json:
        output.document({"url": identity.url, "user": view["user"], "expiresAt": view["expiresAt"]})
    else:
        output.line(f"Signed in to {identity.url} as {user} ({view['user']['role']}).")
    if settings.token:
        echo("TOKENQ_TOKEN is set and takes precedence over this login.")
    other = load().url
    if other and other.rstrip("/") != identity.url:
        echo(f"TOKENQ_URL or the settings file still names {other}; other commands use that server.")
