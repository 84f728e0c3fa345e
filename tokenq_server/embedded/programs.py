"""Starts tokenq's own processes: the same interpreter, the same code, settings by environment."""

import os
import signal
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenq_server.embedded.processes import Command


def program(
    module: str, words: Sequence[str], log: Path, settings: Mapping[str, str], keep_open: Sequence[int]
) -> Command:
    """Return the command ``python -m module args…`` with these settings added to the environment."""
    # -P: a file named like a module in the user's current folder must not be imported.
    argv = [sys.executable, "-P", "-m", module, *words]
    environment = {**os.environ, **_code_path(), **_config_file(), **settings}
    # Every program of tokenq survives kill -9, and must not linger.
    return Command(argv, log, signal.SIGKILL, environment=environment, keep_open=keep_open)


def _config_file() -> dict[str, str]:
    """Children work in another folder, so the path must be absolute."""
    named = os.environ.get("TOKENQ_CONFIG")
    return {"TOKENQ_CONFIG": str(Path(named).absolute())} if named else {}


def _code_path() -> dict[str, str]:
    """Children must find the code that runs top, even if it is not installed."""
    top = str(Path(__file__).absolute().parents[2])
    if top in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return {}
    current = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{top}{os.pathsep}{current}" if current else top}
