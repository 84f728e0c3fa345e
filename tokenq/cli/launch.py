"""The one door to the server's and the screens' code, opened at run time only."""

import importlib
import os
from types import ModuleType

from tokenq.errors import Missing
from tokenq.settings import config_file, is_debugging, read_file
from tokenq.settings import load as load_settings


def load(module: str, extra: str) -> ModuleType:
    """Import a module that needs ``extra``.

    Raises:
        Missing: a library of that extra is not installed.
    """
    file = config_file()
    if file.is_file():
        os.environ.setdefault("TOKENQ_CONFIG", str(file))  # the server's programs read the same file
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if is_debugging():
            raise
        raise Missing(
            f"This command needs the '{extra}' extra: {error.name} is not installed.",
            f"Install it with: pip install 'tokenq[{extra}]'",
        ) from None


def server(module: str) -> ModuleType:
    """Import a module of the server, told where the stores are that ``tokenq up`` runs here, unless others are set.

    Raises:
        Missing: a library of the server is not installed.
        Refused: the settings file is wrong.
    """
    if "TOKENQ_DATABASE_URL" not in os.environ and "database_url" not in read_file(config_file()):
        for name, value in _stores_of_up().items():
            os.environ.setdefault(name, value)
    return load(module, "server")


def program(name: str) -> int:
    """Run one of the server's programs until it ends; answers its exit code."""
    return int(server("tokenq_server.programs").run(name))


def _stores_of_up() -> dict[str, str]:
    try:
        embedded = load("tokenq_server.embedded", "embedded")
    except Missing:
        return {}
    found = embedded.status(load_settings().data_dir or embedded.default_data_dir())
    if not found.running or found.endpoints is None:
        return {}
    return {
        "TOKENQ_DATABASE_URL": found.endpoints.postgres,
        "TOKENQ_REDIS_URL": found.endpoints.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": found.endpoints.kafka,
        "TOKENQ_KAFKA_EMBEDDED": "1",
        "TOKENQ_MAIL_OUTBOX": found.endpoints.mail_outbox,
    }
