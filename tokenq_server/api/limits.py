"""How often somebody may try."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from tokenq.contract.problems import ProblemCode, Refused, refuse

_REMEMBERED = 10_000


class LoginLimit:
    """Slows down guessing: from the tenth wrong password for a name from one address on, each costs a growing wait.

    The right password from another address still works, so nobody can lock somebody else out.
    """

    def __init__(self, free_tries: int = 10, longest_wait: float = 300.0) -> None:
        self._free_tries = free_tries
        self._longest_wait = longest_wait
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    @contextmanager
    def attempt(self, username: str, source: str) -> Iterator[None]:
        """Guard one login; a wrong password is counted, a right one forgets the count.

        Raises:
            Refused: ``rate_limited``, with the seconds to wait.
        """
        failures, not_before = self._failures.get((username, source), (0, 0.0))
        wait = not_before - time.monotonic()
        if wait > 0:
            raise refuse(
                ProblemCode.RATE_LIMITED,
                "There were too many wrong passwords.",
                f"Try again in {int(wait) + 1} seconds.",
                retryAfter=int(wait) + 1,
            )
        try:
            yield
        except Refused as refusal:
            if refusal.problem.code is ProblemCode.UNAUTHENTICATED:
                self._fail(username, source, failures + 1)
            raise
        self._failures.pop((username, source), None)

    def _fail(self, username: str, source: str, failures: int) -> None:
        over = failures - self._free_tries
        wait = min(2.0**over, self._longest_wait) if over >= 0 else 0.0
        self._failures[username, source] = (failures, time.monotonic() + wait)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
