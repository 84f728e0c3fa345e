"""Runs a command for each call, so that a lobby hears it: one after the other, in a thread of its own.

No shell reads the command, and nothing from data is part of it: the sentence is its last argument, the rest are
variables. Whatever the command does, the board goes on.
"""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from tokenq.board.department_setup import is_within
from tokenq.board.picture import Call
from tokenq.locale import texts
from tokenq.locale.spoken import spoken
from tokenq.printable import printable
from tokenq.zones import local

TIMEOUT = 20.0
"""Seconds after which a command is ended."""
SAID_WITHIN = 60.0
"""A call that has waited longer than this many seconds for its turn is not said any more."""

_MOST_WAITING = 100
_LONGEST = 200
"""Cells of a sentence."""
_ENDS_WITHIN = 1.0
_POLL = 0.5


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """What to run: ``command`` says a sentence, ``chime`` comes before it; empty: nothing.

    ``quiet`` is when nothing is to be heard, such as ``22:00-06:00``.
    """

    command: tuple[str, ...] = ()
    chime: tuple[str, ...] = ()
    quiet: str = ""

    def is_quiet(self, now: datetime, zone: str) -> bool:
        """Whether nothing is to be heard at this time of a zone."""
        return bool(self.quiet) and is_within(self.quiet, f"{local(now, zone):%H:%M}")


@dataclass(frozen=True, slots=True)
class _Said:
    call: Call
    languages: tuple[str, ...]
    words: Mapping[str, str]
    asked_at: float


class Sound:
    """Says calls until it is stopped; ``problem`` is what went wrong with the last one, in one sentence."""

    def __init__(self, settings: SoundSettings) -> None:
        self.settings = settings
        self.problem = ""
        self._calls: queue.Queue[_Said] = queue.Queue(_MOST_WAITING)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def say(self, call: Call, languages: Sequence[str], words: Mapping[str, str]) -> None:
        """Have a call said in each of the languages, after those before it. Never waits."""
        if not (self.settings.command or self.settings.chime):
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="board-sound", daemon=True)
            self._thread.start()
        with suppress(queue.Full):  # whoever is behind a hundred others would be said too late
            self._calls.put_nowait(_Said(call, tuple(languages), words, time.monotonic()))

    def stop(self) -> None:
        """Say nothing any more, and end what is being said."""
        self._stopping.set()
        if self._process is not None:
            _end(self._process)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                said = self._calls.get(timeout=_POLL)
                if time.monotonic() - said.asked_at <= SAID_WITHIN:
                    self.problem = self._sound(said)

    def _sound(self, said: _Said) -> str:
        """Say a call; return what went wrong."""
        problems = [self._play(self.settings.chime, {})] if self.settings.chime else []
        if self.settings.command:
            problems += [self._speak(said, language) for language in said.languages]
        return next((problem for problem in problems if problem), "")

    def _speak(self, said: _Said, language: str) -> str:
        sentence = printable(spoken(said.call.number, said.call.counter, language, said.words), _LONGEST)
        variables = {
            "TOKENQ_NUMBER": printable(said.call.number.strip()),
            "TOKENQ_COUNTER": printable(said.call.counter.strip()),
            "TOKENQ_LANGUAGE": language,
            "TOKENQ_DEPARTMENT": said.call.department_id,
        }
        # With a space before it, no program takes it for an option.
        return self._play((*self.settings.command, f" {sentence}" if sentence.startswith("-") else sentence), variables)

    def _play(self, command: Sequence[str], variables: Mapping[str, str]) -> str:
        """Run a command to its end, or for so long; return what went wrong."""
        if self._stopping.is_set():
            return ""
        name = printable(command[0], 40)
        try:
            self._process = _started(command, variables)
            if self._stopping.is_set():  # perhaps too late for whoever stopped us to see the process
                return ""
            code = self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            return texts().gettext("The sound command {name} did not end and was stopped.", name=name)
        except (OSError, ValueError) as error:
            why = printable(getattr(error, "strerror", None) or error, 60)
            return texts().gettext("The sound command {name} cannot run: {why}.", name=name, why=why)
        finally:
            if self._process is not None:
                _end(self._process)
            self._process = None
        if code == 0 or self._stopping.is_set():
            return ""
        return texts().gettext("The sound command {name} failed with code {code}.", name=name, code=code)


def _started(command: Sequence[str], variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    # Its own settings, among them the board's key, are nobody else's business.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
    return subprocess.Popen(  # noqa: S603 - the operator chose the command
        command,
        env={**ours, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDS_WITHIN)
