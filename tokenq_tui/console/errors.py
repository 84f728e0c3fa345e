"""Unexpected errors: what the user sees, and what is kept for debugging."""

import time
import traceback
from collections import deque
from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.locale import texts
from tokenq_tui.console.advice import hint_of
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.messages import Trouble

_LONGEST = 100
_MOST, _SECONDS = 100, 5.0
_AGAIN = 60.0

KEPT: deque[BaseException] = deque(maxlen=20)
"""The latest errors; with TOKENQ_DEBUG they are shown when the console exits."""


def continues(keys: Mapping[str, str]) -> str:
    """Return that the console keeps running after a failure of its own."""
    return texts().gettext(
        "The console keeps running. If the screen looks wrong, press {key} and start it again.",
        key=shown_key("quit", keys),
    )


def describe(error: BaseException) -> str:
    """Keep an error and return its type and message, shortened."""
    KEPT.append(error)
    try:
        message = str(error)
    except Exception:  # its __str__ may fail, too
        message = ""
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def failure(request: str, error: BaseException, *, changes: bool, keys: Mapping[str, str]) -> Trouble:
    """Convert whatever a request raised to a message for the screen.

    ``changes``: whether the request would have changed something on the server; ``keys``: the keys to press then.
    """
    if isinstance(error, Refused):
        return Trouble(locale.sentence(error.problem), hint_of(error.problem, keys), is_answer=True)
    if isinstance(error, TokenqError):
        return Trouble(str(error), error.hint, is_answer=True, is_from_server=False)
    said = texts()
    if changes:
        hint = said.gettext("It may have been carried out: check the list before you press the key again.")
    else:
        hint = said.gettext("Nothing was changed: press the key again.")
    sentence = said.gettext("{action} failed in this console ({error}).", action=request, error=describe(error))
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
