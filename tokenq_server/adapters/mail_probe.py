"""The doctor's check of the mail server, or of the folder in its place."""

import os
from email.utils import parseaddr
from pathlib import Path
from ssl import SSLError

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException

from tokenq.contract.problems import Refused
from tokenq_server.destinations import MailServer
from tokenq_server.services.findings import Finding
from tokenq_server.settings import ServerSettings

_PATIENCE = 5
_LOGIN = "Correct user and password in TOKENQ_SMTP_URL."
_CERTIFICATE = "Use the name that its certificate has, or install the authority that signed it."


async def probe(settings: ServerSettings) -> list[Finding]:
    """Check whether the mail server lets us in; without one, whether the folder is writable."""
    try:
        server = settings.mail_server
    except Refused as refusal:
        return [Finding("mail", False, refusal.problem.detail, refusal.problem.hint, refusal.problem.advice)]
    if server is None:
        return [_outbox(settings.outbox_folder)]
    return [await _server(server, parseaddr(settings.mail_from)[1])]


async def _server(server: MailServer, sender: str) -> Finding:
    """Do all that comes before an e-mail: connect, TLS, log in, name the sender."""
    client = SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.ssl,
        start_tls=server.tls,
        username=server.user or None,
        password=server.password or None,
        timeout=_PATIENCE,
    )
    try:
        async with client:
            await client.mail(sender)
            await client.rset()
    except SMTPAuthenticationError as error:
        return _bad(server, f"refuses the login of {server.user}: {error.code} {error.message}", _LOGIN)
    except SSLError as error:
        return _bad(server, f"has no certificate that is trusted: {error.reason or error}", _CERTIFICATE)
    except (OSError, TimeoutError) as error:
        if isinstance(error.__cause__, SSLError):
            return _bad(server, f"has no certificate that is trusted: {error.__cause__.reason}", _CERTIFICATE)
        return _bad(server, "does not answer", "Start it, or correct TOKENQ_SMTP_URL.")
    except (SMTPException, ValueError) as error:
        return _bad(server, f"refuses: {error}", "Correct TOKENQ_SMTP_URL, or permit it there.")
    how = " by TLS" if server.tls or server.ssl else ""
    return Finding(
        "mail", True, f"{server.address} answers{how}{f', logged in as {server.user}' if server.user else ''}"
    )


def _bad(server: MailServer, what: str, hint: str) -> Finding:
    return Finding("mail", False, f"{server.address} {what}", f"{hint} Until then e-mails wait in the queue.")


def _outbox(folder: Path) -> Finding:
    place = folder
    while not place.exists():
        place = place.parent
    is_writable = os.access(place, os.W_OK)
    hint = "" if is_writable else "Set TOKENQ_MAIL_OUTBOX to a writable folder, or set TOKENQ_SMTP_URL."
    return Finding("mail", is_writable, f"e-mails go to {folder}", hint)
