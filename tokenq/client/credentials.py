"""The stored logins, in a private file in the config folder.

``{"current": URL, "servers": {URL: {"token": …, "name": …, "kafka": …}}, "certificates": {URL: FINGERPRINT}}``.
It is created 0600 in a 0700 folder, replaced as a whole, never followed through a link, and refused when others may
read it.
"""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tokenq.contract.hosts import normal_url
from tokenq.errors import BadSettings
from tokenq.private_files import replace_content


@dataclass(frozen=True)
class Credential:
    """A login at one server; ``kafka`` is its broker's address, if known."""

    token: str
    name: str = ""
    kafka: str | None = None


@dataclass(frozen=True)
class Credentials:
    """All stored credentials, and the address of the server in use."""

    current: str | None = None
    servers: dict[str, Credential] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    """The fingerprints of servers with their own certificates; they stay known after a logout."""

    def at(self, url: str) -> Credential | None:
        """The credential for the server at ``url``."""
        return self.servers.get(normal_url(url))

    def having(self, url: str, credential: Credential, *, current: bool = True) -> "Credentials":
        """The same with this one added, and its server the current one if ``current``."""
        url = normal_url(url)
        return replace(self, current=url if current else self.current, servers={**self.servers, url: credential})

    def trusting(self, url: str, fingerprint: str | None) -> "Credentials":
        """The same with only that certificate trusted at ``url``; without one, with authorities deciding."""
        url = normal_url(url)
        others = {key: value for key, value in self.certificates.items() if key != url}
        return replace(self, certificates=others | ({url: fingerprint} if fingerprint else {}))

    def without(self, url: str) -> "Credentials":
        """The same without the credential for ``url``; the server stays the current one."""
        return replace(self, servers={key: value for key, value in self.servers.items() if key != normal_url(url)})


def read(path: Path) -> Credentials:
    """The stored credentials; none when there is no file.

    Raises:
        BadSettings: the file is a link, belongs to another user, is readable by others, or is damaged.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return Credentials()
    except OSError as error:
        if path.is_symlink():
            raise BadSettings(f"{path} is a link; credentials are only read from a real file.", f"rm {path}") from None
        raise BadSettings(f"The credentials in {path} cannot be read: {error.strerror}.", f"ls -l {path}") from None
    with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123 - an open descriptor, checked below
        _refuse_if_exposed(os.fstat(descriptor), path)
        try:
            return _from_json(json.load(file))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadSettings(f"{path} is damaged.", f"rm {path} and run 'tokenq login' again.") from None


def store(
    path: Path, url: str, credential: Credential, *, fingerprint: str | None = None, current: bool = True
) -> None:
    """Keep ``credential`` for the server at ``url`` and, if ``current``, make that server the current one.

    ``fingerprint`` is that of the only certificate to trust there; without one, authorities decide.

    Raises:
        BadSettings: the file is unsafe or cannot be written.
    """
    with _exclusive(path):
        _write(path, read(path).having(url, credential, current=current).trusting(url, fingerprint))


def forget(path: Path, url: str) -> None:
    """Remove the credential for the server at ``url``.

    Raises:
        BadSettings: the file is unsafe or cannot be written.
    """
    with _exclusive(path):
        _write(path, read(path).without(url))


def _refuse_if_exposed(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadSettings(f"{path} is not a file.", f"Move it away and run 'tokenq login' again: {path}")
    if status.st_uid != os.geteuid():
        raise BadSettings(f"{path} belongs to another user.", "Point XDG_CONFIG_HOME to a folder of your own.")
    if status.st_mode & 0o077:
        raise BadSettings(f"{path} can be read by others; its tokens may have leaked.", f"chmod 600 {path}")


def _from_json(body: Any) -> Credentials:
    servers = {
        normal_url(str(url)): Credential(str(entry["token"]), str(entry.get("name") or ""), entry.get("kafka"))
        for url, entry in body["servers"].items()
    }
    certificates = {normal_url(str(url)): str(fingerprint) for url, fingerprint in body.get("certificates", {}).items()}
    current = body.get("current")
    return Credentials(normal_url(str(current)) if current else None, servers, certificates)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One writer at a time, so that two logins do not lose each other."""
    import fcntl

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable_file(path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, credentials: Credentials) -> None:
    servers = {
        url: {"token": login.token, "name": login.name, "kafka": login.kafka}
        for url, login in credentials.servers.items()
    }
    document = {"current": credentials.current, "servers": servers, "certificates": credentials.certificates}
    try:
        replace_content(path, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise _unwritable_file(path, error) from None


def _unwritable_file(path: Path, error: OSError) -> BadSettings:
    return BadSettings(
        f"The credentials cannot be written to {path}: {error.strerror}.",
        "Point XDG_CONFIG_HOME to a folder you may write, or use TOKENQ_TOKEN.",
    )
