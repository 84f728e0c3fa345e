"""The ways to a printer. None of them waits for ever."""

import os
import select
import shutil
import socket
import stat
import subprocess
import time
from contextlib import suppress
from typing import Protocol, Self

from tokenq.errors import PrinterFailed
from tokenq.locale import N_
from tokenq.printable import printable

_CONNECT_SECONDS = 3.0
_WRITE_SECONDS = 10.0
_QUEUE_SECONDS = 10.0
_SILENT_SECONDS, _CLOSE_SECONDS = 0.2, 1.0
"""For how long a printer must have said nothing before the connection is closed, and when it is closed anyway."""


class Connection(Protocol):
    """A printer that can be written to and may answer. Every method raises PrinterFailed."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def write(self, content: bytes) -> None:
        """Send everything."""

    def read(self, seconds: float) -> int | None:
        """Return the next byte that the printer sends within so many seconds."""


class NetworkConnection:
    """A printer with an address of its own, at its raw port."""

    def __init__(self, host: str, port: int) -> None:
        self._name = f"{host}:{port}"
        try:
            self._socket = socket.create_connection((host, port), _CONNECT_SECONDS)
        except OSError as error:
            raise PrinterFailed(
                N_("The printer {printer} does not answer: {why}."), printer=self._name, why=_why(error)
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close in order: what is not read yet would otherwise make the system drop what is not sent yet."""
        give_up = time.monotonic() + _CLOSE_SECONDS
        with self._socket, suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_SILENT_SECONDS)
            while self._socket.recv(1024) and time.monotonic() < give_up:
                pass

    def write(self, content: bytes) -> None:
        """Send everything."""
        try:
            self._socket.settimeout(_WRITE_SECONDS)
            self._socket.sendall(content)
        except OSError as error:
            raise PrinterFailed(
                N_("The printer {printer} takes no data: {why}."), printer=self._name, why=_why(error)
            ) from None

    def read(self, seconds: float) -> int | None:
        """Return the next byte that the printer sends within so many seconds."""
        try:
            self._socket.settimeout(seconds)
            return next(iter(self._socket.recv(1)), None)
        except OSError:
            return None


class DeviceConnection:
    """A printer at this machine."""

    def __init__(self, path: str) -> None:
        self._path = path
        flags = os.O_NONBLOCK | os.O_NOCTTY
        try:
            self._file = self._open(flags | os.O_RDWR) if os.access(path, os.R_OK) else self._open(flags | os.O_WRONLY)
            mode = os.fstat(self._file).st_mode
        except OSError as error:
            raise PrinterFailed(
                N_("The printer {printer} cannot be opened: {why}."), printer=path, why=_why(error)
            ) from None
        if not stat.S_ISCHR(mode) and not stat.S_ISFIFO(mode):
            os.close(self._file)
            raise PrinterFailed(N_("{printer} is not a printer."), printer=path)

    def _open(self, flags: int) -> int:
        return os.open(self._path, flags)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def write(self, content: bytes) -> None:
        """Send everything."""
        give_up = time.monotonic() + _WRITE_SECONDS
        rest = memoryview(content)
        try:
            while rest:
                if not select.select([], [self._file], [], max(give_up - time.monotonic(), 0))[1]:
                    raise TimeoutError
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise PrinterFailed(
                N_("The printer {printer} takes no data: {why}."), printer=self._path, why=_why(error)
            ) from None

    def read(self, seconds: float) -> int | None:
        """Return the next byte that the printer sends within so many seconds."""
        try:
            is_ready = select.select([self._file], [], [], seconds)[0]
            return next(iter(os.read(self._file, 1)), None) if is_ready else None
        except OSError:
            return None


def print_by_queue(name: str, content: bytes) -> None:
    """Print by CUPS, as it is. Raises PrinterFailed."""
    command = shutil.which("lp")
    if command is None:
        raise PrinterFailed(N_("This machine has no printing system: the command 'lp' is missing."))
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the name begins with no dash
            [command, "-d", name, "-o", "raw"], input=content, capture_output=True, timeout=_QUEUE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PrinterFailed(
            N_("The print queue {queue} does not answer: {why}."), queue=name, why=_why(error)
        ) from None
    if done.returncode:
        said = printable(done.stderr.decode("utf-8", "replace").strip(), 200)
        why = said.rstrip(".") or f"exit code {done.returncode}"
        raise PrinterFailed(N_("The print queue {queue} does not print: {why}."), queue=name, why=why)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
        return "it took too long"
    return getattr(error, "strerror", None) or str(error)
