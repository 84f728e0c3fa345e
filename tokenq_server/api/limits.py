"""Rate limits of logins."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason

_REMEMBERED = 10_000
_FORGOTTEN_AFTER = 300.0
"""Seconds after which one attempt counts no more."""


class _Tries(NamedTuple):
    """How many attempts count, since when the oldest waits to be forgotten, and when the next one may come."""

    number: int
    since: float
    free_at: float


class LoginLimit:
    """Slows down password guessing.

    From the tenth wrong password for one name from one address on, each attempt costs a growing wait; so does the
    fiftieth from one address for any names. The right password from another address still works, so nobody can lock
    another user out. An attempt counts before its password is checked, so that parallel ones count too. One of the
    wrong passwords is forgotten every five minutes, so that an office of people who mistype is not locked out for good.
    """

    def __init__(
        self,
        per_name: int = 10,
        per_source: int = 50,
        longest_wait: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest_wait = longest_wait
        self._free = {True: per_name, False: per_source}
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    @contextmanager
    def attempt(self, username: str, source: str) -> Iterator[None]:
        """Guard one login; the right password resets the count.

        Raises:
            Refused: ``rate_limited``, with the seconds to wait.
        """
        keys = [(username, source), ("", source)]
        for key in keys:
            self._check(key)
        for key in keys:
            self._count(key, 1)
        yield
        self._tries.pop((username, source), None)
        self._count(("", source), -1)

    def _check(self, key: tuple[str, str]) -> None:
        wait = self._tries[key].free_at - self._clock() if key in self._tries else 0.0
        if wait > 0:
            seconds = int(wait) + 1
            raise refuse(AccountReason.TOO_MANY_LOGINS, {"retryAfter": seconds}, seconds=seconds)

    def _count(self, key: tuple[str, str], change: int) -> None:
        now = self._clock()
        before = self._tries.pop(key, _Tries(0, now, now))
        forgotten = int((now - before.since) / _FORGOTTEN_AFTER)
        number = max(max(before.number - forgotten, 0) + change, 0)
        over = number - self._free[bool(key[0])]
        wait = min(2.0 ** min(over, 10), self._longest_wait) if over >= 0 else 0.0
        self._tries[key] = _Tries(number, before.since + forgotten * _FORGOTTEN_AFTER, now + wait)
        while len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
