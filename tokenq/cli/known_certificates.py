"""Decide at a login whether a server's certificate is the right one, as ssh does: asked once, then remembered."""

import sys
from dataclasses import replace

from tokenq.cli import prompts
from tokenq.cli.context import Identity, client_for
from tokenq.cli.exits import WrongUse, echo
from tokenq.client.transport import offered_fingerprint
from tokenq.errors import ChangedCertificate, TokenqError, UntrustedCertificate
from tokenq.settings import Settings


def with_trust(settings: Settings, identity: Identity) -> Identity:
    """Return the server with the certificate to trust, before anything secret is sent there.

    Nobody is asked about a certificate that an authority has signed, that is known already, or that the settings name.

    Raises:
        ChangedCertificate: the server shows another one than the known one.
        TokenqError: the user does not trust it.
        WrongUse: there is no terminal to ask on, or a fingerprint is given for plain http.
    """
    if not identity.url.startswith("https:"):
        if settings.fingerprint:
            raise WrongUse("Plain http has no certificate.", "Write https://, or leave the fingerprint out.")
        return identity
    client = client_for(settings, identity, attempts=1)
    try:
        client.health()
    except UntrustedCertificate as error:
        found = offered_fingerprint(client.server)
        _ask(found, str(error))
        return replace(identity, fingerprint=found)
    except ChangedCertificate:
        if not settings.fingerprint:
            raise
        found = offered_fingerprint(client.server)
        raise ChangedCertificate(
            f"The certificate of {identity.url} is another one: its fingerprint is {found}. Nothing was sent.",
            "Compare it with the one that the server shows ('tokenq up --status').",
        ) from None
    finally:
        client.close()
    return identity


def _ask(fingerprint: str, why: str) -> None:
    echo(why)
    echo(f"Its fingerprint is {fingerprint}")
    if not sys.stdin.isatty():
        raise WrongUse(
            "There is no terminal to ask whether that is the right certificate.",
            "If the server shows the same fingerprint ('tokenq up --status'), add --fingerprint with it.",
        )
    echo("Compare it with the one on the server: run 'tokenq up --status' there and look next to 'fingerprint'.")
    try:
        prompts.confirm("Are the two the same?", yes=False)
    except TokenqError:
        raise TokenqError("Not signed in; nothing was sent.") from None
