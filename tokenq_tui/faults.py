"""What screens say of failures; of unexpected errors in their own code also what is kept, and how often it is shown."""

import time
import traceback
from collections import deque

from tokenq import locale
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError

_LONGEST = 100
_MOST, _SECONDS = 100, 5.0
_AGAIN = 60.0

KEPT: deque[BaseException] = deque(maxlen=20)
"""The latest errors; with TOKENQ_DEBUG they are shown when the screen exits."""


def describe(error: BaseException) -> str:
    """Keep an error and return its type and message, shortened."""
    KEPT.append(error)
    try:
        message = str(error)
    except Exception:  # its __str__ may fail, too
        message = ""
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def failure_sentence(error: Refused | TokenqError) -> str:
    """Return what a request was refused for, or failed for on the way, in the reader's language."""
    if isinstance(error, Refused):
        return locale.sentence(error.problem)
    return locale.texts().gettext(error.source, **error.values)


def failure_hint(error: TokenqError) -> str:
    """Return what to do about a failure on the way, in the reader's language; empty if there is no more to say."""
    return locale.texts().gettext(error.hint_source, **error.values) if error.hint_source else ""


class RecentFaults:
    """Recent failures: each is shown once, and a screen that only fails exits."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)
        self._shown: dict[str, float] = {}

    def is_too_much(self) -> bool:
        """Record a failure; return whether there were so many that the screen is unusable."""
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
