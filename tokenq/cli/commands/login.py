"""``tokenq login``: sign in to a server and store the session."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from tokenq.cli import output, prompts
from tokenq.cli.context import Identity, anonymous, client_for, credentials_file, identify
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.known_certificates import with_trust
from tokenq.cli.options import Json
from tokenq.client.credentials import Credential, store
from tokenq.contract.certificates import parse_fingerprint
from tokenq.settings import Settings, load

_NONE = "none"


def command(
    url: Annotated[str | None, typer.Argument(help="Address of the server; default: the current one.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="User name; default: asked for.")] = None,
    key: Annotated[bool, typer.Option("--key", help="Use an API key instead: asked for, or a line of stdin.")] = False,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256:…",
            help="Trust only this certificate; 'none': any that an authority signed.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign in to a server. The password is asked for, or read from TOKENQ_PASSWORD or stdin.

    A server with its own certificate ('up --lan') is asked about once; afterwards only that certificate is accepted.
    """
    if key and user:
        raise WrongUse("An API key has no user name.", "Leave out --user or --key.")
    settings = load(url=url, fingerprint=_parsed(fingerprint))
    server = anonymous(identify(replace(settings, token=None)))
    if fingerprint == _NONE:
        server = replace(server, fingerprint=None)
    identity = with_trust(settings, server)
    credential, view = _by_key(settings, identity) if key else _by_password(settings, identity, user)
    store(credentials_file(), identity.url, credential, fingerprint=identity.fingerprint)
    if as_json:
        output.document(view)
    else:
        output.line(f"Signed in to {identity.url} as {credential.name} ({view['user']['role']}).")
    if settings.token:
        echo("TOKENQ_TOKEN is set and takes precedence over this login.")
    other = load().url
    if other and other != identity.url:
        echo(f"TOKENQ_URL or the settings file still names {other}; other commands use that server.")


def _by_password(settings: Settings, identity: Identity, user: str | None) -> tuple[Credential, dict[str, Any]]:
    user = user or prompts.text("User name", "Add --user NAME.")
    view = client_for(settings, identity).login(user, prompts.password())
    shown = {"url": identity.url, "user": view["user"], "expiresAt": view["expiresAt"]}
    return Credential(view["token"], user, _broker(identity)), shown


def _by_key(settings: Settings, identity: Identity) -> tuple[Credential, dict[str, Any]]:
    key = prompts.secret("API key", "Give it as a line on stdin.")
    view = client_for(settings, replace(identity, token=key)).me()
    return Credential(key, view["name"], _broker(identity)), {"url": identity.url, "user": view, "expiresAt": None}


def _broker(identity: Identity) -> str | None:
    return identity.stored.kafka if identity.stored else None


def _parsed(fingerprint: str | None) -> str | None:
    try:
        return parse_fingerprint(fingerprint) if fingerprint and fingerprint != _NONE else None
    except ValueError as error:
        raise WrongUse(f"{error}.", "It looks like SHA256:… ; 'tokenq up --status' shows it on the server.") from None
