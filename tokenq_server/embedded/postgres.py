"""PostgreSQL as a child process: a private cluster on loopback, with fsync on and passwords."""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenq.contract.problems import refuse
from tokenq_server.embedded.folder import sync_folder
from tokenq_server.embedded.privileges import RunAs, give_folder
from tokenq_server.embedded.processes import QUIET_ENVIRONMENT, Command, last_log_line, run
from tokenq_server.embedded.reasons import EmbeddedReason

PRIVATE_LOG = {
    "log_error_verbosity": "terse",  # details are values of rows
    "log_min_error_statement": "panic",  # a statement may contain values, too
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""What keeps people, and passwords of roles, out of the log: it would outlive their erasure."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    **PRIVATE_LOG,
    "max_connections": "100",
}

_FIRST_STEPS = r"""
SELECT 'CREATE ROLE tokenq LOGIN PASSWORD ''{password}'''
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tokenq') \gexec
SELECT 'CREATE DATABASE tokenq OWNER tokenq'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tokenq') \gexec
"""
_PROGRAM_ROLE = r"""
SELECT 'CREATE ROLE {name} LOGIN PASSWORD ''{password}'''
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \gexec
"""
_PUBLIC_SCHEMA = r"""
\connect tokenq
SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' FROM pg_namespace n, aclexplode(nspacl) AS granted
  WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE' \gexec
SELECT 'GRANT ALL ON SCHEMA public TO tokenq' WHERE NOT has_schema_privilege('tokenq', 'public', 'CREATE') \gexec
"""


@dataclass
class Postgres:
    """One cluster. ``binaries`` is a folder of programs; ``folder`` and ``log`` are created if needed.

    The superuser ``postgres`` has ``admin_password``; the role ``tokenq``, which owns the database ``tokenq``, has
    ``password``; ``programs`` are the passwords of the programs' roles. All are URL-safe base64.
    """

    binaries: Path
    folder: Path
    log: Path
    port: int
    admin_password: str
    password: str
    run_as: RunAs | None = None
    keep_open: Sequence[int] = ()
    """File descriptors that its processes inherit."""
    programs: Mapping[str, str] = field(default_factory=dict)

    title = "PostgreSQL"
    stop_signal = signal.SIGINT
    """Its fast shutdown; SIGTERM would wait for the clients to leave."""
    patience = 8.0

    @property
    def url(self) -> str:
        """The URL for the owner of tokenq's database."""
        return self._url("tokenq", self.password)

    def url_of(self, role: str) -> str:
        """The URL for a program's role."""
        return self._url(role, self.programs[role])

    @property
    def admin_url(self) -> str:
        """The URL for the superuser."""
        return f"postgresql://postgres:{self.admin_password}@127.0.0.1:{self.port}/postgres"

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/tokenq"

    def prepare(self, durable: bool = True) -> None:
        """Create the cluster if there is none; takes about half a second. ``durable=False`` skips its fsync.

        Raises:
            Refused: the folder belongs to another user, or initdb fails.
        """
        give_folder(self.folder, self.run_as)
        cluster = self.folder / "cluster"
        if (cluster / "PG_VERSION").exists():
            return
        unfinished = self.folder / "unfinished"
        if unfinished.exists():  # left behind by a kill -9
            shutil.rmtree(unfinished)
        give_folder(unfinished, self.run_as)
        if self._initdb(unfinished, durable) != 0:
            raise refuse(EmbeddedReason.NO_CLUSTER, said=last_log_line(self.log), log=str(self.log))
        unfinished.rename(cluster)
        sync_folder(self.folder)

    def _initdb(self, target: Path, durable: bool) -> int:
        argv = [str(self.binaries / "initdb"), "-D", str(target), "-U", "postgres", "--encoding=UTF8"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=scram-sha-256"]
        password = os.memfd_create("password")  # never on disk, in argv or in the environment
        try:
            os.write(password, self.admin_password.encode())
            argv += [f"--pwfile=/proc/self/fd/{password}", *([] if durable else ["--no-sync"])]
            done = run(argv, self.run_as, keep_open=[password, *self.keep_open])
        finally:
            os.close(password)
        with self.log.open("ab") as log:
            log.write(done.stdout)
        return done.returncode

    def command(self) -> Command:
        """The command that starts the server, after :meth:`prepare`."""
        argv = [str(self.binaries / "postgres"), "-D", str(self.folder / "cluster"), "-c", f"port={self.port}"]
        for name, value in _SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        return Command(argv, self.log, signal.SIGINT, run_as=self.run_as, keep_open=self.keep_open)

    def is_ready(self) -> bool:
        """Whether it accepts connections, and is ours: SCRAM succeeds only with a server that knows our password.

        Roles and the database are created if missing.
        """
        psql = [str(self.binaries / "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        environment = {**QUIET_ENVIRONMENT, "PGPASSWORD": self.admin_password, "PGCONNECT_TIMEOUT": "2"}
        steps = _FIRST_STEPS.format(password=self.password)
        steps += "".join(_PROGRAM_ROLE.format(name=name, password=word) for name, word in self.programs.items())
        steps += _PUBLIC_SCHEMA
        done = run([*psql, "-U", "postgres", "-d", "postgres"], stdin=steps.encode(), environment=environment)
        return done.returncode == 0
