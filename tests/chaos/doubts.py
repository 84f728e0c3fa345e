"""What the harness itself did that may duplicate e-mails: the other side of RFC 1047.

A sender that dies between sending an e-mail and recording it leaves its e-mails to another one, which must send
them again. So does one whose connection ends before the reply. Nothing else may: not a pause (a lease is longer), not
an orderly stop (current e-mails are finished), and no outage of the database (recording waits for it).
"""

import json
import threading
import time
from pathlib import Path

LETTERS_IN_HAND = 8
"""The most e-mails that one sender holds."""


class Doubts:
    """The record, one JSON line for each; any thread may write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._letters = 0

    @property
    def letters(self) -> int:
        """The number of e-mails that may have been sent once too often."""
        return self._letters

    def add(self, why: str, senders: int = 1) -> None:
        """What that many senders held is in doubt."""
        with self._lock:
            self._letters += senders * LETTERS_IN_HAND
            line = {"t": time.monotonic_ns(), "why": why, "letters": senders * LETTERS_IN_HAND}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def ended(self, name: str, *, is_killed: bool) -> None:
        """A sender ended; only a killed one leaves doubts."""
        if is_killed:
            self.add(f"{name} was killed")
