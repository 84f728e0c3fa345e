"""Sign the user in to the local ``tokenq up``, without redirecting commands that use another server."""

from pathlib import Path
from typing import Any

from tokenq.cli.context import credentials_file, identify
from tokenq.cli.exits import echo
from tokenq.client import Client
from tokenq.client.credentials import Credential, read, store
from tokenq.contract.problems import Refused
from tokenq.errors import BadSettings, TokenqError
from tokenq.settings import load

_TIMEOUT_SECONDS = 3.0


def sign_in(endpoints: Any) -> bool:
    """Store the admin's key and the broker's address for later commands; return whether it worked."""
    path = credentials_file()
    try:
        key = Path(endpoints.admin_token_file).read_text("utf-8").strip()
        known = read(path)
        current = known.current
        is_free = current is None or current == endpoints.api or not _answers(current, known.certificates.get(current))
        admin = Credential(key, "admin", endpoints.kafka)
        store(path, endpoints.api, admin, fingerprint=endpoints.fingerprint or None, current=is_free)
    except (OSError, BadSettings) as error:
        echo(f"This machine could not be signed in: {error}")
        return False
    return True


def server_of_other_commands(api: str) -> str | None:
    """Return the server that commands use, if it is not ``api``."""
    try:
        url = identify(load()).url
    except (BadSettings, Refused):
        return None
    return url if url != api else None


def _answers(url: str, fingerprint: str | None) -> bool:
    """Return whether a tokenq server answers. No token is sent, so plain http is safe."""
    try:
        with Client(url, timeout=_TIMEOUT_SECONDS, insecure=True, fingerprint=fingerprint, attempts=1) as client:
            client.health()
    except Refused:
        return True
    except TokenqError:
        return False
    return True
