"""A supervised child process: started when its dependencies are ready, and restarted whenever it ends."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tokenq_server.embedded.processes import Command, last_log_line, spawn, stop
from tokenq_server.embedded.reports import Progress

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_LONG_LIFE = 30.0


@dataclass
class SupervisedProcess:
    """A process and the rules for keeping it alive. Times are in seconds."""

    name: str
    title: str
    command: Callable[[], Command]
    is_ready: Callable[[], bool]
    report: Callable[[Progress], None]
    needs: Sequence["SupervisedProcess"] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 6.0
    grace: float = 2.0
    """The time it gets to finish its work when a dependency has ended."""
    followers: Sequence["SupervisedProcess"] = ()
    """Its dependents: they end when it ends, and it is not restarted before they have."""
    on_failure: Callable[["SupervisedProcess"], None] | None = None
    """Called after each unexpected end, to change something before the next start."""

    ready: bool = False
    times_ready: int = 0
    failures: int = 0
    """Failures in a row without a long run in between."""
    _process: subprocess.Popen[bytes] | None = None
    _last_end: str = ""
    _started: float = 0.0
    _next_start: float = field(default=0.0)
    _reason: str = ""
    _killed_at: float | None = None
    """When it is killed, if it was asked to end and has not by then."""

    def tend(self) -> None:
        """Do what is due: notice its end, start it, notice that it is ready."""
        if self._process is None:
            if time.monotonic() >= self._next_start and self._may_start():
                self._start()
        elif self._process.poll() is not None:
            stop(self._process, signal.SIGKILL, 0.0)  # what it started ends with it
            how, self._reason = self._reason or _how_it_ended(self._process.returncode), ""
            self._count_failure(how)
        elif self._killed_at is not None:
            if time.monotonic() >= self._killed_at:
                self._process.kill()
        elif not self.ready and self._looks_ready():
            self.ready = True
            self.times_ready += 1
            self.report(Progress(self.name, "ready"))

    def end(self) -> None:
        """Let it finish its work, and kill it if it takes longer than its grace period.

        It is restarted as soon as its dependencies are ready.
        """
        if self._process is not None and self.is_alive and self._killed_at is None:
            self.ready = False
            self._killed_at = time.monotonic() + self.grace
            self._process.send_signal(self.stop_signal)

    def renew(self, why: str) -> None:
        """End it as :meth:`end` does, for a reason that is reported when it is restarted."""
        self._reason = why
        self.end()

    def ask_to_stop(self) -> None:
        """Send its stop signal and do not wait."""
        self.ready = False
        if self._process is not None and self.is_alive:
            self.report(Progress(self.name, "stopping"))
            self._process.send_signal(self.stop_signal)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def finish(self) -> None:
        """Kill it after :meth:`ask_to_stop`, if it still runs, with everything it started."""
        if self._process is not None:
            stop(self._process, signal.SIGKILL, 1.0)
            self._process = None
            self.report(Progress(self.name, "stopped"))

    def last_words(self) -> str:
        """How it ended last, and the last line of its log."""
        log_line = last_log_line(self.command().log)
        return f"it {self._last_end or 'is not ready'}" + (f" ({log_line})" if log_line else "")

    def _may_start(self) -> bool:
        return all(part.ready for part in self.needs) and not any(part.is_alive for part in self.followers)

    def _start(self) -> None:
        self.report(Progress(self.name, "starting"))
        self._started = time.monotonic()
        try:
            self._process = spawn(self.command())
        except OSError as error:  # no memory, a full disk: it may pass
            self._count_failure(f"could not be started: {error}")

    def _looks_ready(self) -> bool:
        with suppress(OSError):
            return self.is_ready()
        return False

    def _count_failure(self, how: str) -> None:
        now = time.monotonic()
        self.failures = 1 if now - self._started > _LONG_LIFE else self.failures + 1
        self._next_start = now + min(_FIRST_DELAY * 2 ** (self.failures - 1), _LONGEST_DELAY)
        self.ready = False
        self._process = None
        self._killed_at = None
        self._last_end = how
        self.report(Progress(self.name, "restarting", how))
        for follower in self.followers:
            follower.end()
        if self.on_failure is not None:
            self.on_failure(self)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
