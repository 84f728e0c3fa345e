"""The data folder: its layout, its secrets, and its lock."""

import errno
import fcntl
import json
import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from tokenq.contract.problems import refuse
from tokenq_server.embedded.privileges import RunAs, check_folder
from tokenq_server.embedded.processes import can_run
from tokenq_server.embedded.reasons import EmbeddedReason
from tokenq_server.embedded.reports import Endpoints, down_command

_LOG_LIMIT = 10_000_000
_LINGER_SECONDS = 15.0


class DataFolder:
    """Paths in a data folder; nothing is created before :meth:`make`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.secrets = self.path / "secrets"
        self.logs = self.path / "log"
        self.mail = self.path / "mail"
        self.programs = self.path / "programs"
        self.admin_token_file = self.secrets / "admin.token"
        self.own_certificate = self.secrets / "tls.pem"
        self._endpoints = self.path / "endpoints.json"
        self._ports = self.path / "ports.json"
        self._demo_mark = self.path / "made-by-demo"
        self.supervisor_lock = self.path / "lock"
        self.children_lock = self.path / "children.lock"

    def make(self, run_as: RunAs | None) -> None:
        """Create the folder and its private subfolders.

        Raises:
            Refused: it cannot be created or written, the servers' user cannot reach it, or others can write to it.
        """
        existed = self.path.exists()
        try:
            self.path.mkdir(mode=0o700 if run_as is None else 0o711, parents=True, exist_ok=True)
            if run_as is not None and not can_run(self.path, run_as):
                if not existed:
                    self.path.rmdir()
                raise _out_of_reach(self.path, run_as)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            check_folder(self.path.resolve(), os.geteuid())
            for private in (self.secrets, self.logs, self.mail):
                private.mkdir(mode=0o700, exist_ok=True)
                check_folder(private, os.geteuid())
            # What is in there is run, by the servers' user.
            copied = [self.programs, *self.programs.glob("*")] if os.path.lexists(self.programs) else []
            for kept in copied:
                check_folder(kept, os.geteuid())
        except OSError as error:
            folder = str(self.path)
            raise refuse(EmbeddedReason.UNUSABLE_FOLDER, folder=folder, error=error.strerror) from error

    def claim_for_demo(self) -> None:
        """Mark a new folder as the demo's, before there is anything in its database.

        Raises:
            Refused: it has a database that the demo did not create; the demo would serve real customers.
        """
        if self._demo_mark.exists():
            return
        if (self.path / "postgres" / "cluster").exists():
            raise refuse(EmbeddedReason.NOT_A_DEMO, folder=str(self.path))
        write_privately(self._demo_mark, "The people in this folder's database are the demo's.\n")

    def log(self, part: str) -> Path:
        """Return the log file of a part."""
        return self.logs / f"{part}.log"

    def secret(self, name: str) -> str:
        """Return a generated password, the same on every call, from a file that only its owner can read."""
        path = self.secrets / name
        with suppress(FileNotFoundError):
            if kept := path.read_text().strip():
                return kept
        made = secrets.token_urlsafe(24)
        write_privately(path, made + "\n")
        return made

    def write_endpoints(self, endpoints: Endpoints) -> None:
        """Publish the endpoints atomically."""
        write_privately(self._endpoints, endpoints.to_json() + "\n")

    def forget_endpoints(self) -> None:
        """Delete the endpoints document: nothing answers there any more."""
        self._endpoints.unlink(missing_ok=True)

    def read_endpoints(self) -> Endpoints | None:
        """Return the endpoints published last; ``None`` if there are none that can be read."""
        try:
            return Endpoints.from_json(self._endpoints.read_text())
        except (OSError, ValueError):
            return None

    def remembered_ports(self) -> dict[str, int]:
        """Return the stores' ports of the last run, so that a board finds the broker again."""
        try:
            ports = json.loads(self._ports.read_text())
            return {str(name): int(port) for name, port in ports.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def remember_ports(self, ports: dict[str, int]) -> None:
        """Store the ports for the next run."""
        write_privately(self._ports, json.dumps(ports) + "\n")

    def bound_logs(self) -> None:
        """Truncate logs above ten megabytes, keeping one old file. The writers keep their open files."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)


def _out_of_reach(path: Path, run_as: RunAs) -> Exception:
    return refuse(EmbeddedReason.UNREACHABLE_FOLDER, user=run_as.name, folder=str(path))


def write_privately(path: Path, text: str) -> None:
    """Write a file as a whole; only its owner can read it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    beside.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names of its files durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Hold:
    """This process's lock on a data folder, ended by :meth:`release` or when the process ends.

    Two locks: one is held by the supervisor alone; the other is inherited by every child, so it is free only when the
    last of them has ended, and two generations never write to the same data.
    """

    def __init__(self, folder: DataFolder) -> None:
        """Raise ``Refused`` if another supervisor has the folder, or its children do not end."""
        self._supervisor = _lock(folder.supervisor_lock, seconds=1.0)
        if self._supervisor is None:
            raise _already_running(folder)
        os.ftruncate(self._supervisor, 0)
        os.pwrite(self._supervisor, str(os.getpid()).encode(), 0)
        children = _lock(folder.children_lock, seconds=_LINGER_SECONDS)
        if children is None:
            os.close(self._supervisor)
            raise refuse(EmbeddedReason.STILL_RUNNING, folder=str(folder.path))
        self.inherited = children
        """The file descriptor that every child must inherit."""

    def release(self) -> None:
        """Release the folder; the children have ended."""
        os.close(self.inherited)
        if self._supervisor is not None:
            os.close(self._supervisor)


def _already_running(folder: DataFolder) -> Exception:
    endpoints = folder.read_endpoints()
    where = f", at {endpoints.api}" if endpoints else " and is starting"
    extra = {"api": endpoints.api if endpoints else None}
    names = {"folder": str(folder.path), "where": where, "down": down_command(folder.path)}
    return refuse(EmbeddedReason.ALREADY_RUNNING, extra, **names)


def _lock(path: Path, seconds: float) -> int | None:
    """Return a descriptor that holds the lock; ``None`` if others keep it for that many seconds."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    while not _try_lock(handle, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            os.close(handle)
            return None
        time.sleep(0.02)
    return handle


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(lock: Path) -> bool:
    """Whether a living process holds the lock.

    Raises:
        Refused: the file cannot be read: the folder is another user's.
    """
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise refuse(EmbeddedReason.OTHERS_FOLDER, folder=str(lock.parent)) from error
    try:
        return not _try_lock(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def holder(folder: DataFolder) -> int | None:
    """Return the process id of the supervisor that holds the folder, or ``None``; a stale number is ignored."""
    if not is_held(folder.supervisor_lock):
        return None
    text = folder.supervisor_lock.read_text()
    return int(text) if text.isdecimal() else None
