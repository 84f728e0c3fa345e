"""``tokenq up``: starts everything, keeps it alive, and stops it in order."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from tokenq.contract.problems import Refused, refuse
from tokenq_server.embedded.addresses import take_port
from tokenq_server.embedded.certificate import choose_certificate
from tokenq_server.embedded.folder import DataFolder, Hold
from tokenq_server.embedded.memory_watchdog import of_this_machine
from tokenq_server.embedded.privileges import choose_run_as
from tokenq_server.embedded.reasons import EmbeddedReason
from tokenq_server.embedded.reports import Endpoints, Progress, UpOptions
from tokenq_server.embedded.signals import Signals
from tokenq_server.embedded.stack import Stack
from tokenq_server.embedded.supervised_process import SupervisedProcess

_STARTING_TICK = 0.02
_QUIET_TICK = 1.0
_CHECK_SECONDS = 60.0
_MOST_EARLY_DEATHS = 5
_START_SECONDS = 180.0


def up(options: UpOptions, report: Callable[[Progress], None], on_ready: Callable[[Endpoints], None]) -> int:
    """Run everything in the foreground until Ctrl-C, SIGTERM or SIGHUP, and stop it.

    Call it from the main thread. ``on_ready`` is called once, as soon as the API is ready; ``report`` is called at each
    step, also later if something had to be restarted.

    Returns:
        130 after Ctrl-C, else 0.

    Raises:
        Refused: the folder is in use or not usable, the port is taken, a server is missing or does not start.
    """
    try:
        return _up(options, report, on_ready)
    except OSError as error:
        folder = str(options.data_dir)
        raise refuse(EmbeddedReason.NOT_PERMITTED, folder=folder, error=str(error)) from error


def _up(options: UpOptions, report: Callable[[Progress], None], on_ready: Callable[[Endpoints], None]) -> int:
    run_as = choose_run_as()
    folder = DataFolder(options.data_dir)
    folder.make(run_as)
    hold = Hold(folder)
    try:
        if options.demo:
            folder.claim_for_demo()
        options = replace(options, port=_api_port(options, folder))
        certificate = choose_certificate(options, folder)
        folder.forget_endpoints()
        folder.bound_logs()
        log = _Log(folder, report)
        with Signals() as signals:
            stack = Stack(folder, options, certificate, run_as, hold.inherited, log.write)
            return _Run(folder, stack, signals).run(on_ready)
    finally:
        folder.forget_endpoints()
        hold.release()


class _Log:
    """Passes progress on, and writes it to ``supervisor.log``."""

    def __init__(self, folder: DataFolder, report: Callable[[Progress], None]) -> None:
        self._path, self._report = folder.log("supervisor"), report

    def write(self, progress: Progress) -> None:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{moment} {progress.part} {progress.state} {progress.detail}".rstrip()
        with suppress(OSError), self._path.open("a") as file:  # a full disk
            file.write(line + "\n")
        with suppress(OSError):  # the reader has gone
            self._report(progress)


def _api_port(options: UpOptions, folder: DataFolder) -> int:
    """Return the requested port; if any, the one of the last run, where others look for it. Raises Refused."""
    if options.port == 0 and (last_port := folder.remembered_ports().get("api")):
        with suppress(Refused):
            return take_port(options.host, last_port)
    return take_port(options.host, options.port)


class _Run:
    def __init__(self, folder: DataFolder, stack: Stack, signals: Signals) -> None:
        self._folder, self._stack, self._signals = folder, stack, signals
        self._parts = [*stack.stores, *stack.programs]
        self._wear = of_this_machine()

    def run(self, on_ready: Callable[[Endpoints], None]) -> int:
        try:
            self._start()
            if not self._signals.endings:
                self._folder.remember_ports(self._stack.ports())
                self._folder.write_endpoints(self._stack.endpoints())
                on_ready(self._stack.endpoints())
                self._keep_alive()
        finally:
            self._stop()
        return 130 if self._signals.endings[0] == signal.SIGINT else 0

    def _start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        self._stack.prepare()
        self._stack.mail_server, self._stack.limits = _checked(self._stack.settings("notify"))
        while not self._stack.api.ready and not self._signals.endings:
            self._tend()
            for part in self._parts:
                is_late = time.monotonic() > deadline and not part.ready
                if part.failures >= _MOST_EARLY_DEATHS or is_late:
                    raise _does_not_start(part, self._folder)
            self._signals.wait(_STARTING_TICK)
        for part in self._stack.programs:
            part.tend()

    def _keep_alive(self) -> None:
        next_check = 0.0
        while not self._signals.endings:
            self._tend()
            if time.monotonic() > next_check:
                with suppress(OSError):
                    self._folder.bound_logs()
                if why := self._wear.why_renew(self._stack.broker_part.pid):
                    self._stack.broker_part.renew(why)
                next_check = time.monotonic() + _CHECK_SECONDS
            settled = all(part.ready for part in self._parts)
            self._signals.wait(_QUIET_TICK if settled else _STARTING_TICK * 5)

    def _tend(self) -> None:
        for part in self._parts:
            part.tend()

    def _stop(self) -> None:
        for group in (self._stack.programs, self._stack.stores):
            for part in reversed(group):
                part.ask_to_stop()
            self._await(group)

    def _await(self, group: Sequence[SupervisedProcess]) -> None:
        """Wait until all have ended, their time is over, or Ctrl-C is pressed again."""
        deadline = time.monotonic() + max(part.patience for part in group)
        asked = len(self._signals.endings)
        while any(part.is_alive for part in group) and time.monotonic() < deadline:
            if len(self._signals.endings) > asked:
                break
            self._signals.wait(_STARTING_TICK * 5)
        for part in reversed(group):
            part.finish()


def _checked(own: Mapping[str, str]) -> tuple[str, Mapping[str, int]]:
    """Return the mail server's address, empty if e-mails go to the folder, and the limits. Raises Refused.

    Called while the stores start: reading settings takes a moment.
    """
    from tokenq_server.settings import load

    settings = load(**own)
    server = settings.mail_server
    return server.address if server else "", settings.limits


def _does_not_start(part: SupervisedProcess, folder: DataFolder) -> Exception:
    log = str(folder.log(part.name))
    return refuse(EmbeddedReason.NOT_STARTED, program=part.title, said=part.last_words(), log=log)
