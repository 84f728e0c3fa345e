"""The one door to the server's and the screens' code, opened at run time only."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tokenq.errors import Missing
from tokenq.settings import Settings, config_file, is_debugging, load, read_file


@contextmanager
def part(module: str, extra: str) -> Iterator[ModuleType]:
    """Import a module that needs ``extra``, and use it inside the ``with``: it may import more while it runs.

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
            f"Install it with: pip install 'tokenq[{extra}]'",
        ) from None


@contextmanager
def server(module: str) -> Iterator[ModuleType]:
    """A part of the server, told where the stores are that ``tokenq up`` runs here, unless others are set.

    Raises:
        Missing: a library of the server is not installed.
        Refused: the settings file is wrong.
    """
    if "TOKENQ_DATABASE_URL" not in os.environ and "database_url" not in read_file(config_file()):
        for name, value in _stores_of_up().items():
            os.environ.setdefault(name, value)
    with part(module, "server") as found:
        yield found


def program(name: str) -> int:
    """Run one of the server's programs until it ends; answers its exit code."""
    with server("tokenq_server.programs") as programs:
        return int(programs.run(name))


def endpoints_of_up() -> Any:
    """Where everything is that ``tokenq up`` runs on this machine's folder; None when it does not run.

    Raises:
        Refused: the settings file is wrong, or the folder belongs to another user.
    """
    try:
        with part("tokenq_server.embedded", "embedded") as embedded:
            found = embedded.status(load().data_dir or embedded.default_data_dir())
    except Missing:
        return None
    return found.endpoints if found.running else None


def data_folder(settings: Settings) -> Path | None:
    """Where ``tokenq up`` keeps, or would keep, its data; None when it cannot run here and no folder is set."""
    if settings.data_dir:
        return settings.data_dir
    try:
        with part("tokenq_server.embedded", "embedded") as embedded:
            return Path(embedded.default_data_dir())
    except Missing:
        return None


def _stores_of_up() -> dict[str, str]:
    found = endpoints_of_up()
    if found is None:
        return {}
    return {
        "TOKENQ_DATABASE_URL": found.postgres,
        "TOKENQ_REDIS_URL": found.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": found.kafka,
        "TOKENQ_KAFKA_EMBEDDED": "1",
        "TOKENQ_MAIL_OUTBOX": found.mail_outbox,
    }
