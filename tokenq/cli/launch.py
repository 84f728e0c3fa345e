"""The one door to the server's and the screens' code, opened at run time only."""

import importlib
import os
from types import ModuleType

from tokenq.errors import Missing
from tokenq.settings import config_file, is_debugging


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


def program(name: str) -> int:
    """Run one of the server's programs until it ends; answers its exit code."""
    return int(load("tokenq_server.programs", "server").run(name))
