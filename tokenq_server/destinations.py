"""Where notifications go: a mail server, and a gateway that reaches people as it can."""

import base64
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason

_MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_SECRET_BYTES = (24, 64)
_SECRET_PREFIX = "whsec_"


class MailServer(NamedTuple):
    """A mail server, as TOKENQ_SMTP_URL names it; ``tls`` is STARTTLS, ``ssl`` TLS from the first byte on."""

    host: str
    port: int
    tls: bool
    ssl: bool
    user: str
    password: str

    def __repr__(self) -> str:
        return f"MailServer({self.address})"  # may be printed with a traceback

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


class Gateway(NamedTuple):
    """Where notifications are posted, and the secret that signs them."""

    url: str
    host: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Gateway({self.host})"  # may be printed with a traceback


def mail_server_of(url: str) -> MailServer | None:
    """Return the mail server of an address; ``None`` if it is empty. Raises Refused (``invalid``)."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port, usual = parts.hostname, parts.port, _MAIL_PORTS[parts.scheme]
    except (ValueError, KeyError):
        host = None
    if not host:
        raise refuse(SettingReason.WRONG_SMTP_URL, name="TOKENQ_SMTP_URL")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(host, port or usual, parts.scheme == "smtp+starttls", parts.scheme == "smtps", user, password)


def gateway_of(url: str, secret: str) -> Gateway | None:
    """Return the gateway of an address; ``None`` if it is empty. Raises Refused (``invalid``).

    What is posted names people, so it travels encrypted, or stays on this machine.
    """
    if not url:
        return None
    host = ""
    with suppress(ValueError):
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    is_written_well = url.isprintable() and " " not in url and "@" not in parts.netloc if host else False
    if not is_written_well or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise refuse(SettingReason.WRONG_WEBHOOK_URL, name="TOKENQ_WEBHOOK_URL")
    return Gateway(url, host, _secret_of(secret))


def _secret_of(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not _SECRET_BYTES[0] <= len(secret) <= _SECRET_BYTES[1]:
        raise refuse(SettingReason.WRONG_WEBHOOK_SECRET, name="TOKENQ_WEBHOOK_SECRET")
    return secret
