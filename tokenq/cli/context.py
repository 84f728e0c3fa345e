"""From settings and stored credentials to a client, for the one command that runs."""

from dataclasses import dataclass, replace
from pathlib import Path

from tokenq.cli.exits import WrongUse
from tokenq.client import Client
from tokenq.client.credentials import Credential, Credentials, read
from tokenq.settings import Settings, config_folder, load

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Identity:
    """Which server to speak to, and as whom."""

    url: str
    token: str | None
    stored: Credential | None


def credentials_file() -> Path:
    """Where ``tokenq login`` keeps what it got."""
    return config_folder() / "credentials.json"


def identify(settings: Settings) -> Identity:
    """The server and token of this run: settings first, then what is stored, then a server on this machine.

    Raises:
        BadSettings: the stored credentials are needed and unsafe to use.
    """
    if settings.url and settings.token:
        return Identity(settings.url, settings.token, None)
    known: Credentials = read(credentials_file())
    url = (settings.url or known.current or DEFAULT_URL).rstrip("/")
    stored = known.at(url)
    return Identity(url, settings.token or (stored.token if stored else None), stored)


def connect(settings: Settings | None = None, *, attempts: int | None = None) -> Client:
    """The client of this run; no connection is made yet."""
    settings = settings or load()
    return client_for(settings, identify(settings), attempts=attempts)


def client_for(settings: Settings, identity: Identity, *, attempts: int | None = None) -> Client:
    """A client that speaks as ``identity``."""
    client = Client(identity.url, identity.token, settings.timeout, insecure=settings.insecure)
    if attempts is not None:
        client.attempts = attempts
    return client


def counter(flag: str | None) -> str:
    """The counter given by flag or setting.

    Raises:
        WrongUse: neither is given.
    """
    chosen = load(counter=flag).counter
    if not chosen:
        raise WrongUse("No counter given.", "Add --counter C, or set TOKENQ_COUNTER once for this machine.")
    return chosen


def anonymous(identity: Identity) -> Identity:
    """The same server without a token, to sign in."""
    return replace(identity, token=None)
