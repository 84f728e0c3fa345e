"""Create the client for a command from settings and stored credentials."""

from dataclasses import dataclass, replace
from pathlib import Path

from tokenq.cli.exits import WrongUse
from tokenq.client import Client
from tokenq.client.credentials import Credential, Credentials, read
from tokenq.settings import Settings, config_folder, load

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Identity:
    """The server to use and the credentials for it."""

    url: str
    token: str | None
    stored: Credential | None
    fingerprint: str | None = None
    """That of the only certificate to trust; without one, authorities decide."""


def credentials_file() -> Path:
    """Where ``tokenq login`` stores its credentials."""
    return config_folder() / "credentials.json"


def identify(settings: Settings) -> Identity:
    """Return this run's server and token: from the settings, else the stored ones, else a local server.

    Raises:
        BadSettings: the stored credentials are needed but unsafe to use.
    """
    is_plain = settings.url is not None and not settings.url.startswith("https:")
    if settings.url and settings.token and (is_plain or settings.fingerprint):
        return Identity(settings.url, settings.token, None, settings.fingerprint)
    credentials: Credentials = read(credentials_file())
    url = settings.url or credentials.current or DEFAULT_URL
    stored = credentials.at(url) if not (settings.url and settings.token) else None
    fingerprint = settings.fingerprint or credentials.certificates.get(url)
    return Identity(url, settings.token or (stored.token if stored else None), stored, fingerprint)


_key: str | None = None


def use_key(key: str | None) -> None:
    """Send this run's change with an idempotency key; ``None``: with a new one."""
    global _key
    _key = key


def typed_key() -> str | None:
    """Return the idempotency key that was typed, for the one change that the command makes; else ``None``."""
    return _key


def is_repeated() -> bool:
    """Return whether this command repeats another one."""
    return _key is not None


_typed_options: list[str] = []


def remember_options(words: list[str]) -> None:
    """Keep the options of this run's command as typed, to write the command again for one of its tokens."""
    _typed_options[:] = words


def command_for(verb: str, reference: str) -> list[str]:
    """Return the words of this run's command for one token."""
    return [verb, reference, *_typed_options]


def connect(settings: Settings | None = None, *, attempts: int | None = None) -> Client:
    """Return this run's client; it does not connect yet."""
    settings = settings or load()
    return client_for(settings, identify(settings), attempts=attempts)


def client_for(settings: Settings, identity: Identity, *, attempts: int | None = None) -> Client:
    """Return a client that acts as ``identity``."""
    client = Client(
        identity.url, identity.token, settings.timeout, insecure=settings.insecure, fingerprint=identity.fingerprint
    )
    if attempts is not None:
        client.attempts = attempts
    return client


def require_counter(flag: str | None) -> str:
    """Return the counter from the flag or the settings.

    Raises:
        WrongUse: neither is given.
    """
    chosen = load(counter=flag).counter
    if not chosen:
        raise WrongUse("No counter given.", "Add --counter C, or set TOKENQ_COUNTER for this machine.")
    return chosen


def anonymous(identity: Identity) -> Identity:
    """Return the same server without a token, for signing in."""
    return replace(identity, token=None)
