"""What the harness itself did that may make letters come twice: the other side of RFC 1047, told by nobody else.

A sender that dies between a letter and the note that it was sent leaves its letters to another one, which must send
them again. So does one whose connection ends before the answer. Nothing else may: not a pause (a lease is longer), not
an orderly end (letters in hand are finished), and no absence of the database (the note waits for it).
"""

import json
import threading
import time
from pathlib import Path

LETTERS_IN_HAND = 8
"""So many letters one sender has in hand at most."""


class Doubts:
    """The record, one JSON line for each; any thread may write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._letters = 0

    @property
    def letters(self) -> int:
        """So many letters may have come once more than they should."""
        return self._letters

    def add(self, why: str, senders: int = 1) -> None:
        """Whatever so many senders had in hand is in doubt."""
        with self._lock:
            self._letters += senders * LETTERS_IN_HAND
            line = {"t": time.monotonic_ns(), "why": why, "letters": senders * LETTERS_IN_HAND}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def ended(self, name: str, *, is_killed: bool) -> None:
        """A sender ended; only one that was killed leaves doubts."""
        if is_killed:
            self.add(f"{name} was killed")
