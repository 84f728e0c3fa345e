"""Valkey as a child process: on loopback, with a password and an append-only file."""

import shutil
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenq_server.embedded.privileges import RunAs, give_folder
from tokenq_server.embedded.processes import Command
from tokenq_server.store_users import REDIS_RULES, REDIS_USER

_READY = b"+OK\r\n+PONG\r\n"

_SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""
_PROGRAMS_USER = "user {user} on >{password} {rules}\n"


@dataclass
class Valkey:
    """One server. Its settings are passed on standard input, so that the password is in no file and no argument."""

    binary: Path
    folder: Path
    log: Path
    port: int
    password: str
    run_as: RunAs | None = None
    keep_open: Sequence[int] = ()
    """File descriptors that it inherits."""
    program_password: str = ""
    """The password of the user of tokenq's programs, whose rights are limited; without one there is no such user."""

    title = "Valkey"
    stop_signal = signal.SIGTERM
    patience = 5.0

    @property
    def url(self) -> str:
        """The URL for whoever may do everything: database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def program_url(self) -> str:
        """The URL for tokenq's programs."""
        return f"redis://{REDIS_USER}:{self.program_password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Create its folder.

        Raises:
            Refused: the folder belongs to another user.
        """
        give_folder(self.folder, self.run_as)

    def set_aside(self) -> None:
        """Move data that it cannot read aside, for inspection. Data moved earlier is deleted."""
        data, aside = self.folder / "appendonlydir", self.folder / "appendonlydir.broken"
        if data.exists():
            shutil.rmtree(aside, ignore_errors=True)
            data.rename(aside)

    def command(self) -> Command:
        """The command that starts the server."""
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        settings = _SETTINGS.format(port=self.port, password=self.password, folder=folder)
        if self.program_password:
            settings += _PROGRAMS_USER.format(user=REDIS_USER, password=self.program_password, rules=REDIS_RULES)
        argv = [str(self.binary), "-"]
        return Command(
            argv,
            self.log,
            signal.SIGTERM,
            run_as=self.run_as,
            stdin=settings.encode(),
            keep_open=self.keep_open,
        )

    def is_ready(self) -> bool:
        """Whether it accepts our password and has loaded its data."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                answer = b""
                # No more than that: something else at our port might send for ever.
                while len(answer) < len(_READY) and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer.startswith(_READY)
