"""Options and reports of the supervisor."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

EVERY_NETWORK = "0.0.0.0"  # noqa: S104 (chosen by the user)
"""The host of an API that listens on all networks."""


@dataclass(frozen=True)
class UpOptions:
    """The options of ``tokenq up``. ``port`` 0 takes any free one."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    demo: bool = False
    own_certificate: bool = False
    """Whether the API speaks TLS with a certificate of its own, made at the first time."""
    tls_cert: Path | None = None
    """A PEM file with another certificate for it."""
    tls_key: Path | None = None
    """A PEM file with the key of that certificate, if it is not in the same file."""

    def to_json(self) -> str:
        """Return the options for :meth:`from_json`."""
        return json.dumps(vars(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "UpOptions":
        """Return the options that :meth:`to_json` wrote."""
        body = json.loads(text)
        paths = {name: Path(body[name]) for name in ("data_dir", "tls_cert", "tls_key") if body[name] is not None}
        return cls(**{**body, **paths})


@dataclass(frozen=True)
class Progress:
    """A step of one part: ``postgres``, ``valkey``, ``broker``, ``api``, ``relay``, ``notify`` or ``demo``."""

    part: str
    state: Literal["starting", "ready", "restarting", "stopping", "stopped"]
    detail: str = ""


@dataclass(frozen=True)
class Endpoints:
    """The addresses of all parts; also the content of ``endpoints.json`` in the data folder.

    E-mails go to ``mail_server``, or to the folder ``mail_outbox`` if that is empty.
    """

    api: str
    kafka: str
    postgres: str
    redis: str
    admin_token_file: str
    mail_outbox: str
    mail_server: str = ""
    fingerprint: str = ""
    """That of the API's certificate; empty if it speaks plain http."""
    network: tuple[str, ...] = ()
    """The API's addresses for other machines; none if it listens on this machine only."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """The limits in force by setting; 0: none. An older release says nothing about them."""
    relay: str = ""
    """Where the relay can be watched; an older release says nothing about it."""
    notify: str = ""

    def to_json(self) -> str:
        """Return the document for scripts."""
        return json.dumps(
            {
                "api": self.api,
                "kafka": self.kafka,
                "postgres": self.postgres,
                "redis": self.redis,
                "adminTokenFile": self.admin_token_file,
                "mailOutbox": self.mail_outbox,
                "mailServer": self.mail_server,
                "fingerprint": self.fingerprint,
                "network": list(self.network),
                "limits": dict(self.limits),
                "relay": self.relay,
                "notify": self.notify,
            },
            indent=2,
        )

    @classmethod
    def from_json(cls, text: str) -> "Endpoints":
        """Parse the document; raises ``ValueError`` if invalid."""
        body = json.loads(text)
        try:
            return cls(
                api=str(body["api"]),
                kafka=str(body["kafka"]),
                postgres=str(body["postgres"]),
                redis=str(body["redis"]),
                admin_token_file=str(body["adminTokenFile"]),
                mail_outbox=str(body["mailOutbox"]),
                mail_server=str(body.get("mailServer", "")),
                fingerprint=str(body.get("fingerprint", "")),
                network=tuple(str(url) for url in body.get("network", ())),
                limits={str(name): int(limit) for name, limit in body.get("limits", {}).items()},
                relay=str(body.get("relay", "")),
                notify=str(body.get("notify", "")),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("endpoints.json is incomplete") from error


@dataclass(frozen=True)
class Status:
    """What runs on a data folder. ``ready``: the API accepts requests now; ``parts`` as in its ``/readyz``.

    If the API does not answer, ``parts`` has only ``api``, which is down.
    """

    running: bool
    pid: int | None = None
    ready: bool = False
    endpoints: Endpoints | None = None
    parts: Mapping[str, str] = field(default_factory=dict)


def default_data_dir(*, demo: bool = False) -> Path:
    """``TOKENQ_DATA_DIR``, else ``/var/lib/tokenq`` for root, else the user's own data folder.

    The demo's own folder is beside the last two, so that its customers never mix with real ones.
    """
    if named := os.environ.get("TOKENQ_DATA_DIR"):
        return Path(named)
    usual = _usual_data_dir()
    return usual.with_name(f"{usual.name}-demo") if demo else usual


def down_command(data_dir: Path) -> str:
    """The command that stops what runs on that folder, from any terminal and environment."""
    return "tokenq down" if data_dir == _usual_data_dir() else f"tokenq down --data-dir {shlex.quote(str(data_dir))}"


def _usual_data_dir() -> Path:
    return Path("/var/lib/tokenq") if os.geteuid() == 0 else user_data_path("tokenq")
