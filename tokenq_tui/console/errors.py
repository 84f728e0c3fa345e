"""Errors that nobody thought of: what the person is told, and what is kept for who looks for the cause."""

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
"""The last ones; TOKENQ_DEBUG shows them when the console has left the terminal."""

GOES_ON = "The console goes on. If what you see looks wrong, press q and start it again."


def in_words(error: BaseException) -> str:
    """Keep an error and say it in a few words: its kind and what it says itself."""
    KEPT.append(error)
    try:
        said = str(error)
    except Exception:  # what it would say is a fault, too
        said = ""
    words = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def answer(asked: str, error: BaseException, *, changes: bool) -> Trouble:
    """The end of what was asked of the server, whatever was raised instead of an answer.

    ``changes`` tells whether it would have changed something there.
    """
    if isinstance(error, Refused):
        return Trouble(locale.sentence(error.problem), hint_of(error.problem), is_answer=True)
    if isinstance(error, TokenqError):
        return Trouble(str(error), error.hint, is_answer=True, is_heard=False)
    doubt = "It may have been carried out: look at the list before you press the key again."
    hint = doubt if changes else "Nothing was changed: press the key again."
    return Trouble(f"{asked} failed in this console ({in_words(error)}).", hint, is_answer=True, is_heard=False)


class Recent:
    """What failed lately: it is said once, and nobody is kept in a console that does nothing but fail."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)
        self._said: dict[str, float] = {}

    def is_too_much(self) -> bool:
        """Note one more; true if there have been so many that nothing else can be going on."""
        self._times.append(time.monotonic())
        return len(self._times) == _MOST and self._times[-1] - self._times[0] < _SECONDS

    def is_new(self, sentence: str) -> bool:
        """Whether it is to be said: what fails every second must not hide everything else."""
        now = time.monotonic()
        self._said = {one: at for one, at in self._said.items() if now - at < _AGAIN}
        return self._said.setdefault(sentence, now) == now


def tracebacks() -> str:
    """Where the last ones came from."""
    return "".join("".join(traceback.format_exception(error)) for error in KEPT)
