"""PgBouncer in front of a database: the system's, or the program that ``TOKENQ_TEST_PGBOUNCER`` names."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from tokenq_server.embedded.ports import free_port

_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
server_lifetime = 3600
logfile = {log}
"""
_KEPT = "max_prepared_statements = 200\n"


@contextmanager
def running_pgbouncer(
    folder: Path, server: int, users: Mapping[str, str], mode: str = "session", size: int = 30
) -> Iterator[int]:
    """A PgBouncer before the PostgreSQL at port ``server``, for these users and passwords; yields its port."""
    program = _program()
    port, log = free_port(), folder / "log"
    (folder / "users.txt").write_text("".join(f'"{name}" "{password}"\n' for name, password in users.items()))
    names = {"users": folder / "users.txt", "log": log, "port": port, "server": server, "mode": mode, "size": size}
    kept = _KEPT if _keeps_statements(program) else ""
    (folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(**names) + kept)
    process = subprocess.Popen([program, "-q", str(folder / "pgbouncer.ini")], **_ordinary_user(folder))
    try:
        until(lambda: log.exists() and "process up" in log.read_text())
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _program() -> str:
    named = os.environ.get("TOKENQ_TEST_PGBOUNCER", "pgbouncer")
    program = shutil.which(named) or shutil.which(named, path="/usr/sbin")
    if program is None:
        pytest.fail(f"there is no program {named}: apt-get install pgbouncer, or correct TOKENQ_TEST_PGBOUNCER")
    return program


def _keeps_statements(program: str) -> bool:
    """Whether it moves prepared statements between sessions, which releases from 1.21 on can."""
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, shown.split()[1].split(".")[:2])) >= (1, 21)


def _ordinary_user(folder: Path) -> dict[str, Any]:
    """It refuses to run as root, and must be able to enter its folder."""
    if os.geteuid() != 0:
        return {}
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "nobody")
    for above in folder.parents:
        if above.owner() == "root" and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}
