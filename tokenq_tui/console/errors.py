"""Unexpected errors: what the user sees, and what is kept for debugging."""

import time
import traceback
from collections import deque

from tokenq import locale
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq_tui.console.advice import hint_of
from tokenq_tui.console.messages import Trouble

_LONGEST = 100
_MOST, _SECONDS = 100, 5.0
_AGAIN = 60.0

KEPT: deque[BaseException] = deque(maxlen=20)
"""The latest errors; with TOKENQ_DEBUG they are shown when the console exits."""

CONTINUES = "The console keeps running. If the screen looks wrong, press q and start it again."


def describe(error: BaseException) -> str:
    """Keep an error and return its type and message, shortened."""
    KEPT.append(error)
    try:
        message = str(error)
    except Exception:  # its __str__ may fail, too
        message = ""
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def failure(request: str, error: BaseException, *, changes: bool) -> Trouble:
    """Convert whatever a request raised to a message for the screen.

    ``changes``: whether the request would have changed something on the server.
    """
    if isinstance(error, Refused):
        return Trouble(locale.sentence(error.problem), hint_of(error.problem), is_answer=True)
    if isinstance(error, TokenqError):
        return Trouble(str(error), error.hint, is_answer=True, is_from_server=False)
    unknown = "It may have been carried out: check the list before you press the key again."
    hint = unknown if changes else "Nothing was changed: press the key again."
    sentence = f"{request} failed in this console ({describe(error)})."
    return Trouble(sentence, hint, is_answer=True, is_from_server=False)


class RecentFaults:
    """Recent failures: each is shown once, and a console that only fails exits."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)
        self._shown: dict[str, float] = {}

    def is_too_much(self) -> bool:
        """Record a failure; return whether there were so many that the console is unusable."""
        self._times.append(time.monotonic())
        return len(self._times) == _MOST and self._times[-1] - self._times[0] < _SECONDS

    def is_new(self, sentence: str) -> bool:
        """Return whether to show the sentence: a repeated failure must not hide everything else."""
        now = time.monotonic()
        self._shown = {text: at for text, at in self._shown.items() if now - at < _AGAIN}
        return self._shown.setdefault(sentence, now) == now


def tracebacks() -> str:
    """Return the tracebacks of the latest errors."""
    return "".join("".join(traceback.format_exception(error)) for error in KEPT)
