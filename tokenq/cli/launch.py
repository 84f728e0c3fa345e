"""The only place that imports server and screen code, and only at run time."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tokenq.cli.reasons import CommandReason
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq.errors import Missing
from tokenq.installed import command_to_add
from tokenq.settings import Settings, config_file, is_debugging, load, read_file

_NO_DATABASE = (StoreReason.DATABASE_UNAVAILABLE.id, StoreReason.DATABASE_NEEDED.id)


@contextmanager
def part(module: str, extra: str) -> Iterator[ModuleType]:
    """Import a module that needs ``extra``; use it inside the ``with``, since it may import more while it runs.

    Raises:
        Missing: a library of that extra is not installed.
    """
    file = config_file()
    if file.is_file():
        os.environ.setdefault("TOKENQ_CONFIG", str(file))  # the server's programs read the same file
    try:
        yield importlib.import_module(module)
    except ModuleNotFoundError as error:
        if is_debugging():
            raise
        raise Missing(
            f"This command needs the '{extra}' extra: {error.name} is not installed.",
            f"Install it with: {command_to_add(extra)}",
        ) from None


@contextmanager
def server(module: str) -> Iterator[ModuleType]:
    """Import a server module; it uses the stores of the local ``tokenq up`` unless others are configured.

    Raises:
        Missing: a library of the server is not installed.
        Refused: the settings file is wrong; no database is configured and none runs in the default place.
    """
    file = read_file(config_file())
    if "TOKENQ_DATABASE_URL" not in os.environ and "database_url" not in file:
        # All of them or none: its broker has no login, and another broker has other departments.
        os.environ.update(_stores_of_up())
    is_configured = "TOKENQ_DATABASE_URL" in os.environ or "database_url" in file
    try:
        with part(module, "server") as imported:
            yield imported
    except Refused as refusal:
        folder = None if is_configured or refusal.problem.reason not in _NO_DATABASE else data_folder(load())
        if folder is None:
            raise
        raise refuse(CommandReason.NO_DATABASE, folder=str(folder)) from None


def program(name: str) -> int:
    """Run one of the server's programs until it ends; return its exit code."""
    with server("tokenq_server.programs") as programs:
        return int(programs.run(name))


def endpoints_of_up() -> Any:
    """Return the endpoints of the local ``tokenq up``; ``None`` if it is not running.

    Raises:
        Refused: the settings file is wrong, or the folder belongs to another user.
    """
    try:
        with part("tokenq_server.embedded", "embedded") as embedded:
            status = embedded.status(load().data_dir or embedded.default_data_dir())
    except Missing:
        return None
    return status.endpoints if status.running else None


def data_folder(settings: Settings) -> Path | None:
    """Return the folder of ``tokenq up``; ``None`` if it cannot run here and no folder is configured."""
    if settings.data_dir:
        return settings.data_dir
    try:
        with part("tokenq_server.embedded", "embedded") as embedded:
            return Path(embedded.default_data_dir())
    except Missing:
        return None


def _stores_of_up() -> dict[str, str]:
    endpoints = endpoints_of_up()
    if endpoints is None:
        return {}
    return {
        "TOKENQ_DATABASE_URL": endpoints.postgres,
        "TOKENQ_REDIS_URL": endpoints.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": endpoints.kafka,
        "TOKENQ_KAFKA_EMBEDDED": "1",
        "TOKENQ_MAIL_OUTBOX": endpoints.mail_outbox,
    }
