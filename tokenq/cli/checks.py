"""The client-side checks of ``tokenq doctor``; they need only the base install."""

import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tokenq.cli import launch
from tokenq.cli.broker import DEFAULT_BOOTSTRAP, configured_broker, why_unreachable
from tokenq.cli.context import DEFAULT_URL, Identity, client_for, credentials_file, identify
from tokenq.cli.exits import explain
from tokenq.cli.wording import hint_of, sentence_of
from tokenq.client import Client
from tokenq.client.credentials import read
from tokenq.client.transport import Transport
from tokenq.contract.hosts import is_loopback
from tokenq.contract.paths import HEALTHZ
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.settings import Settings, config_file, load, read_file, unknown_variables

_SKEW_SECONDS = 30.0
_SMALLEST_SCREEN = (80, 24)
_LEAST_ROOM = 500e6
"""Bytes: PostgreSQL's WAL grows in segments of 16 MB and may need many before it can recycle any."""


MAIL = "mail"
"""The name of the check of the mail server, here and on the server."""
LIMIT = "limit of "
"""How the names of the checks of limits begin, here and on the server."""


class Check(NamedTuple):
    """The result of one check; ``hint`` says what to do if it is not ``ok``, or if it is a ``warning``."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    warning: bool = False


def client_checks() -> list[Check]:
    """Run all checks that are possible from a machine with only the command line."""
    try:
        settings = load()
    except Refused as refusal:
        return [Check("settings", False, sentence_of(refusal.problem), hint_of(refusal.problem)), _terminal()]
    file = config_file()
    checks = [Check("settings", True, f"{file}" if file.is_file() else f"no file at {file}; environment and defaults")]
    try:
        identity = identify(settings)
        checks.append(_credentials(identity))
    except TokenqError as error:
        identity = Identity(settings.url or DEFAULT_URL, settings.token, None)
        checks.append(_failed_check("credentials", error))
    checks += [*_environment(), *_server(settings, identity), *_disk(settings), *_kafka(settings)]
    return [*checks, *_of_up(settings, identity), _terminal()]


def _environment() -> list[Check]:
    """Variables that nobody reads. They may belong to another release, so they are no failure."""
    return [
        Check(
            "environment",
            True,
            f"{name} is not a setting and has no effect",
            f"Did you mean {like}?" if like else "Unset it, or correct its name.",
            warning=True,
        )
        for name, like in unknown_variables().items()
    ]


def _credentials(identity: Identity) -> Check:
    if identity.stored is None and identity.token:
        return Check("credentials", True, "from TOKENQ_TOKEN")
    path = credentials_file()
    if identity.token:
        return Check("credentials", True, f"{path}, for {identity.url}")
    others = ", ".join(read(path).servers)
    detail = f"none for {identity.url}" + (f"; there are some for {others}" if others else "")
    return Check("credentials", False, detail, "Run 'tokenq login', or set TOKENQ_TOKEN.")


def _server(settings: Settings, identity: Identity) -> list[Check]:
    try:
        client = client_for(settings, identity, attempts=1)
        sent = time.time()
        with closing(Transport(client.server)) as transport:
            reply = transport.exchange("GET", HEALTHZ, None, {})
    except TokenqError as error:
        return [_failed_check("server", error)]
    took = time.time() - sent
    checks = [Check("server", reply.status == 200, f"{identity.url} answers {reply.status} in {took * 1000:.0f} ms")]
    with client:
        return [*checks, *_clock(reply.headers.get("date"), sent + took / 2), _ready(client), _login(client)]


def _clock(date: str | None, now: float) -> list[Check]:
    """The Date header has a resolution of one second; a skew far above that is a wrong clock."""
    if date is None:
        return []
    skew = now - parsedate_to_datetime(date).timestamp()
    is_right = abs(skew) <= _SKEW_SECONDS
    detail = "agrees with the server's" if is_right else f"differs from the server's by {skew:+.0f} seconds"
    return [Check("clock", is_right, detail, "Set this machine's clock, preferably by NTP.")]


def _ready(client: Client) -> Check:
    try:
        body = client.ready()
    except Refused as refusal:
        details = _details(refusal.problem.extra)
        hint = hint_of(refusal.problem) or "See the server's log, or run 'tokenq doctor --server' there."
        return Check("readiness", False, details or sentence_of(refusal.problem), hint)
    except TokenqError as error:
        return _failed_check("readiness", error)
    status = str(body.get("status"))
    hint = "While the database is writable, everything works, but slower or delayed until that component is back."
    return Check("readiness", status == "ready", "; ".join(filter(None, (status, _details(body)))), hint)


def _details(body: Mapping[str, Any]) -> str:
    nested = {name: value for part in body.values() if isinstance(part, dict) for name, value in part.items()}
    flat = {**body, **nested}
    return ", ".join(
        f"{name} {value}"
        for name, value in flat.items()
        if isinstance(value, str | bool | int | float) and name != "status"
    )


def _login(client: Client) -> Check:
    try:
        view = client.me()
    except Refused as refusal:
        return Check("login", False, sentence_of(refusal.problem), explain(refusal).hint)
    except TokenqError as error:
        return _failed_check("login", error)
    return Check("login", True, f"{view['name']} ({view['role']})")


def _disk(settings: Settings) -> list[Check]:
    """Check the free space where ``up`` keeps its data; no check if there is no such folder or it is not accessible."""
    try:
        folder = launch.data_folder(settings)
        free = shutil.disk_usage(folder).free if folder else None
    except OSError:
        return []
    if free is None:
        return []
    detail = f"{free / 1e6:.0f} MB free in {folder}, where 'tokenq up' keeps its data"
    return [Check("disk", free >= _LEAST_ROOM, detail, "Free up space: on a full disk no numbers can be issued.")]


def _kafka(settings: Settings) -> list[Check]:
    """Only the board needs Kafka from here, so a missing setting is not a failure."""
    try:
        broker = configured_broker(settings)
    except Refused as refusal:
        return [Check("broker", False, sentence_of(refusal.problem), hint_of(refusal.problem))]
    if broker is None and why_unreachable(DEFAULT_BOOTSTRAP):
        detail = f"none configured, and none at {DEFAULT_BOOTSTRAP}; for the board, set TOKENQ_KAFKA_BOOTSTRAP"
        return [Check("broker", True, detail)]
    bootstrap = broker.bootstrap if broker else DEFAULT_BOOTSTRAP
    return [_broker(address.strip()) for address in bootstrap.split(",") if address.strip()]


def _broker(address: str) -> Check:
    if reason := why_unreachable(address):
        hint = "The board needs it: check TOKENQ_KAFKA_BOOTSTRAP (host:port) and that the broker is running."
        return Check("broker", False, f"cannot connect to {address}: {reason}", hint)
    return Check("broker", True, f"{address} accepts connections")


def _of_up(settings: Settings, identity: Identity) -> list[Check]:
    """What only the local ``up`` knows, if it is the server: it was started with settings of its own.

    A server on this machine may be an ``up`` with a folder that nobody names here; then the limits are not known.
    """
    try:
        endpoints = launch.endpoints_of_up()
    except Refused:
        return []  # the folder belongs to another user
    if endpoints is None or identity.url not in (endpoints.api, DEFAULT_URL):
        folder = launch.data_folder(settings)
        if folder is None or not is_loopback(urlsplit(identity.url).hostname or ""):
            return []
        detail = f"not known: no 'tokenq up' in {folder} serves {identity.url}; for another folder set TOKENQ_DATA_DIR"
        return [Check("limits", True, detail)]
    with launch.part("tokenq_server.services.limit_findings", "embedded") as module:
        found = module.limit_findings(endpoints.limits)
    limits = [Check(each.name, each.ok, each.detail, each.hint, each.warning) for each in found]
    return [*_mail_of_up(endpoints.mail_server), *limits]


def _mail_of_up(address: str) -> list[Check]:
    """The mail server, unless the settings here name one. It may be started later, so it is no failure."""
    if not address or os.environ.get("TOKENQ_SMTP_URL") or "smtp_url" in read_file(config_file()):
        return []
    why = why_unreachable(address)
    state = f"does not answer now ({why}); e-mails wait until it does" if why else "accepts connections"
    return [Check(MAIL, True, f"{address} {state}", warning=bool(why))]


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("terminal", True, "none; console and board need one")
    size = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        return Check("terminal", False, f"its encoding is {encoding}", "Set LANG to a UTF-8 locale, such as C.UTF-8.")
    is_large = size.columns >= _SMALLEST_SCREEN[0] and size.lines >= _SMALLEST_SCREEN[1]
    return Check("terminal", is_large, f"{size.columns}×{size.lines}", "Console and board need at least 80×24.")


def _failed_check(name: str, error: TokenqError) -> Check:
    return Check(name, False, str(error), explain(error).hint)
