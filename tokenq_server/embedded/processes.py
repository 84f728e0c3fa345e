"""Starts and stops child processes so that none of them outlives its parent."""

import ctypes
import os
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from tokenq_server.embedded.privileges import RunAs

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl

QUIET_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
"""For foreign servers: they would read settings from a user's PG… or CLUSTER_ID variables."""


@dataclass(frozen=True)
class Command:
    """What to start. ``death_signal`` is sent by the kernel when the thread that started it ends."""

    argv: Sequence[str]
    log: Path
    death_signal: signal.Signals
    environment: Mapping[str, str] = field(default_factory=lambda: QUIET_ENVIRONMENT)
    run_as: RunAs | None = None
    stdin: bytes | None = None
    """Sent at once, then closed; ``None`` is an empty standard input."""
    folder: Path = Path("/")
    keep_open: Sequence[int] = ()
    """File descriptors that the child inherits; a lock among them is held until the child has ended."""


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start it in its own session, so that Ctrl-C reaches the supervisor alone. Call from the main thread."""
    with command.log.open("ab") as log, _quiet_fork():
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 (our own programs)
            list(command.argv),
            stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=command.folder,
            env=dict(command.environment),
            pass_fds=command.keep_open,
            start_new_session=True,
            preexec_fn=_die_with_parent(command.death_signal, os.getpid()),
            **_user(command.run_as),
        )
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(command.stdin or b"")
    return process


class _User(TypedDict):
    user: int | None
    group: int | None
    extra_groups: list[int] | None


def _user(run_as: RunAs | None) -> _User:
    if run_as is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": run_as.uid, "group": run_as.gid, "extra_groups": []}


def run(
    argv: Sequence[str | Path],
    run_as: RunAs | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] = QUIET_ENVIRONMENT,
    keep_open: Sequence[int] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run a short program to its end, or to ours; the result has errors and output together."""
    with _quiet_fork():
        return subprocess.run(  # noqa: S603 (our own programs)
            argv,
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environment),
            pass_fds=keep_open,
            start_new_session=True,
            preexec_fn=_die_with_parent(signal.SIGKILL, os.getpid()),
            **_user(run_as),
        )


def can_run(path: Path, run_as: RunAs) -> bool:
    """Whether that user may execute the file, or enter the folder. The system is asked, so ACLs count."""
    return run(["test", "-x", path], run_as).returncode == 0


@contextmanager
def _quiet_fork() -> Iterator[None]:
    """Python 3.12 warns of preexec_fn beside threads; ours only makes two system calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _die_with_parent(death_signal: int, parent: int) -> Callable[[], None]:
    def ask_kernel() -> None:
        _prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, patience: float) -> None:
    """Ask it to end, wait up to ``patience`` seconds, then kill it with everything it started."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_log_line(log: Path, limit: int = 200) -> str:
    """Return the last non-empty line of a log, for an error message; "" if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return ""
    return next((line[:limit] for line in reversed(lines) if line), "")
