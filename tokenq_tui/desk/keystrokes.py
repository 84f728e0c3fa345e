"""Tells keys that people press from text that a scanner types: a scanner is faster than any hand."""

from collections.abc import Callable

from textual.timer import Timer

PAUSE = 0.15
"""Seconds after which a lone character was a key."""
_SHORTEST_SCAN = 3
_LONGEST_SCAN = 300


class Keystrokes:
    """Collects characters; calls ``press`` with a key, or ``scanned`` with a text, some time after the last one.

    ``later`` starts a timer, ``soon`` calls a function behind the keys that have arrived already: after a pause of the
    whole program, characters of a scan must not be taken for keys.
    """

    def __init__(
        self,
        press: Callable[[str], object],
        scanned: Callable[[str], object],
        later: Callable[[float, Callable[[], object]], Timer],
        soon: Callable[[Callable[[], object]], object],
    ) -> None:
        self._press, self._scanned, self._later, self._soon = press, scanned, later, soon
        self._typed = ""
        self._timer: Timer | None = None

    def add(self, character: str) -> None:
        """Take a character."""
        self._typed = (self._typed + character)[:_LONGEST_SCAN]
        self._stop()
        typed = self._typed
        self._timer = self._later(PAUSE, lambda: self._soon(lambda: self._end_if(typed)))

    def enter(self) -> bool:
        """End the text; return whether there was one."""
        typed = self._typed
        self._end()
        return bool(typed)

    def _end_if(self, typed: str) -> None:
        if typed == self._typed:
            self._end()

    def _end(self) -> None:
        self._stop()
        typed, self._typed = self._typed, ""
        if len(typed) == 1:
            self._press(typed)
        elif len(typed) >= _SHORTEST_SCAN:
            self._scanned(typed)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
