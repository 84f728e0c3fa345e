"""``tokenq up --detach``, ``tokenq up --status`` and ``tokenq down``: a supervisor without a terminal."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from tokenq.contract.problems import Problem, Refused, refuse
from tokenq_server.embedded.addresses import readiness
from tokenq_server.embedded.folder import DataFolder, holder, is_held
from tokenq_server.embedded.privileges import choose_run_as
from tokenq_server.embedded.programs import program
from tokenq_server.embedded.reasons import EmbeddedReason
from tokenq_server.embedded.reports import Endpoints, Progress, Status, UpOptions

_STOP_SECONDS = 20.0
_KILL_SECONDS = 10.0


def start_detached(options: UpOptions, report: Callable[[Progress], None]) -> Endpoints:
    """Start the supervisor in the background and return when the API is ready.

    Raises:
        Refused: for the same reasons as ``up``.
    """
    folder = DataFolder(options.data_dir)
    folder.make(choose_run_as())
    reader, writer = os.pipe()
    supervisor = _spawn_free(folder, options, writer)
    os.close(writer)
    try:
        with os.fdopen(reader) as news:
            return _follow(news, report, folder)
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)
        raise


def _spawn_free(folder: DataFolder, options: UpOptions, writer: int) -> int:
    """Start the supervisor in its own session, without a terminal; return its process id."""
    words = [str(writer), replace(options, data_dir=folder.path).to_json()]
    command = program("tokenq_server.embedded", words, folder.log("supervisor"), {}, [])
    os.set_inheritable(writer, True)
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    for output in (1, 2):
        files.append((os.POSIX_SPAWN_OPEN, output, str(command.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    return os.posix_spawn(command.argv[0], list(command.argv), command.environment, file_actions=files, setsid=True)


def _follow(news: IO[str], report: Callable[[Progress], None], folder: DataFolder) -> Endpoints:
    for line in news:
        kind, body = json.loads(line)
        if kind == "progress":
            report(Progress(**body))
        elif kind == "ready":
            return Endpoints.from_json(body)
        else:
            raise Refused(Problem.from_wire(body, body["status"]))
    raise refuse(EmbeddedReason.NOT_READY, log=str(folder.log("supervisor")))


def status(data_dir: Path) -> Status:
    """Return what runs on that folder; a missing folder has nothing running.

    Raises:
        Refused: the folder belongs to another user.
    """
    folder = DataFolder(data_dir)
    pid = holder(folder)
    endpoints = folder.read_endpoints() if pid else None
    if pid is None:
        return Status(running=False)
    ready, parts = readiness(endpoints.api, endpoints.fingerprint) if endpoints else (False, {})
    return Status(True, pid, ready, endpoints, parts or {"api": "down"})


def down(data_dir: Path) -> bool:
    """Stop what runs on that folder and wait until it has ended; return False if nothing ran.

    Raises:
        Refused: the folder belongs to another user, or the processes do not end.
    """
    folder = DataFolder(data_dir)
    for ending, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        if not _send(folder, ending) and ending is signal.SIGTERM and not is_held(folder.children_lock):
            return False
        if _is_free_within(folder, seconds):
            return True
    raise refuse(EmbeddedReason.NOT_ENDING, folder=str(folder.path), log=str(folder.log("supervisor")))


def _send(folder: DataFolder, ending: signal.Signals) -> bool:
    """Signal the supervisor. Its process is pinned first and the lock checked again, so no other process can be hit."""
    pid = holder(folder)
    if pid is None:
        return False
    try:
        pinned = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if holder(folder) != pid:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pinned, ending)
    except PermissionError as error:
        raise refuse(EmbeddedReason.OTHERS_SERVERS) from error
    finally:
        os.close(pinned)
    return True


def _is_free_within(folder: DataFolder, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_held(folder.supervisor_lock) or is_held(folder.children_lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
